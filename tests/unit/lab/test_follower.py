from tests.lab.viewers.follower import Follower
from tests.lab.viewers.playlist import MediaPlaylist, Position, parse_media
from tests.unit.lab.fake_origin import BASE, PARTS, FakeOrigin

PATH = f"{BASE}/v720p/media.m3u8"
OTHER = f"{BASE}/v360p/media.m3u8"


def at(made: int, *, skip: bool = False, origin: FakeOrigin | None = None, path: str = PATH) -> MediaPlaylist:
    origin = origin or FakeOrigin()
    for edge in origin.edges.values():
        edge.made = made
    return parse_media(origin.playlist(path.split("/")[-2], skip=skip), path)


def name(path: str | None) -> str | None:
    return path and path.rpartition("/")[2]


def drained(follower: Follower) -> list[str | None]:
    found = []
    while (part := follower.next_part()) is not None:
        found.append(name(part))
    return found


def test_it_starts_at_an_independent_part_before_the_hold_back() -> None:
    follower = Follower(PATH)
    assert follower.reload_path(0) == PATH
    follower.take(at(2 * PARTS + 2), 0)
    # Three parts from the end is 11.5, which is not independent.
    assert drained(follower) == [*(f"11.{part}.m4s" for part in range(PARTS)), "12.0.m4s", "12.1.m4s", "12.2.m4s"]


def test_it_requests_the_next_part_with_a_delta_update_while_its_playlist_is_recent() -> None:
    follower = Follower(PATH)
    follower.take(at(2 * PARTS + 2), 0)
    assert follower.reload_path(6_000_000) == f"{PATH}?_HLS_msn=12&_HLS_part=2&_HLS_skip=YES"
    assert follower.reload_path(6_000_001) == f"{PATH}?_HLS_msn=12&_HLS_part=2"


def test_after_a_whole_segment_it_requests_the_first_part_of_the_next() -> None:
    follower = Follower(PATH)
    follower.take(at(2 * PARTS), 0)
    assert follower.reload_path(0).startswith(f"{PATH}?_HLS_msn=12&_HLS_part=0")


def test_a_hinted_part_is_requested_once() -> None:
    follower = Follower(PATH)
    follower.take(at(2 * PARTS), 0)
    assert drained(follower)[-1] == "12.0.m4s"
    assert [name(part.path) for part in follower.take(at(2 * PARTS + 1, skip=True), 1)] == ["12.0.m4s"]
    assert drained(follower) == ["12.1.m4s"]
    assert follower.misled == 0
    assert name(follower.map_path) == "init-0.mp4"


def test_a_hint_without_a_part_is_counted() -> None:
    origin = FakeOrigin()
    origin.hints[12, 0] = "11.6.m4s"
    follower = Follower(PATH)
    follower.take(at(2 * PARTS, origin=origin), 0)
    assert drained(follower)[-1] == "11.6.m4s"
    follower.take(at(2 * PARTS + 1, origin=origin), 1)
    assert drained(follower) == ["12.0.m4s", "12.1.m4s"]
    assert follower.misled == 1


def test_an_older_playlist_changes_nothing() -> None:
    follower = Follower(PATH)
    follower.take(at(2 * PARTS + 2), 0)
    drained(follower)
    assert follower.take(at(2 * PARTS + 1), 1) == []
    assert follower.reload_path(1).startswith(f"{PATH}?_HLS_msn=12&_HLS_part=2")


def test_another_rendition_continues_from_the_playback_position() -> None:
    before = Follower(OTHER)
    before.take(at(2 * PARTS + 2, path=OTHER), 0)
    follower = Follower(PATH, expected=before.report_on(PATH), resume=before.reached)
    assert follower.reload_path(0) == f"{PATH}?_HLS_msn=12&_HLS_part=1"
    assert before.reached == Position(12, 2)
    follower.take(at(2 * PARTS + 2), 0)
    assert drained(follower) == ["12.0.m4s", "12.1.m4s", "12.2.m4s"]


def test_it_has_ended_after_the_last_part() -> None:
    origin = FakeOrigin()
    origin.ended = True
    follower = Follower(PATH)
    follower.take(at(2 * PARTS, origin=origin), 0)
    assert not follower.ended
    drained(follower)
    assert follower.ended
