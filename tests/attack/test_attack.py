"""Every attack for a second against one server. `make attack` runs them longer, and judges the health check too:
its time depends on the machine."""

from pathlib import Path

import pytest

from tests.attack.attacks.catalogue import ATTACKS, NEED_CACHE
from tests.attack.stage import MAX_GROWTH, prepared
from tests.lab.front import has_nginx

SECONDS = 1.0


def test_no_attack_hurts_the_others(tmp_path: Path) -> None:
    lost: list[str] = []
    with prepared(tmp_path, lost) as stage:
        outcomes = [stage.run(name, SECONDS) for name in ATTACKS if name not in NEED_CACHE]
    assert {outcome.name: outcome.failures for outcome in outcomes if outcome.failures} == {}
    assert {outcome.name: outcome.grown for outcome in outcomes if outcome.grown > MAX_GROWTH} == {}
    assert lost == []


@pytest.mark.skipif(not has_nginx(), reason="nginx, its Lua module or varnish is not installed")
def test_viewers_behind_a_cache_get_their_own_playlist(tmp_path: Path) -> None:
    lost: list[str] = []
    with prepared(tmp_path, lost, cached=True) as stage:
        outcomes = [stage.run(name, SECONDS) for name in NEED_CACHE]
    assert [outcome.failures for outcome in outcomes] == [()]
    assert lost == []
