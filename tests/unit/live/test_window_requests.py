"""The window's answers to requests: bytes and their lifetime, or an error with the reason."""

import asyncio

import pytest

from live.answer import Answer, Lifetime
from live.errors import GoneFromWindow, HeldTooLong, NotYet, TooFarAhead
from live.messages import WindowMoved
from live.window import Reload
from live.window_track import Position
from tests.unit.live.scripted import Script, messages, window_after
from tests.unit.live.test_window import LONG, MESSAGES, V, up_to

ORDINARY = messages(Script(300, range(0, 300, 60), low_latency=None))
NOW = 0.0


@pytest.mark.parametrize(
    ("directives", "lifetime"),
    [
        (Reload(), Lifetime.MOMENT),
        (Reload(skip=True), Lifetime.MOMENT),
        (Reload(Position(4, 1)), Lifetime.POSITION),
        (Reload(Position(3), skip=True), Lifetime.POSITION),
        (Reload(Position(1, 0)), Lifetime.MOMENT),
    ],
)
async def test_a_reload_has_the_playlist_and_its_lifetime(directives: Reload, lifetime: Lifetime) -> None:
    """No playlist is recalled from before the first segment was complete."""
    now, _ = up_to(MESSAGES, 4, 3)
    text = now.playlist(V, now.recalled(V, directives.position), skip=directives.skip)
    assert text is not None
    assert await now.reload(V, directives, NOW) == Answer(text, lifetime)


async def test_an_answer_of_the_moment_is_current_until_the_next_message() -> None:
    now, rest = up_to(MESSAGES, 4, 3)
    playlist = await now.reload(V, Reload(), NOW)
    assert playlist.is_current is not None and playlist.is_current()
    now.receive(rest[0])
    assert not playlist.is_current()
    newer = await now.reload(V, Reload(), NOW)
    now.abandon()
    assert newer.is_current is not None and not newer.is_current()


async def test_a_reload_waits_for_its_position() -> None:
    now, rest = up_to(MESSAGES, 4, 3)
    waiting = asyncio.ensure_future(now.reload(V, Reload(Position(4, 3)), LONG))
    await asyncio.sleep(0)
    assert not waiting.done()
    now.receive(rest[0])
    assert (await waiting).lifetime is Lifetime.POSITION
    with pytest.raises(HeldTooLong):
        await now.reload(V, Reload(Position(4, 4)), NOW)
    with pytest.raises(TooFarAhead):
        await now.reload(V, Reload(Position(9)), LONG)


async def test_without_low_latency_a_reload_never_waits() -> None:
    now = window_after(ORDINARY)
    assert await now.reload(V, Reload(Position(99, 1)), LONG) == await now.reload(V, Reload(), LONG)


async def test_a_playlist_without_segments_is_expected_with_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("live.window.LONGEST_START_WAIT_S", NOW)
    now, _ = up_to(MESSAGES, 1, 3)
    with pytest.raises(NotYet) as missing:
        await now.reload(V, Reload(), NOW)
    assert missing.value.after_s == pytest.approx(1.0)
    with pytest.raises(NotYet) as unknown:
        await now.reload("v480p", Reload(), NOW)
    assert unknown.value.after_s == 2.0


@pytest.mark.parametrize(
    ("position", "after_s"),
    [(Position(4, 9), 7 / 3), (Position(5, 0), 4 / 3), (Position(6, 2), 4.0), (Position(9, 0), 28 / 3)],
)
async def test_a_part_that_is_too_early_is_expected_by_the_targets(position: Position, after_s: float) -> None:
    """Half of segment 4 exists; a segment lasts two seconds, a part a third of a second."""
    now, _ = up_to(MESSAGES, 4, 3)
    with pytest.raises((NotYet, HeldTooLong)) as early:
        await now.fetch_part(V, position, NOW)
    if now.is_near(V, position):
        assert isinstance(early.value, HeldTooLong)
    else:
        assert isinstance(early.value, NotYet) and early.value.after_s == pytest.approx(after_s, abs=0.001)


async def test_a_segment_that_is_too_early_is_expected_by_the_targets() -> None:
    now = window_after(ORDINARY)
    made_s = sum(part.duration for part in now.tracks[V].parts_of(5)) / 90_000
    for msn in (5, 6, 20):
        with pytest.raises(NotYet) as early:
            await now.fetch_segment(V, msn, LONG)
        assert early.value.after_s == pytest.approx(2 * (msn - 4) - made_s)


async def test_a_part_is_immutable_or_in_the_store_or_gone() -> None:
    now = window_after(MESSAGES)
    data = now.part(V, Position(9, 1))
    assert data is not None
    assert await now.fetch_part(V, Position(9, 1), NOW) == Answer(data, Lifetime.IMMUTABLE)
    for track, position in ((V, Position(2, 0)), ("v480p", Position(9, 1))):
        assert await now.fetch_part(track, position, NOW) is None
    now.receive(WindowMoved(3))
    with pytest.raises(GoneFromWindow):
        await now.fetch_part(V, Position(2, 0), NOW)


async def test_a_segment_is_immutable_or_growing_or_in_the_store_or_gone() -> None:
    now, _ = up_to(MESSAGES, 10, 3)
    whole = now.media(V, 9)
    assert whole is not None
    assert await now.fetch_segment(V, 9, NOW) == Answer(whole, Lifetime.IMMUTABLE)
    growing = await now.fetch_segment(V, 10, NOW)
    assert growing is not None and growing.rest is not None
    assert growing.data == now.part(V, Position(10, 0))
    assert await now.fetch_segment(V, 2, NOW) is None
    now.receive(WindowMoved(3))
    with pytest.raises(GoneFromWindow):
        await now.fetch_segment(V, 2, NOW)
    with pytest.raises(HeldTooLong):
        await now.fetch_segment(V, 11, NOW)


async def test_requests_that_wait_are_counted_by_what_they_wait_for() -> None:
    now, rest = up_to(MESSAGES, 4, 3)
    assert set(now.waiting.values()) == {0}
    reload = asyncio.ensure_future(now.reload(V, Reload(Position(4, 3)), LONG))
    part = asyncio.ensure_future(now.fetch_part(V, Position(4, 3), LONG))
    given_up = asyncio.ensure_future(now.fetch_part(V, Position(4, 4), LONG))
    segment = asyncio.ensure_future(now.fetch_segment(V, 5, LONG))
    await asyncio.sleep(0)
    assert now.waiting == {"start": 0, "playlist": 1, "part": 2, "segment": 1}
    given_up.cancel()
    now.receive(rest[0])
    await asyncio.gather(reload, part, given_up, return_exceptions=True)
    assert now.waiting == {"start": 0, "playlist": 0, "part": 0, "segment": 1}
    with pytest.raises(HeldTooLong):
        await now.reload(V, Reload(Position(4, 5)), NOW)
    segment.cancel()
    await asyncio.gather(segment, return_exceptions=True)
    assert set(now.waiting.values()) == {0}
