"""Viewer tokens, and the check of path tokens for caches."""

import pytest

from origin.playback import PlaybackSecret, ViewerToken, make_path_token, verify_viewer_token
from tests.unit.origin.api.conftest import NOW, Api

BUCKET_S = 3600


async def keys(api: Api):  # type: ignore[no-untyped-def]
    return await PlaybackSecret(api.store, lambda: NOW).keys()


async def test_a_private_stream_can_be_created_and_changed(api: Api) -> None:
    assert (await api.http.post("/streams", json={"stream": "a", "private": True})).status_code == 201
    await api.http.post("/streams", json={"stream": "b"})
    assert [(one["stream"], one["private"]) for one in (await api.http.get("/streams")).json()] == [
        ("a", True),
        ("b", False),
    ]
    assert (await api.public.get("/watch/a")).json()["private"] is True
    assert (await api.http.patch("/streams/a", json={"title": "A"})).json()["private"] is True
    assert (await api.http.patch("/streams/a", json={"private": False})).json()["private"] is False
    assert (await api.http.patch("/streams/a", json={"private": None})).status_code == 422


async def test_a_token_comes_with_its_links(api: Api) -> None:
    await api.http.post("/streams", json={"stream": "a", "private": True})
    answer = await api.http.post("/streams/a/tokens", json={"for_s": 60, "address": "203.0.113.7"})
    assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
    body = answer.json()
    token = body.pop("token")
    assert body == {
        "stream": "a",
        "expires_at": int(NOW) + 60,
        "address": "203.0.113.7",
        "hls": f"https://media.example.org/live/a/master.m3u8?token={token}",
        "dash": f"https://media.example.org/live/a/manifest.mpd?token={token}",
        "watch": f"https://media.example.org/watch/a?token={token}",
    }
    read = verify_viewer_token(token, await keys(api), stream="a", address="203.0.113.7", now=NOW)
    assert read == ViewerToken("a", int(NOW) + 60, "203.0.113.7")


async def test_without_a_body_a_token_is_valid_for_two_hours_and_any_address(api: Api) -> None:
    await api.http.post("/streams", json={"stream": "a"})
    body = (await api.http.post("/streams/a/tokens")).json()
    assert (body["expires_at"], body["address"]) == (int(NOW) + 7200, None)


@pytest.mark.parametrize(
    "body", [{"for_s": 0}, {"for_s": 10**9}, {"address": "here"}, {"address": ""}, {"for": 60}]
)
async def test_invalid_token_requests_are_refused(api: Api, body: dict[str, object]) -> None:
    await api.http.post("/streams", json={"stream": "a"})
    answer = await api.http.post("/streams/a/tokens", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")


async def test_tokens_need_the_operator_and_an_existing_stream(api: Api) -> None:
    await api.http.post("/streams", json={"stream": "a"})
    assert (await api.public.post("/streams/a/tokens")).status_code == 401
    missing = await api.http.post("/streams/b/tokens")
    assert (missing.status_code, missing.json()["code"]) == (404, "stream-not-found")


async def test_a_cache_can_check_a_path_token(api: Api) -> None:
    token = make_path_token(await keys(api), "a", now=NOW, bucket_s=BUCKET_S)
    expires_at = int(token.partition("-")[0])
    held = await api.public.get(f"/playback/a/{token}")
    assert (held.status_code, held.content, held.headers["cache-control"]) == (204, b"", "public, max-age=60")
    api.now = expires_at - 9.5
    assert (await api.public.get(f"/playback/a/{token}")).headers["cache-control"] == "public, max-age=9"
    for path in (f"b/{token}", f"a/{token}x", "A/x"):
        refused = await api.public.get(f"/playback/{path}")
        assert (refused.status_code, refused.json()["code"]) == (403, "token-invalid")
        assert refused.headers["cache-control"] == "public, max-age=10"
    api.now = float(expires_at)
    expired = await api.public.get(f"/playback/a/{token}")
    assert (expired.status_code, expired.json()["code"]) == (403, "token-expired")
