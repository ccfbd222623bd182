"""OPTIONS and 405: exactly the methods that exist for a path."""

import httpx
import pytest

from tests.unit.origin.api.conftest import Api, api

__all__ = ["api"]

METHODS = [
    ("/streams", {"GET", "POST", "OPTIONS"}),
    ("/streams/a", {"GET", "PATCH", "DELETE", "OPTIONS"}),
    ("/streams/a/kill", {"POST", "OPTIONS"}),
    ("/watch/a", {"GET", "OPTIONS"}),
]


def allowed(answer: httpx.Response) -> set[str]:
    return set(answer.headers["allow"].split(", "))


@pytest.mark.parametrize(("path", "methods"), METHODS)
async def test_options_lists_the_methods_of_the_path(api: Api, path: str, methods: set[str]) -> None:
    answer = await api.public.options(path)
    assert (answer.status_code, allowed(answer)) == (204, methods)


@pytest.mark.parametrize(("path", "methods"), METHODS)
async def test_an_unsupported_method_is_405_with_the_methods_that_exist(
    api: Api, path: str, methods: set[str]
) -> None:
    for method in {"HEAD", "PUT", "TRACE", "PURGE"} - methods:
        answer = await api.public.request(method, path)
        assert (answer.status_code, allowed(answer)) == (405, methods)
        if method != "HEAD":
            assert answer.json()["code"] == "method-not-allowed"
    assert answer.headers["cache-control"] == "no-store"


async def test_options_of_an_unknown_path_is_404(api: Api) -> None:
    assert (await api.public.options("/nothing")).status_code == 404
