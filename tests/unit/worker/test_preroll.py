import pytest

from tests.unit.packager.recording import frame, frames
from worker.preroll import Preroll


def test_it_keeps_the_units_since_the_last_keyframe() -> None:
    preroll = Preroll()
    for unit in frames(100, gop=60):
        preroll.add(unit)
    kept = preroll.take()
    assert [unit.dts for unit in kept] == [place * 3000 for place in range(60, 100)]
    assert preroll.take() == []


def test_units_without_a_keyframe_are_of_no_use() -> None:
    preroll = Preroll()
    preroll.add(frame(0))
    assert preroll.take() == []


@pytest.mark.parametrize(("limit", "value"), [("MAX_UNITS", 10), ("MAX_BYTES", 100)])
def test_it_is_bounded(monkeypatch: pytest.MonkeyPatch, limit: str, value: int) -> None:
    monkeypatch.setattr(f"worker.preroll.{limit}", value)
    preroll = Preroll()
    for unit in frames(15, gop=60):
        preroll.add(unit)
    assert preroll.take() == []
    preroll.add(frame(900_000, key=True))
    assert preroll.take() == [frame(900_000, key=True)]
