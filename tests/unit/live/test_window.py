"""The live window: waiting requests, the media that it keeps and releases, and the cost of answers."""

import asyncio

import pytest

from live.answer import Answer, Lifetime
from live.errors import SegmentUnfinished
from live.messages import BroadcastChanged, LiveMessage, SegmentStored
from live.window import LiveWindow
from live.window_texts import MAX_TEXTS
from live.window_track import KEPT_SEGMENTS, Position
from packager import hls
from packager.boxes.walk import boxes
from packager.cmaf.fragment import EMPTY_SEGMENT
from packager.cmaf.segment_writer import Part, Segment
from tests.unit.live.scripted import (
    BROADCAST,
    STREAM,
    Script,
    messages,
    parts_of,
    read,
    segments_of,
    text,
    walk,
    window_after,
)

V = "vsource"
MESSAGES = messages(Script(600, range(0, 600, 60)))
LONG = 5.0


def up_to(sent: list[LiveMessage], msn: int, index: int, track: str = V) -> tuple[LiveWindow, list[LiveMessage]]:
    """The window before a part arrives, and the messages from that part on."""
    for place, message in enumerate(sent):
        if isinstance(message, Part) and (message.track, message.msn, message.index) == (track, msn, index):
            return window_after(sent[:place]), sent[place:]
    raise AssertionError((msn, index))


async def next_iteration() -> None:
    await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("position", "normalized", "reached"),
    [
        (Position(3), Position(3), True),
        (Position(3, 5), Position(3, 5), True),
        (Position(3, 6), Position(4, 0), True),
        (Position(3, 500), Position(4, 0), True),
        (Position(4, 2), Position(4, 2), True),
        (Position(4, 3), Position(4, 3), False),
        (Position(4), Position(4), False),
        (Position(5, 0), Position(5, 0), False),
        (Position(1, 99), Position(2, 0), True),
    ],
)
def test_positions_are_normalized_and_reached_or_not(
    position: Position, normalized: Position, reached: bool
) -> None:
    now, _ = up_to(MESSAGES, 4, 3)
    track = now.tracks[V]
    assert track.end == Position(4, 2)
    assert track.normalize(position) == normalized
    assert track.has(track.normalize(position)) is reached


def test_between_segments_the_end_is_the_complete_one() -> None:
    now, _ = up_to(MESSAGES, 4, 0)
    track = now.tracks[V]
    assert track.end == Position(3) and track.open_segment is None
    assert track.normalize(Position(3, 6)) == Position(4, 0)
    assert not track.has(Position(4, 0))
    assert now.part(V, Position(3, 6)) is None
    assert hls.PreloadHint("4.0.m4s") == read(now, V).preload_hint


@pytest.mark.parametrize(
    ("position", "near"),
    [
        (Position(5), True),
        (Position(6), False),
        (Position(4, 2 + 8), True),
        (Position(4, 2 + 9), False),
        (Position(5, 0), True),
        (Position(5, 8), True),
        (Position(5, 9), False),
        (Position(1, 0), True),
        (Position(3, 500), True),
    ],
)
def test_how_far_ahead_a_request_may_be(position: Position, near: bool) -> None:
    """6.2.5.2: two segments past the last complete one, parts within the advance part limit of the last one."""
    now, _ = up_to(MESSAGES, 4, 3)
    assert now.is_near(V, position) is near


def test_an_existing_part_is_never_too_far_ahead() -> None:
    """Segments of many parts: the last part may be requested after the next segment has begun."""
    sent = messages(Script(600, range(0, 600, 180)))
    for now, message in walk(sent):
        if isinstance(message, Part) and message.track == V:
            assert all(now.is_near(V, Position(p.msn, p.index)) for p in parts_of(sent, V) if p.msn < message.msn)


async def test_a_waiting_request_continues_when_its_part_arrives() -> None:
    now, rest = up_to(MESSAGES, 4, 3)
    waiting = asyncio.ensure_future(now.wait_for(V, Position(4, 3), LONG))
    await next_iteration()
    now.receive(rest[0])
    await next_iteration()
    await next_iteration()
    assert waiting.done() and waiting.result()


async def test_only_the_requested_part_ends_the_wait() -> None:
    now, rest = up_to(MESSAGES, 4, 3)
    later = asyncio.ensure_future(now.wait_for(V, Position(4, 5), LONG))
    whole = asyncio.ensure_future(now.wait_for(V, Position(4), LONG))
    for message in rest:
        now.receive(message)
        for _ in range(3):
            await next_iteration()
        made = isinstance(message, Part | Segment) and now.tracks[V].end
        if later.done():
            assert made and now.tracks[V].has(Position(4, 5))
        if whole.done():
            assert now.tracks[V].has(Position(4))
            break
        assert not now.tracks[V].has(Position(4))
    assert await later and await whole


