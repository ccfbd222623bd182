"""Players in pages of other origins, if ``[http] cors_origins`` lists some: one cached answer, and for each viewer
the CORS header of their page."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from origin.cors import ALLOWED_ORIGINS, PlayerCors
from storage.content import IMMUTABLE
from tests.e2e.caches.counting_origin import PLAYLIST, TRACK
from tests.e2e.caches.running import running_cache, viewers_of
from tests.lab.asgi import running_app

ONE, TWO, STRANGE = "https://one.example", "https://two.example", "https://one.example.evil"
PAGES = (ONE, STRANGE, None, TWO, ONE)
CACHED = [PLAYLIST, f"{PLAYLIST}?_HLS_msn=9", f"{TRACK}/9.2.m4s", f"{TRACK}/9.m4s", f"{TRACK}/init-0.mp4"]
MISSING = f"{PLAYLIST}?_HLS_msn=404"


class ListedOrigin:
    """Counts requests; refuses MISSING."""

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        self.app = PlayerCors(self._answer, origins=(ONE, TWO))

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        url = Request(scope).url
        target = f"{url.path}?{url.query}".removesuffix("?")
        self.requests[target] += 1
        status = 404 if target == MISSING else 200
        caching = "no-store" if status == 404 else IMMUTABLE
        await Response(b"x" * 100, status, headers={"Cache-Control": caching})(scope, receive, send)


@pytest.fixture
def listed() -> ListedOrigin:
    return ListedOrigin()


@pytest.fixture
def cache(front: str, listed: ListedOrigin, tmp_path: Path) -> Iterator[httpx.Client]:
    with (
        running_app(listed.app) as port,
        running_cache(front, port, tmp_path) as running,
        viewers_of(running) as client,
    ):
        yield client


def get(cache: httpx.Client, path: str, page: str | None) -> httpx.Response:
    return cache.get(path, headers={"Origin": page} if page else {})


def check(answer: httpx.Response, page: str | None) -> None:
    allowed = [page] if page in (ONE, TWO) else []
    assert answer.headers.get_list("Access-Control-Allow-Origin") == allowed
    assert "Origin" in answer.headers["Vary"]
    assert ALLOWED_ORIGINS not in answer.headers


@pytest.mark.parametrize("path", CACHED)
def test_one_cached_answer_is_for_the_pages_of_all_origins(
    cache: httpx.Client, listed: ListedOrigin, path: str
) -> None:
    for page in PAGES:
        answer = get(cache, path, page)
        assert answer.status_code == 200
        check(answer, page)
    assert listed.requests[path] == 1


@pytest.mark.parametrize("path", ["/time", "/api/v1/watch/a", "/live/a/master.m3u8?token=x", MISSING])
def test_answers_that_are_not_cached_are_for_the_page_that_asks(cache: httpx.Client, path: str) -> None:
    for page in PAGES:
        check(get(cache, path, page), page)


@pytest.mark.parametrize("path", [PLAYLIST, f"{TRACK}/9.2.m4s", f"{TRACK}/9.m4s", "/time"])
@pytest.mark.parametrize(("page", "status"), [(TWO, 200), (STRANGE, 400)])
def test_a_preflight_is_answered_for_the_page_that_asks(
    cache: httpx.Client, path: str, page: str, status: int
) -> None:
    asked = {"Origin": page, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "range"}
    answer = cache.options(path, headers=asked)
    assert answer.status_code == status
    check(answer, page)
