"""Impossible timestamps of a publisher, from its messages to the segments: the timeline goes on, as documented."""

from itertools import pairwise

import pytest

from ingest.feed import MediaFeed
from ingest.interface import EndReason
from tests.unit.ingest.samples import AAC_FRAME, aac_header, avc_header, inter_frame, key_frame
from tests.unit.worker.fakes import FakeLink
from tests.unit.worker.stage import request
from tests.unit.worker.test_broadcast import Bench, entries
from worker.publisher_session import PublisherSession

HOUR_MS = 3_600_000


def ignore(session: PublisherSession, reason: EndReason, text: str) -> None:
    pass


@pytest.mark.parametrize("jump_ms", [11_000, HOUR_MS, -1500, -3000])
@pytest.mark.parametrize("jump_at_s", [5, 6])
async def test_a_jump_is_no_discontinuity_and_the_media_follows_directly(jump_ms: int, jump_at_s: int) -> None:
    """The jump is within a segment, or at the first frame of one."""
    bench = Bench()
    session = PublisherSession(bench.broadcast, request(), FakeLink(), since=0.0, on_ended=ignore)
    feed = MediaFeed(session)
    feed.video.take(HOUR_MS, avc_header())
    feed.audio.take(HOUR_MS, aac_header())
    sounds = 0
    for number in range(30 * 12):
        at_ms = HOUR_MS + number * 1000 // 30 + (jump_ms if number >= 30 * jump_at_s else 0)
        feed.video.take(at_ms, key_frame() if number % 60 == 0 else inter_frame())
        while sounds * 1024 / 48_000 <= number / 30:
            later = jump_ms if sounds * 1024 / 48_000 >= jump_at_s else 0
            feed.audio.take(HOUR_MS + sounds * 1024 // 48 + later, AAC_FRAME)
            sounds += 1
    feed.close()
    await bench.finish()
    for track in ("vsource", "asource"):
        listed = entries(bench, track)
        assert not any(broken or gap for _, _, broken, gap in listed)
        assert listed[0][0] == pytest.approx(0, abs=0.05)
        assert listed[-1][1] == pytest.approx(12, abs=0.15)
        assert all(one[1] == other[0] for one, other in pairwise(listed))
    assert bench.broadcast.dropped.get("timestamp-jump") == 1