async def test_a_request_past_the_last_part_of_a_segment_waits_for_the_next_segment() -> None:
    """The segment ends while it waits."""
    now, rest = up_to(MESSAGES, 4, 5)
    waiting = asyncio.ensure_future(now.wait_for(V, Position(4, 6), LONG))
    for message in rest:
        await next_iteration()
        if isinstance(message, Part) and (message.track, message.msn) == (V, 5):
            assert not waiting.done()
            now.receive(message)
            assert await waiting
            assert now.part(V, Position(4, 6)) == message.data
            return
        now.receive(message)


async def test_waiting_times_out() -> None:
    now, _ = up_to(MESSAGES, 4, 3)
    assert not await now.wait_for(V, Position(4, 3), 0.01)
    assert not await now.wait_ready(0.0) or now.ready


async def test_the_end_of_a_broadcast_ends_all_waiting() -> None:
    sent = messages(Script(290, range(0, 290, 60), ends=True))
    place = next(i for i, m in enumerate(sent) if isinstance(m, BroadcastChanged) and m.facts.ended)
    now = window_after(sent[:place])
    waiting = [asyncio.ensure_future(now.wait_for(t, Position(7, 1), LONG)) for t in (V, "v360p", "asource")]
    await next_iteration()
    assert not any(task.done() for task in waiting)
    now.receive(sent[place])
    assert all(await asyncio.gather(*waiting))
    assert await now.wait_for(V, Position(400, 3), 0.0)
    assert read(now, V, Position(7, 1)).ended


async def test_a_thousand_waiting_requests_cost_one_rendering(monkeypatch: pytest.MonkeyPatch) -> None:
    rendered: list[hls.MediaPlaylist] = []
    real = hls.render_media

    def render(playlist: hls.MediaPlaylist) -> str:
        rendered.append(playlist)
        return real(playlist)

    monkeypatch.setattr(hls, "render_media", render)
    now, rest = up_to(MESSAGES, 4, 3)

    async def ask() -> bytes | None:
        assert await now.wait_for(V, Position(4, 3), LONG)
        return now.playlist(V, now.recalled(V, Position(4, 3)))

    waiting = [asyncio.ensure_future(ask()) for _ in range(1000)]
    await next_iteration()
    now.receive(rest[0])
    texts = await asyncio.gather(*waiting)
    assert len(rendered) == 1
    assert len({id(text) for text in texts}) == 1


async def test_a_cancelled_request_leaves_no_waiter() -> None:
    now, _ = up_to(MESSAGES, 4, 3)
    before = asyncio.all_tasks()
    waiting = [asyncio.ensure_future(now.wait_for(V, Position(4, 3), LONG)) for _ in range(100)]
    await next_iteration()
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert asyncio.all_tasks() == before
    assert set(now.tracks) == {V, "v360p", "asource"}


def test_rendered_texts_are_bounded() -> None:
    for now, message in walk(messages(Script(1800, range(0, 1800, 60)))):
        if isinstance(message, Part) and now.tracks[message.track].entries:
            for skip in (False, True):
                now.playlist(message.track, skip=skip)
                text(now, message.track, Position(message.msn, message.index), skip=skip)
    assert len(now._texts._texts) == MAX_TEXTS


def test_media_leaves_the_window_when_it_is_durable_and_old() -> None:
    for now, _ in walk(MESSAGES):
        for track in now.tracks.values():
            assert len(track.segments) <= KEPT_SEGMENTS + 1
    assert sorted(now.tracks[V].segments) == [6, 7, 8, 9, 10]


def test_media_that_is_not_durable_stays_while_its_playlist_lists_it() -> None:
    for now, _ in walk(messages(Script(900, range(0, 900, 60), window_ms=10_000, stored=False))):
        for track in now.tracks.values():
            named = {entry.msn for entry in track.entries}
            assert {msn for msn, held in track.segments.items() if held.data is not None} == named
            assert set(track.complete) >= named
            assert len(named) <= 6 and len(track.complete) <= 12


def test_a_name_that_has_left_the_window_gets_no_other_bytes() -> None:
    """A name is never reused for other bytes."""
    sent = messages(Script(900, range(0, 900, 60), window_ms=6000, stored=False))
    now = window_after(sent)
    assert now.tracks[V].entries[0].msn == 12
    for msn in range(1, 12):
        assert now.part(V, Position(msn, 0)) is None
        assert now.part(V, Position(msn, 7)) is None
        assert now.media(V, msn) is None


@pytest.mark.parametrize("position", [Position(1, 0), Position(11), Position(12, 3), Position(3, 99)])
def test_a_position_that_has_left_the_window_gets_the_current_playlist(position: Position) -> None:
    now = window_after(messages(Script(900, range(0, 900, 60), window_ms=6000)))
    assert now.tracks[V].entries[0].msn == 12
    assert now.recalled(V, position) is None
    assert text(now, V, position) == text(now, V)
    assert read(now, V, position).media_sequence == 12


