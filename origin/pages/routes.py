"""The pages' routes. Responses are prepared in advance, so a request costs one dictionary look-up."""

from functools import lru_cache
from pathlib import Path
from string import Template

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from media.names import is_stream_name
from origin.content_coding import accepts_gzip
from origin.pages.assets import Asset, load_tree, make_asset
from origin.pages.headers import REVALIDATE, dashboard_headers, reference_headers, static_headers, watch_headers

log = structlog.get_logger("pages")

HERE = Path(__file__).parent
STATIC_DIR = HERE / "static"
TEMPLATES_DIR = HERE / "templates"
PLAYER_SCRIPT = "vendor/hls.min.js"
READ = ["GET", "HEAD"]


def pages_router(*, static_dir: Path = STATIC_DIR, frame_ancestors: str = "*", prefix: str = "") -> APIRouter:
    """Routes for ``/``, ``/api/v1/docs``, ``/watch/{stream}``, ``/static/…`` and ``/favicon.ico``.

    ``frame_ancestors`` lists the sites that may embed the watch page: a source list of CSP Level 3, 7.6.2, such as
    ``'self'`` or ``https://example.org``. By default, every site may embed it. ``prefix`` is the path below which
    the pages are for browsers, such as ``/tv``.
    """
    tree = load_tree(static_dir)
    static_url = f"{prefix}/static/{tree.digest}"
    if PLAYER_SCRIPT not in tree.assets:
        log.warning(
            "the players' scripts are missing, run `make setup`: browsers without native HLS cannot play video"
        )

    for_watch, for_dashboard, for_static = watch_headers(frame_ancestors), dashboard_headers(), static_headers()
    for_reference = reference_headers()
    templates = {path.stem: Template(path.read_text("utf-8")) for path in TEMPLATES_DIR.glob("*.html")}

    def page(name: str, **values: str) -> Asset:
        return make_asset(templates[name].substitute(static=static_url, **values).encode(), ".html")

    @lru_cache(maxsize=256)
    def watch_page(stream: str) -> Asset:
        return page("watch", stream=stream)

    dashboard_page, reference_page, missing_page = page("dashboard"), page("reference"), page("missing")
    router = APIRouter(include_in_schema=False)

    @router.api_route("/", methods=READ)
    async def dashboard(request: Request) -> Response:
        return respond(request, dashboard_page, for_dashboard)

    @router.api_route("/api/v1/docs", methods=READ)
    async def reference(request: Request) -> Response:
        return respond(request, reference_page, for_reference)

    @router.api_route("/watch/{stream}", methods=READ)
    async def watch(request: Request, stream: str) -> Response:
        if not is_stream_name(stream):
            return respond(request, missing_page, for_watch, status=404)
        return respond(request, watch_page(stream), for_watch)

    @router.api_route("/watch/{stream}/", methods=READ)
    async def watch_with_slash(request: Request, stream: str) -> Response:
        """A relative reference: the server may not know the scheme and host that the browser used."""
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"../{stream}{query}", headers={"Cache-Control": REVALIDATE})

    @router.api_route("/static/{digest}/{path:path}", methods=READ)
    async def static(request: Request, digest: str, path: str) -> Response:
        asset = tree.assets.get(path)
        if asset is None:
            return Response(status_code=404, headers={"Cache-Control": REVALIDATE})
        if digest != tree.digest:
            # A page that was open during an upgrade loads its remaining scripts from the new version.
            return RedirectResponse(f"{static_url}/{path}", status_code=307, headers={"Cache-Control": REVALIDATE})
        return respond(request, asset, for_static)

    @router.api_route("/favicon.ico", methods=READ)
    async def favicon() -> Response:
        return RedirectResponse(f"{static_url}/favicon.svg", headers={"Cache-Control": "public, max-age=3600"})

    return router


def respond(request: Request, asset: Asset, headers: dict[str, str], *, status: int = 200) -> Response:
    """``asset`` in an encoding that the client accepts, or 304 if the client already has it (RFC 9110, 13.1.2)."""
    headers = headers | {"ETag": asset.etag, "Vary": "Accept-Encoding"}
    if status == 200 and asset.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    body = asset.body
    if asset.compressed is not None and accepts_gzip(request.headers.get("accept-encoding", "")):
        body = asset.compressed
        headers["Content-Encoding"] = "gzip"
    return Response(body, status_code=status, headers=headers, media_type=asset.content_type)
