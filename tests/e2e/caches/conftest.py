from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.caches.counting_origin import Origin, counting_origin
from tests.e2e.caches.running import FRONTS, running_cache, viewers_of


@pytest.fixture
def origin() -> Iterator[Origin]:
    with counting_origin() as origin:
        yield origin


@pytest.fixture(params=FRONTS)
def front(request: pytest.FixtureRequest) -> str:
    by: str = request.param
    return by


@pytest.fixture
def cache(front: str, origin: Origin, tmp_path: Path) -> Iterator[httpx.Client]:
    """A client of each cache in turn."""
    with running_cache(front, origin.server_port, tmp_path) as running, viewers_of(running) as client:
        origin.requests.clear()
        yield client
