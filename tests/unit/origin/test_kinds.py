"""Every answer of the application is counted once, by kind."""

import httpx
import pytest
from fastapi import FastAPI

from storage.interface import StoreUnavailable
from tests.lab.memory_store import MemoryStore
from tests.unit.origin.whole import TOKEN, whole_origin

Served = list[tuple[str, int, int]]


@pytest.fixture
def served() -> Served:
    return []


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def app(served: Served, store: MemoryStore) -> FastAPI:
    return whole_origin(store, on_served=lambda *answer: served.append(answer))


async def get(app: FastAPI, path: str, *, method: str = "GET", token: str = "") -> httpx.Response:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    headers = {"Accept-Encoding": "identity", "Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(transport=transport, base_url="https://example.org") as client:
        return await client.request(method, path, headers=headers)


@pytest.mark.parametrize(
    ("path", "kind", "status"),
    [
        ("/", "page", 200),
        ("/watch/studio", "page", 200),
        ("/api/v1/docs", "page", 200),
        ("/api/v1/streams", "api", 401),
        ("/api/v1/openapi.json", "api", 200),
        ("/api/v1/watch/studio", "status", 404),
        ("/api/v1/cmcd", "report", 204),
        ("/time", "clock", 200),
        ("/healthz", "health", 200),
        ("/nothing", "unknown", 404),
        ("/live/studio/master.m3u8", "master", 404),
        ("/live/studio/nothing", "unknown", 404),
    ],
)
async def test_an_answer_is_counted_with_its_size(
    app: FastAPI, served: Served, path: str, kind: str, status: int
) -> None:
    answer = await get(app, path)
    assert served == [(kind, status, len(answer.content))]


async def test_refused_methods_and_faults_are_counted(app: FastAPI, served: Served, store: MemoryStore) -> None:
    await get(app, "/api/v1/streams", method="PUT")
    store.failing = StoreUnavailable("down")
    await get(app, "/api/v1/streams", token=TOKEN)

    @app.get("/api/fault")
    async def fault() -> None:
        raise RuntimeError

    assert (await get(app, "/api/fault")).status_code == 500
    assert [(kind, status) for kind, status, _ in served] == [("api", 405), ("api", 503), ("api", 500)]
