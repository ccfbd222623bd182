"""Tokens for the viewers of private streams, and the check for a cache in front of the origin."""

from urllib.parse import urlencode

from fastapi import APIRouter, Response

from media.names import MANIFEST, MASTER_PLAYLIST, is_stream_name, stream_prefix
from origin.api.guard import GuardedRoute, needs
from origin.api.known_problems import OF_BODIES, STREAM_NOT_FOUND, TOKEN_EXPIRED, TOKEN_INVALID, responses
from origin.api.models import PlaybackToken, TokenRequest
from origin.api.operation import CurrentOperation
from origin.api.parameters import PathToken, StreamName
from origin.api.problems import problem
from origin.api.services import ApiServices
from origin.playback.errors import PlaybackRefused, TokenInvalid
from origin.playback.paths import check_path_token
from origin.playback.tokens import ViewerToken, sign_viewer_token
from storage.catalogue.scopes import Scope

# Seconds that a cache may keep an answer: few, so that a revoked token soon stops working, but enough to be cheap.
LONGEST_ANSWER_S = 60
REFUSED = "public, max-age=10"


def tokens_router(services: ApiServices) -> APIRouter:
    router = APIRouter(prefix="/streams/{stream}", tags=["playback"], route_class=GuardedRoute)

    @router.post(
        "/tokens",
        status_code=201,
        summary="Let a viewer of a private stream in",
        responses=responses(STREAM_NOT_FOUND, *OF_BODIES),
    )
    @needs(Scope.OPERATE, "viewer-token-create")
    async def create_viewer_token(
        stream: StreamName, operation: CurrentOperation, request: TokenRequest | None = None
    ) -> PlaybackToken:
        request = request or TokenRequest()
        await services.catalogue.get_stream(stream)
        viewer_token = ViewerToken(stream, int(services.clock()) + request.for_s, request.address)
        token = sign_viewer_token(viewer_token, await services.playback_keys())
        operation.note(expires_at=viewer_token.expires_at, address=viewer_token.address)
        query, media = urlencode({"token": token}), f"{services.public_url}/{stream_prefix(stream)}"
        return PlaybackToken(
            stream=stream,
            token=token,
            expires_at=viewer_token.expires_at,
            address=viewer_token.address,
            hls=f"{media}/{MASTER_PLAYLIST}?{query}",
            dash=f"{media}/{MANIFEST}?{query}",
            watch=f"{services.watch_url(stream)}?{query}",
        )

    return router


def checks_router(services: ApiServices) -> APIRouter:
    router = APIRouter(tags=["playback"])

    @router.get(
        "/playback/{stream}/{path_token}",
        status_code=204,
        response_class=Response,
        summary="Whether a path token holds",
        description="Needs no token. For a cache in front, which may keep the answer: it decides for all viewers.",
        responses=responses(TOKEN_INVALID, TOKEN_EXPIRED),
    )
    async def verify_path_token(stream: StreamName, path_token: PathToken) -> Response:
        try:
            if not is_stream_name(stream):
                raise TokenInvalid(f"there is no stream {stream[:80]}")
            now = services.clock()
            expires_at = check_path_token(path_token, await services.playback_keys(), stream, now=now)
        except PlaybackRefused as refusal:
            return problem(403, refusal.code, str(refusal), headers={"Cache-Control": REFUSED})
        left = min(LONGEST_ANSWER_S, max(1, int(expires_at - now)))
        return Response(status_code=204, headers={"Cache-Control": f"public, max-age={left}"})

    return router
