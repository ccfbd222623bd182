"""The strict client's rules find what they must find, and accept what is right."""

import time
from dataclasses import replace

import pytest

from packager.hls import MediaPlaylist, MediaSegment, OpenSegment, PartialSegment, PreloadHint, ServerControl
from tests.chaos.census import Census, leaks
from tests.chaos.downtime import Downtime
from tests.chaos.viewer import Rules

PART_US = 500_000


def segment(
    msn: int, *, discontinuity: bool = False, gap: bool = False, duration_us: int = 2 * PART_US
) -> MediaSegment:
    parts = tuple(PartialSegment(f"{msn}.{place}.m4s", PART_US) for place in range(2))
    return MediaSegment(f"{msn}.m4s", duration_us, "init-1.mp4", discontinuity, gap=gap, parts=() if gap else parts)


FIRST = MediaPlaylist(
    target_duration=1,
    media_sequence=1,
    segments=(segment(1), segment(2, discontinuity=True)),
    server_control=ServerControl(can_block_reload=True),
    part_target_us=PART_US,
    partial=OpenSegment((PartialSegment("3.0.m4s", PART_US),)),
    preload_hint=PreloadHint("3.1.m4s"),
)
NEXT = replace(FIRST, segments=(*FIRST.segments, segment(3)), partial=None, preload_hint=PreloadHint("4.0.m4s"))
LATER = replace(NEXT, media_sequence=3, segments=(NEXT.segments[2], segment(4)), discontinuity_sequence=1)


def found(*playlists: MediaPlaylist, downtime: Downtime | None = None) -> list[str]:
    rules = Rules()
    return [
        text for playlist in playlists for text in rules.take(playlist, time.monotonic(), downtime or Downtime())
    ]


def test_a_playlist_that_only_grows_is_right() -> None:
    assert found(FIRST, NEXT, LATER) == []


@pytest.mark.parametrize(
    ("after", "text"),
    [
        (replace(NEXT, target_duration=2), "changed its target duration"),
        (replace(NEXT, part_target_us=PART_US + 100), "changed its part target"),
        (replace(FIRST, media_sequence=0), "media sequence number 0 after 1"),
        (replace(NEXT, segments=FIRST.segments[:1]), "lost segments"),
        (replace(NEXT, segments=(segment(1), segment(2), segment(3))), "changed segment 2"),
        (replace(NEXT, segments=(segment(1, gap=True), *NEXT.segments[1:])), "segment 1 changed: gap"),
        (replace(NEXT, segments=(*FIRST.segments, segment(3, duration_us=900_000))), "the parts of segment 3 last"),
        (replace(LATER, discontinuity_sequence=0), "discontinuity sequence number 0, not 1"),
        (replace(NEXT, preload_hint=None), "no preload hint"),
        (replace(NEXT, server_control=None), "cannot be reloaded by blocking"),
    ],
)
def test_what_breaks_a_rule_is_found(after: MediaPlaylist, text: str) -> None:
    before = [FIRST, NEXT] if after.media_sequence == 3 else [FIRST]
    assert any(text in failure for failure in found(*before, after))


def test_a_segment_that_was_made_at_a_kill_may_become_a_gap() -> None:
    rules, downtime = Rules(), Downtime()
    assert list(rules.take(FIRST, time.monotonic(), downtime)) == []
    downtime.begin()
    downtime.end()
    gap = replace(NEXT, segments=(*FIRST.segments, segment(3, gap=True)))
    assert list(rules.take(gap, time.monotonic(), downtime)) == []


def test_a_server_that_holds_more_than_before_leaks() -> None:
    early = Census(memory=100 << 20, descriptors=40, threads=10, children=1, series=200)
    assert list(leaks(early, early)) == []
    late = replace(early, descriptors=60, children=2)
    assert list(leaks(early, late)) == ["descriptors grew from 40 to 60", "children grew from 1 to 2"]