def test_positions_are_recalled_after_they_are_reached_and_until_the_end() -> None:
    now, _ = up_to(MESSAGES, 4, 3)
    assert now.recalled(V, Position(4, 2)) == Position(4, 2)
    assert now.recalled(V, Position(1)) and now.recalled(V, Position(3, 99))
    assert now.recalled(V, Position(4, 3)) is None is now.recalled("v480p", Position(1))
    assert text(now, V, Position(4, 3)) == text(now, V)
    ended = window_after(messages(Script(300, range(0, 300, 60), ends=True)))
    assert ended.recalled(V, Position(3)) is None


async def test_a_growing_segment_yields_exactly_its_bytes() -> None:
    (whole,) = [segment.data for segment in segments_of(MESSAGES, V) if segment.entry.msn == 4]
    for index in range(6):
        now, rest = up_to(MESSAGES, 4, index)
        chunks: list[bytes] = []

        async def take(source: LiveWindow, into: list[bytes]) -> None:
            async for chunk in source.growing(V, 4, LONG):
                into.append(chunk)

        taking = asyncio.ensure_future(take(now, chunks))
        await next_iteration()
        assert (
            b"".join(chunks)
            == whole[
                : sum(len(part.data) for part in parts_of(MESSAGES, V) if part.msn == 4 and part.index < index)
            ]
        )
        for message in rest:
            now.receive(message)
            for _ in range(3):
                await next_iteration()
            if isinstance(message, Part) and (message.track, message.msn) == (V, 4):
                assert chunks[-1] == message.data
        await taking
        assert b"".join(chunks) == whole
        assert len(chunks) == 6


async def test_a_slow_reader_gets_all_of_a_segment_that_has_left_the_window() -> None:
    (whole,) = [segment.data for segment in segments_of(MESSAGES, V) if segment.entry.msn == 2]
    now, rest = up_to(MESSAGES, 2, 1)
    growing = now.growing(V, 2, LONG)
    got = await anext(growing)
    for message in rest:
        now.receive(message)
    assert now.media(V, 2) is None
    async for chunk in growing:
        got += chunk
    assert got == whole


async def test_a_growing_segment_that_stops_raises() -> None:
    now, _ = up_to(MESSAGES, 4, 3)
    growing = now.growing(V, 4, 0.01)
    for _ in range(3):
        await anext(growing)
    with pytest.raises(SegmentUnfinished):
        await anext(growing)


async def test_a_segment_that_becomes_a_gap_has_no_chunks() -> None:
    sent = messages(Script(600, range(0, 600, 60), unseen=range(240, 390)))
    gap = next(segment.entry.msn for segment in segments_of(sent, "v360p") if segment.entry.gap)
    place = next(i for i, m in enumerate(sent) if isinstance(m, Segment) and m.entry.gap)
    now = window_after(sent[:place])

    async def take() -> list[bytes]:
        return [chunk async for chunk in now.growing("v360p", gap, LONG)]

    taking = asyncio.ensure_future(take())
    await next_iteration()
    for message in sent[place:]:
        now.receive(message)
    assert await taking == []


async def test_with_low_latency_a_gap_is_an_empty_segment() -> None:
    sent = messages(Script(600, range(0, 600, 60), unseen=range(240, 390)))
    gap = next(segment.entry.msn for segment in segments_of(sent, "v360p") if segment.entry.gap)
    place = next(i for i, m in enumerate(sent) if isinstance(m, Segment) and m.entry.gap)
    now = window_after(sent[:place])
    early = asyncio.ensure_future(now.fetch_segment("v360p", gap, LONG))
    await next_iteration()
    for message in sent[place:]:
        now.receive(message)
    late = await now.fetch_segment("v360p", gap, LONG)
    assert await early == late == Answer(EMPTY_SEGMENT, Lifetime.IMMUTABLE)
    assert [box.kind for box in boxes(EMPTY_SEGMENT)] == ["styp"]


async def test_nothing_is_ready_before_every_track_has_media() -> None:
    now = LiveWindow(STREAM, BROADCAST)
    waiting = asyncio.ensure_future(now.wait_ready(LONG))
    for message in MESSAGES:
        assert not now.ready and now.master() is None
        await next_iteration()
        assert not waiting.done()
        now.receive(message)
        if isinstance(message, BroadcastChanged) and message.ready:
            break
    assert await waiting
    assert now.master() is not None


def test_durability_changes_no_playlist() -> None:
    now = window_after(MESSAGES)
    before = text(now, V)
    now.receive(SegmentStored(V, 10))
    now.receive(SegmentStored(V, 1000))
    assert text(now, V) == before
