"""The generator: the same seed gives the same publisher, and what its framing carries is what was bent."""

from itertools import pairwise

import pytest

from ingest.rtmp.aggregate import split_aggregate
from ingest.rtmp.limits import Limits
from ingest.rtmp.message import MEDIA_TYPES, MessageType
from tests.lab.fragments import ReadFragment, ReadSample
from tests.torture import footage, strip
from tests.torture.bends import framing, leaving, metadata, order, timestamps, units
from tests.torture.oracle import Still, counts_of_losses, judge_track, without_stills
from tests.torture.recording import Segment, Track
from tests.torture.script import Ending, Message
from tests.torture.seed import Clips, make_case
from tests.torture.wire import writings
from tests.unit.ingest.wire import read_messages

SEEDS = range(120)
# Also the metadata that the server refuses.
LIMITS = Limits(max_command_size=1 << 20)


def test_a_seed_always_gives_the_same_publisher(clips: Clips) -> None:
    for seed in SEEDS:
        case = make_case(seed, clips)
        assert case == make_case(seed, clips)
        assert len(case.names) == len(case.texts) >= 1


def test_every_bend_occurs_and_has_a_description(clips: Clips) -> None:
    families = (timestamps, order, framing, metadata, units, leaving)
    bends = [bend for family in families for bend in family.BENDS]
    assert all(bend.__doc__ for bend in bends)
    names = {name for seed in range(2000) for name in make_case(seed, clips).names}
    assert names == {bend.__name__ for bend in bends} | {"other_size", "other_rate"}


def test_the_framing_carries_the_messages(clips: Clips) -> None:
    for seed in SEEDS:
        script = make_case(seed, clips).script
        for session in script.all_sessions():
            if session.ending is Ending.CUT:
                continue
            data = b"".join(writing.data for writing in writings(session, script.framing))
            read = read_messages(data, limits=LIMITS)
            parts = [
                part
                for message in read
                for part in (split_aggregate(message) if message.type_id == MessageType.AGGREGATE else (message,))
            ]
            carried = sorted(
                (part.type_id, part.timestamp, part.payload) for part in parts if part.type_id in MEDIA_TYPES
            )
            sent = sorted(
                (message.type_id, message.timestamp % (1 << 32), message.data)
                for message in session.messages
                if not message.is_metadata
            )
            assert carried == sent, seed


def test_messages_are_sent_in_the_order_of_their_times(clips: Clips) -> None:
    for seed in SEEDS:
        for session in make_case(seed, clips).script.all_sessions():
            assert all(before.at <= after.at for before, after in pairwise(session.messages)), seed


@pytest.mark.parametrize("number", [0, 1, 399, 4095])
def test_a_picture_shows_its_number(number: int) -> None:
    drawn = strip.draw(number)
    assert strip.read(memoryview(drawn), strip.WIDTH) == number
    assert strip.read(memoryview(bytes(len(drawn))), strip.WIDTH) is None


@pytest.mark.parametrize("width", [strip.WIDTH, 170, 128])
def test_a_scaled_picture_shows_its_number(width: int) -> None:
    height = 144 * width // strip.WIDTH
    drawn = strip.draw(1234) + bytes(strip.WIDTH * (144 - strip.HEIGHT))
    scaled = bytes(
        drawn[y * 144 // height * strip.WIDTH + x * strip.WIDTH // width]
        for y in range(height)
        for x in range(width)
    )
    assert strip.read(memoryview(scaled), width, width) == 1234


def test_one_case_in_ten_has_an_encoded_rendition(clips: Clips) -> None:
    assert [make_case(seed, clips).ladder != "source" for seed in range(20)].count(True) == 2


@pytest.mark.parametrize(
    ("numbers", "moving", "stills"),
    [
        ([0, 1, 2], [0, 1, 2], []),
        ([0, 1, 0, 0, 2, 3], [0, 1, 2, 3], [Still(0, 2)]),
        ([0, 1, 0, 0, None, 25], [0, 1, None, 25], [Still(0, 25)]),
        ([0, 25, 26, 25], [0, 25, 26], [Still(25)]),
        # An older keyframe is no still picture.
        ([0, 25, 26, 0], [0, 25, 26, 0], []),
    ],
)
def test_the_oracle_knows_still_pictures(
    numbers: list[int | None], moving: list[int | None], stills: list[Still]
) -> None:
    assert without_stills(numbers, {0, 25}) == (moving, stills)


def test_the_oracle_counts_each_loss_of_sound() -> None:
    missing = set(range(68, 101)) | set(range(129, 250))
    assert list(counts_of_losses(missing)) == [33, 121]
    assert list(counts_of_losses(set(range(0, 300, 2)))) == [150]


def test_a_clip_numbers_its_pictures_in_the_order_of_presentation(clips: Clips) -> None:
    messages = [message for message in clips[footage.B_FRAMES] if message.picture is not None]
    shown = sorted(messages, key=presented)
    assert [message.picture for message in shown] == list(range(footage.PICTURES))
    assert [message.picture for message in messages] != list(range(footage.PICTURES))


def presented(message: Message) -> int:
    return message.timestamp + int.from_bytes(message.data[2:5], "big", signed=True)


def segment(msn: int, start: int, *, extinf_s: float = 2.0, discontinuity: bool = False) -> Segment:
    """A segment of two seconds at ``start`` (90 kHz)."""
    samples = [ReadSample(start + number * 3600, 3600, 0, 0, b"") for number in range(50)]
    return Segment(msn, extinf_s, discontinuity, "init-0.mp4", 90_000, [ReadFragment(1, 1, start, samples)])


@pytest.mark.parametrize(
    ("segments", "failure"),
    [
        ([segment(1, 0), segment(2, 180_000)], None),
        ([segment(1, 0), segment(2, 270_000, discontinuity=True)], None),
        ([segment(1, 0), segment(2, 270_000)], "without a discontinuity"),
        ([segment(1, 0), segment(2, 170_000)], "before the last one ends"),
        ([segment(1, 0, extinf_s=1.9)], "EXTINF"),
        ([segment(1, 0, extinf_s=2.6)], "target duration"),
    ],
)
def test_the_oracle_compares_playlist_and_media(
    segments: list[Segment], failure: str | None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    track = Track(tmp_path_factory.getbasetemp() / "vsource", True, 2, True, segments)
    failures = list(judge_track(track))
    assert bool(failures) == (failure is not None)
    assert failure is None or failure in failures[0] or failure in failures[-1]
