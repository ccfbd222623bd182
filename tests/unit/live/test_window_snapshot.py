"""A window that joins a broadcast at any message gives the same answers as the first window, or no answer."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from live.errors import WindowGap
from live.messages import BroadcastChanged, LiveMessage
from live.window import LiveWindow
from live.window_snapshot import TrackSnapshot, WindowSnapshot
from live.window_track import Position
from packager.cmaf.segment_writer import Init, Part, Segment
from packager.facts import LowLatency
from tests.unit.live.scripted import BROADCAST, FRAME, STREAM, Script, messages, window_after
from tests.unit.packager.recording import ZERO_MS

TRACKS = ("vsource", "v360p", "asource")
# Parts of a second; the window slides; the broadcaster leaves twice and returns once with other parameters; the
# second rendition has a hole.
MESSAGES = messages(
    Script(
        510,
        range(0, 510, 60),
        breaks={180, 360},
        changes={360},
        unseen=range(180, 330),
        part_target=30 * FRAME,
        low_latency=LowLatency(1_000_000),
        window_ms=6000,
        ends=True,
    )
)
MEDIA = {
    **{(m.track, f"{m.msn}.{m.index}"): m.data for m in MESSAGES if isinstance(m, Part)},
    **{(m.track, f"{m.entry.msn}"): m.data for m in MESSAGES if isinstance(m, Segment) and not m.entry.gap},
    **{(m.track, f"init-{m.number}"): m.data for m in MESSAGES if isinstance(m, Init)},
}
POSITIONS = {
    track: sorted(
        {Position(m.msn, m.index) for m in MESSAGES if isinstance(m, Part) and m.track == track}
        | {Position(m.entry.msn) for m in MESSAGES if isinstance(m, Segment) and m.track == track},
        key=lambda position: (position.msn, -1 if position.part is None else position.part),
    )
    for track in TRACKS
}
REPORT = re.compile(rb"#EXT-X-RENDITION-REPORT:.*\n")
Name = tuple[object, ...] | str
Answers = dict[Name, bytes | None]


def now_ms(place: int) -> int:
    return ZERO_MS + 100 * place


def media_of(window: LiveWindow) -> Answers:
    answers: Answers = {}
    for track, name in MEDIA:
        if name.startswith("init-"):
            answers[track, name] = window.init(track, int(name.removeprefix("init-")))
        elif "." in name:
            msn, part = name.split(".")
            answers[track, name] = window.part(track, Position(int(msn), int(part)))
        else:
            answers[track, name] = window.media(track, int(name))
    return answers


def playlists_of(window: LiveWindow) -> Answers:
    """Each media playlist now and at every position, whole and as a delta update, and which of them last."""
    answers: Answers = {}
    for track in TRACKS:
        for skip in (False, True):
            answers[track, "now", skip] = window.playlist(track, skip=skip)
            for position in POSITIONS[track]:
                if window.recalled(track, position) == position:
                    answers[track, position, skip] = window.playlist(track, position, skip=skip)
    return answers


def manifests_of(window: LiveWindow, place: int) -> Answers:
    return {
        "master": window.master(),
        "prefixed": window.master(prefix=f"{BROADCAST}/"),
        "mpd": window.manifest(now_ms=now_ms(place)),
        "based": window.manifest(base_url=f"{BROADCAST}/", now_ms=now_ms(place)),
    }


def all_answers(window: LiveWindow, place: int) -> Answers:
    return media_of(window) | playlists_of(window) | manifests_of(window, place)


def first_window() -> Iterator[tuple[int, LiveWindow]]:
    window = LiveWindow(STREAM, BROADCAST)
    for place, message in enumerate(MESSAGES):
        window.receive(message)
        yield place, window


# What the first window answers after each message, and its snapshot then.
EXPECTED: list[Answers] = []
SNAPSHOTS: list[WindowSnapshot] = []
for _place, _window in first_window():
    EXPECTED.append(all_answers(_window, _place))
    _snapshot = _window.snapshot()
    assert _snapshot is not None
    SNAPSHOTS.append(_snapshot)


def test_the_broadcast_covers_all_kinds_of_messages() -> None:
    segments = [message for message in MESSAGES if isinstance(message, Segment)]
    assert {init.number for init in MESSAGES if isinstance(init, Init)} == {0, 1}
    assert {init.track for init in MESSAGES if isinstance(init, Init) and init.number} == set(TRACKS)
    assert any(segment.entry.gap for segment in segments)
    assert sum(segment.entry.discontinuity for segment in segments if segment.track == "vsource") == 2
    last = MESSAGES[-1]
    assert isinstance(last, BroadcastChanged) and last.facts.ended
    assert SNAPSHOTS[-1].tracks[0].complete[-1].first > 1
    held = [name for name, answer in EXPECTED[-20].items() if answer is not None]
    assert len(held) > 100


def test_a_window_that_joins_after_any_message_answers_like_the_first() -> None:
    for joined, snapshot in enumerate(SNAPSHOTS):
        window = LiveWindow.from_snapshot(snapshot)
        assert all_answers(window, joined) == EXPECTED[joined]
        for place in range(joined + 1, len(MESSAGES)):
            message = MESSAGES[place]
            window.receive(message)
            if joined % 4 == 0 and isinstance(message, Segment | BroadcastChanged):
                for name, answer in manifests_of(window, place).items():
                    assert answer == EXPECTED[place][name], (joined, place, name)
            if isinstance(message, Part | Segment):
                track = message.track
                assert window.playlist(track) == EXPECTED[place][track, "now", False], (joined, place)
        assert media_of(window).items() <= EXPECTED[-1].items()


def test_a_window_recalls_the_positions_that_the_first_one_recalls() -> None:
    """Including positions that it reached after it joined and that were not requested before."""
    for joined in range(0, len(MESSAGES), 7):
        window = LiveWindow.from_snapshot(SNAPSHOTS[joined])
        for place in range(joined + 1, len(MESSAGES)):
            window.receive(MESSAGES[place])
            if place % 12 == 0:
                assert playlists_of(window).items() <= EXPECTED[place].items()


def test_a_position_has_one_playlist_whenever_it_is_requested() -> None:
    """Its rendition reports and its first segment too, although the window slides."""
    texts: Answers = {}
    for expected in EXPECTED:
        for name, answer in expected.items():
            if isinstance(name, tuple) and isinstance(name[1], Position):
                assert texts.setdefault(name, answer) == answer
    late = window_after(MESSAGES[:-1])
    found = {name: answer for name, answer in playlists_of(late).items() if isinstance(name[1], Position)}
    assert len(found) > 20 and found.items() <= texts.items()


def test_a_snapshot_shares_the_medias_bytes() -> None:
    window = window_after(MESSAGES[:60])
    snapshot = window.snapshot()
    assert snapshot is not None
    other = LiveWindow.from_snapshot(snapshot)
    mine, theirs = media_of(window), media_of(other)
    for name in (name for name in MEDIA if "." not in name[1]):
        assert theirs[name] is mine[name]
    assert any(mine.values())


def without_old_media(snapshot: WindowSnapshot) -> WindowSnapshot:
    """With the media of the newest two complete segments and of the open one only."""

    def trimmed(track: TrackSnapshot) -> TrackSnapshot:
        newest = [known.entry.msn for known in track.complete[-2:]]
        kept = (
            held for held in track.segments if held.data is None or not held.stored or held.opened.msn in newest
        )
        return replace(track, segments=tuple(kept))

    return replace(snapshot, tracks=tuple(map(trimmed, snapshot.tracks)))


def test_media_that_a_snapshot_lacks_is_absent_and_nothing_else_differs() -> None:
    absent = 0
    for joined, snapshot in enumerate(SNAPSHOTS):
        window = LiveWindow.from_snapshot(without_old_media(snapshot))
        for name, answer in all_answers(window, joined).items():
            if answer is None and name in MEDIA:
                absent += EXPECTED[joined][name] is not None
            else:
                assert answer == EXPECTED[joined][name], (joined, name)
    assert absent > 50


def test_a_window_that_missed_the_beginning_refuses_to_answer() -> None:
    for joined in range(1, len(MESSAGES)):
        with pytest.raises(WindowGap):
            window_after(MESSAGES[joined:])


def test_each_missing_message_is_noticed_when_the_next_one_of_its_track_arrives() -> None:
    noticed = 0
    for place, message in enumerate(MESSAGES):
        if not isinstance(message, Init | Part | Segment):
            continue
        window = window_after(MESSAGES[:place])
        rest = MESSAGES[place + 1 :]
        if any(isinstance(other, Init | Part | Segment) and other.track == message.track for other in rest):
            with pytest.raises(WindowGap):
                receive_all_of(message.track, window, rest)
            noticed += 1
    assert noticed > 60


def receive_all_of(track: str, window: LiveWindow, sent: Sequence[LiveMessage]) -> None:
    """Up to the first that the window would otherwise have used wrongly."""
    for message in sent:
        window.receive(message)
        assert not isinstance(message, Part | Segment) or message.track != track


def test_repeated_messages_change_nothing() -> None:
    window = LiveWindow(STREAM, BROADCAST)
    for place, message in enumerate(MESSAGES):
        window.receive(message)
        for repeated in MESSAGES[max(0, place - 30) : place + 1]:
            if not isinstance(repeated, BroadcastChanged) or repeated is message:
                window.receive(repeated)
        assert manifests_of(window, place).items() <= EXPECTED[place].items()
        if place % 10 == 0:
            assert all_answers(window, place) == EXPECTED[place]


def stripped(text: bytes | None) -> bytes | None:
    return REPORT.sub(b"", text) if text is not None else None


@settings(max_examples=60)
@given(
    dropped=st.lists(st.tuples(st.integers(0, len(MESSAGES) - 1), st.integers(1, 6)), max_size=4),
    repeated=st.dictionaries(st.integers(0, len(MESSAGES) - 1), st.integers(0, 40), max_size=6),
    recovers=st.booleans(),
)
def test_lost_and_repeated_messages_never_lead_to_a_wrong_answer(
    dropped: Sequence[tuple[int, int]], repeated: Mapping[int, int], recovers: bool
) -> None:
    """A window that misses a message falls behind until it notices; it never makes anything up."""
    lost = {place for start, count in dropped for place in range(start, start + count)}
    window: LiveWindow | None = LiveWindow(STREAM, BROADCAST)
    # Nothing follows the end that would show that a track's whole last segment is missing.
    for place, message in enumerate(MESSAGES[:-1]):
        if window is None:
            return
        try:
            if place not in lost:
                window.receive(message)
            back = MESSAGES[place - repeated[place]] if 0 < repeated.get(place, 0) <= place else message
            if place in repeated and place not in lost and not isinstance(back, BroadcastChanged):
                window.receive(back)
        except WindowGap:
            window = LiveWindow.from_snapshot(SNAPSHOTS[place]) if recovers else None
            continue
        if place % 25 == 24 or place == len(MESSAGES) - 2:
            check(window)


# Every playlist of the broadcast without rendition reports, which may be behind until a loss is noticed.
PLAYLISTS: dict[Name, set[bytes | None]] = defaultdict(set)
for _expected in EXPECTED:
    for _name, _answer in _expected.items():
        PLAYLISTS[_name].add(stripped(_answer))


def check(window: LiveWindow) -> None:
    held = media_of(window)
    for medium, data in MEDIA.items():
        assert held[medium] in (None, data)
    for name, answer in playlists_of(window).items():
        assert answer is None or stripped(answer) in PLAYLISTS[name], name
    assert window.master() in PLAYLISTS["master"]


def test_an_end_before_the_last_segment_is_complete_is_a_gap() -> None:
    last = next(place for place in range(len(MESSAGES) - 1, 0, -1) if isinstance(MESSAGES[place], Segment))
    with pytest.raises(WindowGap):
        window_after([*MESSAGES[:last], *MESSAGES[last + 1 :]])
