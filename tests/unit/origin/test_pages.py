"""The pages' routes: content, caching and content security policy."""

import asyncio
import gzip
import re
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from origin.pages import pages_router
from origin.pages.assets import load_tree
from origin.pages.routes import STATIC_DIR, TEMPLATES_DIR

OWN_FILES = [path for path in STATIC_DIR.rglob("*") if path.is_file() and "vendor" not in path.parts]


class Web:
    """A client of an application, without a socket."""

    def __init__(self, app: FastAPI) -> None:
        self._transport = httpx.ASGITransport(app)

    def get(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        return asyncio.run(self._request("GET", path, headers))

    def head(self, path: str) -> httpx.Response:
        return asyncio.run(self._request("HEAD", path, None))

    async def _request(self, method: str, path: str, headers: dict[str, str] | None) -> httpx.Response:
        async with httpx.AsyncClient(transport=self._transport, base_url="http://origin") as client:
            return await client.request(method, path, headers=headers)


def client(*, static_dir: Path = STATIC_DIR, frame_ancestors: str = "*") -> Web:
    app = FastAPI()
    app.include_router(pages_router(static_dir=static_dir, frame_ancestors=frame_ancestors))
    return Web(app)


def policy(header: str) -> dict[str, str]:
    return dict(directive.split(" ", 1) for directive in header.split("; "))


@pytest.mark.parametrize("path", ["/", "/watch/studio-a", "/api/v1/docs"])
def test_the_policy_of_pages_allows_only_our_own_scripts(path: str) -> None:
    response = client().get(path)
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["x-content-type-options"] == "nosniff"
    directives = policy(response.headers["content-security-policy"])
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == directives["style-src"] == directives["connect-src"] == "'self'"
    assert "unsafe" not in response.headers["content-security-policy"]


def test_every_file_that_a_page_names_exists() -> None:
    web = client()
    for path in ("/", "/watch/studio-a", "/watch/Not+A+Name", "/api/v1/docs"):
        urls = re.findall(r'(?:src|href)="([^"]+)"', web.get(path).text)
        assert urls
        for url in urls:
            assert url.startswith("/static/")
            assert web.get(url).status_code == 200, url


def test_modules_import_only_existing_files() -> None:
    for path in OWN_FILES:
        if path.suffix == ".js":
            text = path.read_text()
            for target in re.findall(r'(?:from|import\()\s*"([^"]+)"', text):
                assert (path.parent / target).is_file(), f"{path.name} imports {target}"


def test_pages_have_no_external_or_inline_content() -> None:
    for path in [*OWN_FILES, *TEMPLATES_DIR.iterdir()]:
        text = path.read_text().replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://", text), path.name
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text), path.name
        if path.suffix == ".html":
            assert "<style" not in text and " style=" not in text and not re.search(r"\son\w+=", text), path.name
            assert not re.search(r"<script(?![^>]*\ssrc=)", text), path.name


def test_only_the_watch_page_may_be_framed() -> None:
    everybody, some = client(), client(frame_ancestors="https://example.org")
    assert "frame-ancestors" not in policy(everybody.get("/watch/a").headers["content-security-policy"])
    assert (
        policy(some.get("/watch/a").headers["content-security-policy"])["frame-ancestors"] == "https://example.org"
    )
    for web in (everybody, some):
        for path in ("/", "/api/v1/docs"):
            assert policy(web.get(path).headers["content-security-policy"])["frame-ancestors"] == "'none'"


def test_an_invalid_stream_name_is_a_404_page() -> None:
    response = client().get("/watch/Studio_A")
    assert response.status_code == 404
    assert "Page not found" in response.text
    assert "<script" not in response.text


def test_the_watch_pages_title_is_its_stream() -> None:
    assert "<title>studio-a</title>" in client().get("/watch/studio-a").text


def test_static_files_are_immutable_and_compressed() -> None:
    web = client()
    url = re.findall(r'src="(/static/[^"]+main\.js)"', web.get("/").text)[0]
    plain = web.get(url, headers={"Accept-Encoding": "identity"})
    assert plain.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert plain.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "content-encoding" not in plain.headers
    squeezed = web.get(url, headers={"Accept-Encoding": "br, gzip"})
    assert squeezed.headers["content-encoding"] == "gzip"
    assert int(squeezed.headers["content-length"]) < len(plain.content)
    assert squeezed.content == plain.content
    assert squeezed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"


def test_an_unchanged_page_is_304() -> None:
    web = client()
    etag = web.get("/").headers["etag"]
    again = web.get("/", headers={"If-None-Match": etag})
    assert again.status_code == 304
    assert again.content == b""
    assert web.get("/", headers={"If-None-Match": 'W/"other"'}).status_code == 200


def test_head_has_the_headers_of_get() -> None:
    web = client()
    get, head = web.get("/watch/a"), web.head("/watch/a")
    assert head.status_code == 200
    assert head.headers["etag"] == get.headers["etag"]


def test_another_versions_file_is_redirected_and_not_cached() -> None:
    web = client()
    digest = load_tree(STATIC_DIR).digest
    response = web.get("/static/000000000000/js/dom.js")
    assert response.status_code == 307
    assert response.headers["location"] == f"/static/{digest}/js/dom.js"
    assert response.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("path", ["nothing.js", "..%2froutes.py", "%2e%2e/%2e%2e/routes.py", ""])
def test_a_path_outside_the_tree_is_404(path: str) -> None:
    assert client().get(f"/static/{load_tree(STATIC_DIR).digest}/{path}").status_code == 404


def test_the_digest_depends_on_names_and_contents(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text("1")
    first = load_tree(tmp_path)
    assert load_tree(tmp_path).digest == first.digest
    (tmp_path / "a.js").write_text("2")
    second = load_tree(tmp_path)
    (tmp_path / "a.js").rename(tmp_path / "b.js")
    assert len({first.digest, second.digest, load_tree(tmp_path).digest}) == 3
    assert list(load_tree(tmp_path).assets) == ["b.js"]


def test_a_file_that_gzip_does_not_shrink_is_served_plain(tmp_path: Path) -> None:
    (tmp_path / "tiny.js").write_text("1")
    (tmp_path / "large.js").write_text("1;" * 500)
    assets = load_tree(tmp_path).assets
    assert assets["tiny.js"].compressed is None
    compressed = assets["large.js"].compressed
    assert compressed is not None and gzip.decompress(compressed) == assets["large.js"].body


def test_pages_are_served_without_the_vendored_players(tmp_path: Path) -> None:
    (tmp_path / "favicon.svg").write_text("<svg/>")
    assert client(static_dir=tmp_path).get("/watch/a").status_code == 200


def test_a_slash_at_the_end_is_redirected_relatively() -> None:
    answer = client().get("/watch/studio-a/?broadcast=b")
    assert (answer.status_code, answer.headers["location"]) == (307, "../studio-a?broadcast=b")
