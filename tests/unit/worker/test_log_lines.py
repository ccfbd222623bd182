"""Every log line of a broadcast names its stream and its broadcast."""

from structlog.testing import capture_logs

from ingest.interface import EndReason
from storage.interface import StoreUnavailable
from tests.lab.waiting import run_until_idle
from tests.unit.worker.fakes import FakeChildren, FakeClock, RecordingSink
from tests.unit.worker.stage import BROADCAST, STREAM, ChannelStage, send
from tests.unit.worker.test_transcoding import VIDEO_JOB
from transcoder.errors import WorkerUnavailable
from worker.transcoding import Transcoding

CONTEXT = {"stream": STREAM, "broadcast": BROADCAST}


async def test_the_lines_of_a_channel_its_recorder_uploads_and_claim() -> None:
    with capture_logs() as lines:
        stage = await ChannelStage.start(reconnect_window=0)
        link = stage.attach()
        assert link.session is not None
        stage.store.failing = StoreUnavailable("the store is down")
        await send(link.session, 5)
        await stage.cluster.close()
        link.session.on_end(EndReason.UNPUBLISHED, "the publisher stopped")
        await stage.clock.advance(60)
        await stage.channel.give_up()
        await stage.channel.closed()
    events = {line["event"] for line in lines}
    assert events >= {
        "publisher connected",
        "uploads fail",
        "publisher gone",
        "the store has not taken the complete broadcast; the next start uploads what is in the spool",
        "a broadcast was not recorded in the catalogue",
        "a claim could not be released",
        "broadcast ended",
    }
    assert [line for line in lines if not line.items() >= CONTEXT.items()] == []


async def test_the_lines_of_its_transcoding() -> None:
    children, clock = FakeChildren(), FakeClock()
    transcoding = Transcoding(RecordingSink(), clock=clock.monotonic, context=CONTEXT, start=children.start)
    children.error = WorkerUnavailable("no memory for a process")
    with capture_logs() as lines:
        transcoding.begin(VIDEO_JOB)
        transcoding.cut(0, key=True)
        await run_until_idle()
        await transcoding.finish(1)
    assert [line["event"] for line in lines] == ["transcoder died"]
    assert lines[0].items() >= CONTEXT.items()
