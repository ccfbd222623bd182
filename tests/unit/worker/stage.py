"""One broadcast or a whole station, on a bus, a cluster and a store in memory, with a manual clock."""

from cluster.claims import Claim
from cluster.errors import NoOwner
from cluster.interface import Cluster
from cluster.memory import MemoryState
from cluster.questions import StatusQuery
from ingest.interface import PublishRequest
from live.bus import Bus
from live.status import StreamStatus
from live.topics import BroadcastRef
from media.roles import Role
from media.slate import SlateMode
from media.units import VIDEO_TIMESCALE as S
from packager.cmaf.cutter import CutterOptions
from storage.catalogue import Catalogue
from storage.journals import Journals
from telemetry.metrics import Metrics
from tests.lab.memory_store import MemoryStore
from tests.lab.waiting import run_until_idle
from tests.unit.cluster.joining import node
from tests.unit.packager.recording import ZERO_MS, frames, video_config
from tests.unit.worker.fakes import FakeChildren, FakeClock, FakeLink
from transcoder.client import Thumbnailer
from transcoder.options import TranscodeOptions
from worker.broadcast import Broadcast
from worker.broadcast_options import BroadcastOptions
from worker.channel import Channel
from worker.claim_keeper import ClaimKeeper, claim_stream
from worker.event_log import EventLog
from worker.lost_segments import LostSegments
from worker.publish_hook import PublishHook
from worker.publisher_options import PublisherOptions
from worker.publisher_session import PublisherSession
from worker.recorder import Recorder, RecorderOptions
from worker.slate_pictures import SlateEncoder
from worker.station import Station
from worker.thumbnail_cache import ThumbnailCache

STREAM, BROADCAST = "studio", "20261121t104105z-abc123"
ADDRESS = "203.0.113.7:50114"
PREFIX = f"live/{STREAM}/{BROADCAST}"
CATALOGUE = f"catalogue/broadcasts/{STREAM}/{BROADCAST}.json"
EVENTS = f"catalogue/events/{STREAM}/{BROADCAST}.json"
WINDOW_S = 30.0
NEVER_CAME_BACK = "the publisher did not come back"


def request(key: str = "", software: str | None = "OBS", address: str = ADDRESS) -> PublishRequest:
    return PublishRequest("live", key, address, software)


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

    def __init__(self, *, reconnect_window: float = WINDOW_S, slate: SlateMode = SlateMode.OFF) -> None:
        self.clock = FakeClock()
        self.bus = Bus()
        self.cluster_state = MemoryState()
        self.cluster = self.cluster_state.join(node("a"))
        self.store = MemoryStore()
        self.catalogue = Catalogue(self.store)
        self.closed: list[Channel] = []
        self.slate_children = FakeChildren()
        self.metrics = Metrics()
        metrics = self.metrics.of_stream(STREAM)
        events = EventLog(self.store, BroadcastRef(STREAM, BROADCAST), clock=self.clock)
        lost_segments = LostSegments(metrics, events)
        options = RecorderOptions()
        recorder = Recorder(
            options.new_ledger(STREAM, BROADCAST, ZERO_MS),
            bus=self.bus,
            store=self.store,
            observer=lost_segments,
            clock=self.clock.unix,
            options=options,
            monotonic=self.clock.monotonic,
        )
        thumbnails = ThumbnailCache(Thumbnailer(), STREAM, clock=self.clock.monotonic)
        broadcast = Broadcast(
            recorder,
            passthrough(),
            clock=self.clock.monotonic,
            unix_ns=self.clock.unix_ns,
            on_keyframe=thumbnails.on_keyframe,
            events=events,
        )
        self.channel = Channel(
            broadcast,
            recorder,
            bus=self.bus,
            catalogue=self.catalogue,
            events=events,
            lost_segments=lost_segments,
            metrics=metrics,
            thumbnails=thumbnails,
            options=PublisherOptions(reconnect_window=reconnect_window, slate=slate),
            slate_encoder=SlateEncoder(self.slate_children.start),
            on_closed=self.closed.append,
            clock=self.clock,
        )

    @classmethod
    async def start(cls, *, reconnect_window: float = WINDOW_S, slate: SlateMode = SlateMode.OFF) -> "ChannelStage":
        """A channel that has claimed its stream."""
        stage = cls(reconnect_window=reconnect_window, slate=slate)
        claim = await claim_stream(stage.cluster, STREAM, BROADCAST, stage.channel)
        stage.channel.start(ClaimKeeper(stage.cluster, claim, on_lost=stage.channel.on_claim_lost))
        return stage

    def attach(
        self, link: FakeLink | None = None, software: str | None = "OBS", role: Role = Role.PRIMARY
    ) -> FakeLink:
        link = link or FakeLink()
        link.session = self.channel.attach(request(software=software), link, role)
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
    """A station whose streams pass the source through. It uses the store of ``after``, the stage of a process that
    died."""

    def __init__(
        self,
        *,
        free_cuts: bool = False,
        cluster: Cluster | None = None,
        refuses_second: bool = False,
        journals: Journals | None = None,
        after: "StationStage | None" = None,
        hook: PublishHook | None = None,
    ) -> None:
        self.clock: FakeClock = after.clock if after is not None else FakeClock()
        self.bus = Bus()
        self.cluster = cluster or MemoryState().join(node("a"))
        self.store: MemoryStore = after.store if after is not None else MemoryStore()
        self.catalogue = Catalogue(self.store)
        self.station = Station(
            bus=self.bus,
            cluster=self.cluster,
            store=self.store,
            catalogue=self.catalogue,
            thumbnailer=Thumbnailer(),
            metrics=Metrics(),
            recorder_options=RecorderOptions,
            broadcast_options=lambda record: passthrough(free_cuts=free_cuts),
            publisher_options=lambda record: PublisherOptions(record.settings.reconnect_window_s or WINDOW_S),
            store_timeout=1.0,
            refuses_second=lambda: refuses_second,
            journals=journals,
            hook=hook,
            clock=self.clock,
        )

    async def create(self, stream: str = STREAM) -> str:
        """Create a stream; returns its key."""
        _, key = await self.catalogue.create_stream(stream, now=self.clock.unix())
        return key

    async def publish(self, key: str, address: str = ADDRESS) -> FakeLink:
        link = FakeLink(address)
        link.session = await self.station.authorize(request(key, address=address), link)
        return link

    async def broadcast(self, stream: str = STREAM) -> str | None:
        """The id of the live broadcast; None if there is no owner."""
        status = await status_of(self.cluster, stream)
        return None if status is None else status.broadcast
