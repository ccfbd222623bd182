"""One broadcast or a whole station, on a bus, a cluster and a store in memory, with a manual clock."""

from cluster.claims import Claim
from cluster.errors import NoOwner
from cluster.interface import Cluster
from cluster.memory import MemoryState
from cluster.questions import StatusQuery
from ingest.interface import PublishRequest
from live.bus import Bus
from live.status import StreamStatus
from media.units import VIDEO_TIMESCALE as S
from packager.cmaf.cutter import CutterOptions
from storage.catalogue import Catalogue
from telemetry.metrics import Metrics
from tests.lab.memory_store import MemoryStore
from tests.lab.waiting import run_until_idle
from tests.unit.cluster.joining import node
from tests.unit.packager.recording import ZERO_MS, frames, video_config
from tests.unit.worker.fakes import FakeClock, FakeLink
from transcoder.client import Thumbnailer
from transcoder.options import TranscodeOptions
from worker.broadcast import Broadcast
from worker.broadcast_options import BroadcastOptions
from worker.channel import Channel
from worker.claim_keeper import ClaimKeeper, claim_stream
from worker.publisher_session import PublisherSession
from worker.recorder import Recorder, RecorderOptions
from worker.station import Station
from worker.thumbnail_cache import ThumbnailCache

STREAM, BROADCAST = "studio", "20261121t104105z-abc123"
PREFIX = f"live/{STREAM}/{BROADCAST}"
CATALOGUE = f"catalogue/broadcasts/{STREAM}/{BROADCAST}.json"
WINDOW_S = 30.0
NEVER_CAME_BACK = "the publisher did not come back"


def request(key: str = "", software: str | None = "OBS") -> PublishRequest:
    return PublishRequest("live", key, "203.0.113.7:50114", software)


def passthrough(*, free_cuts: bool = False) -> BroadcastOptions:
    return BroadcastOptions(
        CutterOptions(free_cuts=free_cuts),
        S // 3,
        low_latency=True,
        ladder="source",
        transcode=TranscodeOptions(),
    )


async def send(session: PublisherSession, seconds: int, *, start_s: int = 0, gop: int = 60) -> None:
    """Send video at 30 frames a second with a keyframe every ``gop`` frames, without audio."""
    if start_s == 0:
        session.on_metadata({"videocodecid": 7.0})
        session.on_video_config(video_config())
    for unit in frames(seconds * 30, start=start_s * S, gop=gop):
        session.on_unit(unit)
    await run_until_idle()


async def status_of(cluster: Cluster, stream: str = STREAM) -> StreamStatus | None:
    """The status that another node receives; None without an owner."""
    try:
        return await cluster.ask_owner(stream, StatusQuery(), timeout=5)
    except NoOwner:
        return None


class ChannelStage:
    """A channel that has no publisher yet."""

    def __init__(self, *, reconnect_window: float = WINDOW_S, store_timeout: float = 1.0) -> None:
        self.clock = FakeClock()
        self.bus = Bus()
        self.cluster_state = MemoryState()
        self.cluster = self.cluster_state.join(node("a"))
        self.store = MemoryStore()
        self.catalogue = Catalogue(self.store)
        self.closed: list[Channel] = []
        metrics = Metrics().of_stream(STREAM)
        options = RecorderOptions()
        recorder = Recorder(
            options.new_ledger(STREAM, BROADCAST, ZERO_MS),
            bus=self.bus,
            store=self.store,
            observer=metrics,
            clock=self.clock.unix,
            options=options,
        )
        thumbnails = ThumbnailCache(Thumbnailer(), self.clock.monotonic)
        broadcast = Broadcast(
            recorder,
            passthrough(),
            clock=self.clock.monotonic,
            unix_ns=self.clock.unix_ns,
            on_keyframe=thumbnails.on_keyframe,
        )
        self.channel = Channel(
            broadcast,
            recorder,
            bus=self.bus,
            catalogue=self.catalogue,
            metrics=metrics,
            thumbnails=thumbnails,
            reconnect_window=reconnect_window,
            store_timeout=store_timeout,
            on_closed=self.closed.append,
            clock=self.clock,
        )

    @classmethod
    async def start(cls, *, reconnect_window: float = WINDOW_S, store_timeout: float = 1.0) -> "ChannelStage":
        """A channel that has claimed its stream."""
        stage = cls(reconnect_window=reconnect_window, store_timeout=store_timeout)
        claim = await claim_stream(stage.cluster, STREAM, BROADCAST, stage.channel)
        stage.channel.start(ClaimKeeper(stage.cluster, claim, on_lost=stage.channel.on_claim_lost))
        return stage

    def attach(self, link: FakeLink | None = None, software: str | None = "OBS") -> FakeLink:
        link = link or FakeLink()
        link.session = self.channel.attach(request(software=software), link)
        return link

    async def attach_and_send(self, seconds: int) -> FakeLink:
        link = self.attach()
        assert link.session is not None
        await send(link.session, seconds)
        return link

    async def status(self) -> StreamStatus | None:
        return await status_of(self.cluster)

    async def claim(self) -> Claim | None:
        await run_until_idle()
        return await self.cluster.owner_of(STREAM)

    async def end(self, reason: str = "over") -> None:
        self.channel.close(reason)
        await self.channel.closed()


class StationStage:
    """A station whose streams pass the source through."""

    def __init__(self, *, free_cuts: bool = False, cluster: Cluster | None = None) -> None:
        self.clock = FakeClock()
        self.bus = Bus()
        self.cluster = cluster or MemoryState().join(node("a"))
        self.store = MemoryStore()
        self.catalogue = Catalogue(self.store)
        self.station = Station(
            bus=self.bus,
            cluster=self.cluster,
            store=self.store,
            catalogue=self.catalogue,
            thumbnailer=Thumbnailer(),
            metrics=Metrics(),
            recorder_options=RecorderOptions(),
            broadcast_options=lambda record: passthrough(free_cuts=free_cuts),
            reconnect_window=WINDOW_S,
            store_timeout=1.0,
            clock=self.clock,
        )

    async def create(self, stream: str = STREAM) -> str:
        """Create a stream; returns its key."""
        _, key = await self.catalogue.create_stream(stream, now=self.clock.unix())
        return key

    async def publish(self, key: str) -> FakeLink:
        link = FakeLink()
        link.session = await self.station.authorize(request(key), link)
        return link

    async def broadcast(self, stream: str = STREAM) -> str | None:
        """The id of the live broadcast; None if there is no owner."""
        status = await status_of(self.cluster, stream)
        return None if status is None else status.broadcast
