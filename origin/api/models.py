"""Requests and answers of the REST API; :mod:`live.status` defines the live state."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, Field, StrictBool, StrictStr, WithJsonSchema

from live.status import Answer, Frozen, StreamState, StreamStatus
from media.addresses import canonical_network
from media.limits import LONGEST_GRACE_S
from media.names import MANIFEST, MASTER_PLAYLIST, broadcast_prefix
from media.promises import BROADCAST, CODE, LONG, NOT_NEGATIVE, PATH, STREAM, URL
from media.roles import Role
from media.slate import SlateMode
from storage.catalogue.events import Event
from storage.catalogue.ladder import LadderField
from storage.catalogue.numbers import WHOLE
from storage.catalogue.records import (
    FOREVER,
    LARGEST_COUNT,
    LARGEST_SIZE,
    LONGEST_AGE_S,
    LONGEST_RECONNECT_S,
    MAX_REASON,
    MAX_TITLE,
    BroadcastRecord,
    Retention,
    StreamRecord,
)
from storage.keeping import Cause, Departure, Usage

LONGEST_BAN_S = 366 * 86_400
LONGEST_TOKEN_S = 366 * 86_400


def _network(text: str) -> str:
    try:
        return canonical_network(text)
    except ValueError:
        raise ValueError(
            f"{text!r} is neither an address nor a network, such as 203.0.113.7 or 2001:db8::/64"
        ) from None


OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
# IPv6 networks have other forms too; clients need one.
NETWORK_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "string", "format": "ipv4"},
        {"type": "string", "format": "ipv6"},
        {"type": "string", "pattern": rf"^{OCTET}(?:\.{OCTET}){{3}}/(?:[12]?[0-9]|3[0-2])$"},
        {"type": "string", "pattern": "^(?:[0-9a-f]{1,4}:){1,7}:/(?:[1-9]?[0-9]|1[01][0-9]|12[0-8])$"},
    ]
}
# A whole number is a number of seconds too, which pydantic's StrictFloat accepts; true and "60" are none.
StrictFloat = Annotated[float, Field(strict=True)]
Network = Annotated[str, Field(max_length=64), AfterValidator(_network), WithJsonSchema(NETWORK_SCHEMA)]


ReconnectWindow = Annotated[StrictFloat, Field(ge=0, le=LONGEST_RECONNECT_S, allow_inf_nan=False)]


class BanView(Answer):
    until: float | None = Field(
        examples=[1795261265.0],
        description="seconds since the Unix epoch; null: until it is lifted",
        json_schema_extra=NOT_NEGATIVE,
    )
    reason: str = Field(examples=["wrong scene"], description="empty: none was given")


class RetentionFields(Frozen):
    """The recordings of a stream that stay: those that ended within ``max_age_s``, and of these the newest that are
    together at most ``max_size`` and at most ``max_count``. Null is no limit."""

    max_age_s: Annotated[StrictFloat, Field(ge=60, le=LONGEST_AGE_S, allow_inf_nan=False)] | None = Field(
        default=None, examples=[2_592_000.0], description="seconds since the end of the broadcast"
    )
    max_size: Annotated[int, Field(strict=True, ge=0, le=LARGEST_SIZE), WHOLE] | None = Field(
        default=None, examples=[500_000_000_000], description="bytes of all recordings of the stream"
    )
    max_count: Annotated[int, Field(strict=True, ge=0, le=LARGEST_COUNT), WHOLE] | None = Field(
        default=None, examples=[100], description="recordings of the stream"
    )

    def record(self) -> Retention:
        return Retention(**self.model_dump())


class RetentionView(Answer):
    """The recordings of a stream that stay; null is no limit."""

    max_age_s: float | None = Field(examples=[2_592_000.0], json_schema_extra=NOT_NEGATIVE)
    max_size: int | None = Field(examples=[500_000_000_000], json_schema_extra=LONG)
    max_count: int | None = Field(examples=[100], json_schema_extra=NOT_NEGATIVE)


class StreamView(StreamStatus):
    """A stream with its live state and the page to watch it on."""

    watch: str = Field(examples=["http://media.example.org:8080/watch/studio-a"], json_schema_extra=URL)
    server: str = Field(
        examples=["rtmp://media.example.org:1935/live"],
        description="to enter in OBS, with the key",
        json_schema_extra=URL,
    )
    title: str = Field(default="", examples=["Studio A"])
    private: bool = Field(default=False, examples=[False], description="whether viewers need a token")
    key_created_at: float | None = Field(
        default=None,
        examples=[1795257665.0],
        description="seconds since the Unix epoch; null if unknown",
        json_schema_extra=NOT_NEGATIVE,
    )
    backup_key_created_at: float | None = Field(
        default=None,
        examples=[1795257665.0],
        description="seconds since the Unix epoch; null if it has no backup key",
        json_schema_extra=NOT_NEGATIVE,
    )
    reconnect_window_s: float | None = Field(
        default=None,
        examples=[300.0],
        description="in which a publisher continues its broadcast; null leaves it to the server's configuration",
        json_schema_extra=NOT_NEGATIVE,
    )
    slate: SlateMode | None = Field(
        default=None,
        examples=["last-frame"],
        description="what viewers see while the publisher is away; null leaves it to the server's configuration",
    )
    ban: BanView | None = Field(default=None, description="null: its publishers are not banned")
    retention: RetentionView | None = Field(
        default=None,
        examples=[{"max_age_s": 2_592_000.0, "max_size": None, "max_count": 100}],
        description="of its recordings; null leaves it to the server's configuration",
    )
    last_live_at: float | None = Field(
        default=None,
        examples=[1795261265.0],
        description="when its newest broadcast ended, or started if it has not ended; null before the first",
        json_schema_extra=NOT_NEGATIVE,
    )


class NewStream(Frozen):
    stream: StrictStr = Field(
        examples=["studio-a"],
        description="lower-case letters, digits and inner hyphens, at most 63",
        json_schema_extra=STREAM,
    )
    title: StrictStr = Field(default="", max_length=MAX_TITLE, examples=["Studio A"])
    ladder: LadderField | None = Field(
        default=None,
        examples=["auto", "source", [{"height": 720, "bitrate": "2500k"}, {"height": 360, "bitrate": "800k"}]],
        description="null leaves it to the server's configuration",
    )
    private: StrictBool = Field(
        default=False, examples=[True], description="viewers need a token: see POST /streams/{stream}/tokens"
    )
    reconnect_window_s: ReconnectWindow | None = Field(
        default=None,
        examples=[300],
        description="seconds in which a publisher continues its broadcast; null leaves it to the configuration",
    )
    slate: SlateMode | None = Field(
        default=None,
        examples=["last-frame"],
        description="what viewers see while the publisher is away; null leaves it to the configuration",
    )
    retention: RetentionFields | None = Field(
        default=None,
        examples=[{"max_age_s": 2_592_000, "max_count": 100}],
        description="of its recordings; null leaves it to the server's configuration",
    )


class StreamChange(Frozen):
    """Omitted fields stay as they are; null leaves ``ladder``, ``reconnect_window_s``, ``slate`` and ``retention``
    to the server's configuration."""

    title: StrictStr | None = Field(default=None, max_length=MAX_TITLE, examples=["Studio A"])
    ladder: LadderField | None = Field(default=None, examples=["source"])
    private: StrictBool = Field(
        default=False, examples=[True], description="takes effect within seconds, also on the present broadcast"
    )
    reconnect_window_s: ReconnectWindow | None = Field(default=None, examples=[300])
    slate: SlateMode | None = Field(default=None, examples=["last-frame"])
    retention: RetentionFields | None = Field(
        default=None, examples=[{"max_count": 100}], description="replaces all limits, from the next sweep on"
    )


class StreamKey(Answer):
    """The values to enter in OBS. The key is shown only once."""

    stream: str = Field(examples=["studio-a"], json_schema_extra=STREAM)
    server: str = Field(examples=["rtmp://media.example.org:1935/live"], json_schema_extra=URL)
    key: str = Field(examples=["k7f2-9wq3-m4xt-c8np-2hvr-6bzd"])
    watch: str = Field(examples=["http://media.example.org:8080/watch/studio-a"], json_schema_extra=URL)


class TokenRequest(Frozen):
    for_s: Annotated[int, Field(strict=True, ge=1, le=LONGEST_TOKEN_S), WHOLE] = Field(
        default=7200, examples=[7200], description="its validity in seconds"
    )
    address: Network | None = Field(
        default=None,
        examples=["203.0.113.7", "2001:db8:0:7::/64"],
        description="the only client address or network that may use it",
    )


class PlaybackToken(Answer):
    """A token that admits a viewer, alone and in links. Anyone who has a link can share it."""

    stream: str = Field(examples=["studio-a"], json_schema_extra=STREAM)
    token: str = Field(examples=["eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhIiwiZXhwIjoxfQ.c2lnbmF0dXJl"])
    expires_at: int = Field(
        examples=[1795264865], description="seconds since the Unix epoch", json_schema_extra=LONG
    )
    address: str | None = Field(examples=["203.0.113.7"])
    hls: str = Field(
        examples=["http://media.example.org:8080/live/studio-a/master.m3u8?token=eyJhbGciOi…"],
        json_schema_extra=URL,
    )
    dash: str = Field(
        examples=["http://media.example.org:8080/live/studio-a/manifest.mpd?token=eyJhbGciOi…"],
        json_schema_extra=URL,
    )
    watch: str = Field(
        examples=["http://media.example.org:8080/watch/studio-a?token=eyJhbGciOi…"], json_schema_extra=URL
    )


class DrainRequest(Frozen):
    grace_s: Annotated[StrictFloat, Field(ge=0, le=LONGEST_GRACE_S, allow_inf_nan=False)] | None = Field(
        default=None,
        examples=[600],
        description="stop after this long, even if broadcasts are on air; null: as the server is configured",
    )


class Draining(Answer):
    """A server that accepts no new broadcasts, and stops when those on air have ended."""

    on_air: int = Field(examples=[2], description="broadcasts that have not ended", json_schema_extra=NOT_NEGATIVE)
    grace_left_s: float = Field(
        examples=[600.0], description="seconds until it stops in any case", json_schema_extra=NOT_NEGATIVE
    )


class Reloaded(Answer):
    """The settings that have changed, by their dotted names."""

    applied: tuple[str, ...] = Field(examples=[["rtmp.max_bitrate"]], description="in force now")
    restart: tuple[str, ...] = Field(examples=[["http.listen"]], description="in force after a restart")


class ServiceState(Answer):
    draining: Draining | None = Field(description="null: the server is in service")


class KillRequest(Frozen):
    ban_s: StrictFloat = Field(
        default=0.0,
        ge=0,
        le=LONGEST_BAN_S,
        allow_inf_nan=False,
        examples=[60],
        description="refuse publishers for this long",
    )
    reason: StrictStr = Field(
        default="ended by the operator",
        max_length=200,
        examples=["wrong stream"],
        description="shown to the publisher",
    )


class BanRequest(Frozen):
    for_s: Annotated[StrictFloat, Field(ge=1, le=LONGEST_BAN_S, allow_inf_nan=False)] | None = Field(
        default=None, examples=[3600], description="seconds; null: until the ban is lifted"
    )
    reason: StrictStr = Field(
        default="", max_length=MAX_REASON, examples=["wrong scene"], description="shown to the publisher"
    )


class Banned(BanView):
    stream: str = Field(examples=["studio-a"], json_schema_extra=STREAM)
    ended: bool = Field(examples=[True], description="whether a broadcast was ended")


class Switched(Answer):
    """The publisher with the role ``to`` goes on air at its next keyframe."""

    stream: str = Field(examples=["studio-a"], json_schema_extra=STREAM)
    to: Role = Field(examples=["backup"])


class Killed(Answer):
    stream: str = Field(examples=["studio-a"], json_schema_extra=STREAM)
    banned_until: float | None = Field(
        default=None,
        examples=[1795257725.0],
        description="seconds since the Unix epoch",
        json_schema_extra=NOT_NEGATIVE,
    )


class BroadcastState(StrEnum):
    LIVE = "live"
    ENDED = "ended"
    INTERRUPTED = "interrupted"


class BroadcastView(Answer):
    """One broadcast. ``interrupted``: the server stopped before the broadcast was completed."""

    broadcast: str = Field(examples=["20261121t104105z-ab12cd"], json_schema_extra=BROADCAST)
    state: BroadcastState = Field(examples=["ended"])
    started_at: float = Field(
        examples=[1795257665.0], description="seconds since the Unix epoch", json_schema_extra=NOT_NEGATIVE
    )
    ended_at: float | None = Field(examples=[1795261265.0], json_schema_extra=NOT_NEGATIVE)
    duration_s: float = Field(examples=[3600.0], json_schema_extra=NOT_NEGATIVE)
    bytes: int = Field(examples=[1_530_000_000], description="all tracks together", json_schema_extra=LONG)
    end_reason: str | None = Field(default=None, examples=["the publisher stopped"])
    missing_s: dict[str, float] = Field(
        default={},
        examples=[{"v360p": 3.2}],
        description="seconds that tracks lack at the end: not encoded in time",
        json_schema_extra={"additionalProperties": {"type": "number", **NOT_NEGATIVE}},
    )
    kept: bool = Field(default=False, examples=[False], description="no retention deletes it")
    hls: str = Field(
        examples=["http://media.example.org:8080/live/studio-a/20261121t104105z-ab12cd/master.m3u8"],
        json_schema_extra=URL,
    )
    dash: str = Field(
        examples=["http://media.example.org:8080/live/studio-a/20261121t104105z-ab12cd/manifest.mpd"],
        json_schema_extra=URL,
    )
    watch: str = Field(
        examples=["http://media.example.org:8080/watch/studio-a?broadcast=20261121t104105z-ab12cd"],
        json_schema_extra=URL,
    )


class SweepRequest(Frozen):
    dry_run: StrictBool = Field(default=False, examples=[True], description="delete nothing")


class Swept(Answer):
    """A recording that a sweep deletes."""

    stream: str = Field(examples=["studio-a"], json_schema_extra=STREAM)
    broadcast: str = Field(examples=["20261121t104105z-ab12cd"], json_schema_extra=BROADCAST)
    cause: Cause = Field(examples=["max-age"])
    ended_at: float | None = Field(
        examples=[1795261265.0], description="seconds since the Unix epoch", json_schema_extra=NOT_NEGATIVE
    )
    bytes: int = Field(examples=[1_530_000_000], json_schema_extra=LONG)


class SweepResult(Answer):
    """The recordings, oldest first in each stream."""

    dry_run: bool = Field(examples=[True], description="whether nothing is deleted")
    recordings: tuple[Swept, ...]


class StreamUse(Answer):
    stream: str = Field(examples=["studio-a"], json_schema_extra=STREAM)
    bytes: int = Field(examples=[1_530_000_000], json_schema_extra=LONG)
    recordings: int = Field(examples=[3], json_schema_extra=NOT_NEGATIVE)
    kept: int = Field(examples=[1], description="of these, marked to be kept", json_schema_extra=NOT_NEGATIVE)


class StoreUse(Answer):
    """What recordings occupy. A broadcast on air counts once it has ended; what is being deleted counts until it is
    gone. The room is that of a directory's disk; null in a bucket."""

    bytes: int = Field(examples=[1_530_000_000], description="of all recordings", json_schema_extra=LONG)
    recordings: int = Field(examples=[3], json_schema_extra=NOT_NEGATIVE)
    free_bytes: int | None = Field(examples=[42_949_672_960], json_schema_extra=LONG)
    capacity_bytes: int | None = Field(examples=[107_374_182_400], json_schema_extra=LONG)
    streams: tuple[StreamUse, ...] = Field(description="also deleted streams that have recordings")


class EventPage(Answer):
    """The events of a broadcast in order. To go on, ask for its events ``after`` the number ``last``."""

    stream: str = Field(examples=["studio-a"], json_schema_extra=STREAM)
    broadcast: str = Field(examples=["20261121t104105z-ab12cd"], json_schema_extra=BROADCAST)
    state: BroadcastState = Field(examples=["live"], description="`live` until the last event is stored")
    events: tuple[Event, ...]
    last: int = Field(examples=[3], description="number of the newest event here", json_schema_extra=NOT_NEGATIVE)
    dropped: int = Field(
        examples=[0], description="older events of a log that has become too long", json_schema_extra=NOT_NEGATIVE
    )


class StreamEvent(Event):
    """An event of a broadcast, among those of other broadcasts."""

    stream: str = Field(examples=["studio-a"], json_schema_extra=STREAM)
    broadcast: str = Field(examples=["20261121t104105z-ab12cd"], json_schema_extra=BROADCAST)


class RemovedStream(Answer):
    stream: str = Field(examples=["studio-a"], json_schema_extra=STREAM)


class ServerState(Answer):
    """The server itself. ``warnings`` are what may soon prevent it from serving."""

    at: float = Field(
        examples=[1795257665.0], description="seconds since the Unix epoch", json_schema_extra=NOT_NEGATIVE
    )
    draining: Draining | None = Field(description="null: the server is in service")
    warnings: tuple[str, ...] = Field(examples=[["the disk of /var/lib/headwater has 3 % left"]])


class ServerTrouble(Answer):
    """Why the streams are not known at the moment."""

    code: str = Field(examples=["store-unavailable"], json_schema_extra=CODE)
    detail: str = Field(examples=["the store does not answer"])


class WatchStatus(Answer):
    """The information that a page or an app needs to play a stream.

    ``broadcast`` is the current one, else the last; ``hls`` and ``dash`` are paths on this origin, null until the
    broadcast is playable.
    """

    stream: str = Field(examples=["studio-a"], json_schema_extra=STREAM)
    title: str = Field(examples=["Studio A"])
    private: bool = Field(examples=[False], description="whether the paths need `?token=`")
    state: StreamState = Field(examples=["live"])
    broadcast: str | None = Field(examples=["20261121t104105z-ab12cd"], json_schema_extra=BROADCAST)
    hls: str | None = Field(examples=["/live/studio-a/20261121t104105z-ab12cd/master.m3u8"], json_schema_extra=PATH)
    dash: str | None = Field(
        examples=["/live/studio-a/20261121t104105z-ab12cd/manifest.mpd"], json_schema_extra=PATH
    )
    reports: str | None = Field(
        examples=["/api/v1/cmcd"],
        description="where players send their reports (CMCD); null: nowhere",
        json_schema_extra=PATH,
    )


class SpreadView(Answer):
    """The median and the 95th percentile of ``count`` sessions, in seconds."""

    count: int = Field(examples=[42], json_schema_extra=NOT_NEGATIVE)
    median: float = Field(examples=[0.8], json_schema_extra=NOT_NEGATIVE)
    p95: float = Field(examples=[1.9], json_schema_extra=NOT_NEGATIVE)


class QoeSums(Answer):
    """What players have reported, added up."""

    starts: int = Field(
        examples=[42], description="sessions that reported their start", json_schema_extra=NOT_NEGATIVE
    )
    stalls: int = Field(examples=[3], json_schema_extra=NOT_NEGATIVE)
    stalled_s: float = Field(examples=[4.2], description="seconds", json_schema_extra=NOT_NEGATIVE)
    played_s: float = Field(examples=[8400.0], description="seconds", json_schema_extra=NOT_NEGATIVE)
    errors: int = Field(examples=[0], json_schema_extra=NOT_NEGATIVE)


class QoeFigures(QoeSums):
    """The last ``window_s`` seconds. ``start_s`` and ``latency_s`` are null if no player reports them."""

    sessions: int = Field(examples=[40], description="that play now", json_schema_extra=NOT_NEGATIVE)
    start_s: SpreadView | None = Field(description="from the wish to play until media plays")
    latency_s: SpreadView | None = Field(description="behind live, of those that play now")
    bitrate_bps: int | None = Field(
        examples=[2_400_000], description="mean of those that play now", json_schema_extra=LONG
    )
    stalled_ratio: float | None = Field(
        examples=[0.0005],
        description="share of the time in which playback stood still; null: nothing played",
        json_schema_extra=NOT_NEGATIVE,
    )


class RenditionQoe(QoeFigures):
    rendition: str = Field(examples=["v720p"], description="a track, or `unknown`")


class QoeView(QoeFigures):
    """How playback is, as players report it. They are not checked: anyone may send reports."""

    stream: str = Field(examples=["studio-a"], json_schema_extra=STREAM)
    window_s: float = Field(examples=[300.0], json_schema_extra=NOT_NEGATIVE)
    renditions: tuple[RenditionQoe, ...]
    totals: QoeSums = Field(description="since the server started")


class Version(Answer):
    version: str = Field(examples=["0.1.0"])


def hls_path(stream: str, broadcast: str) -> str:
    return f"/{broadcast_prefix(stream, broadcast)}/{MASTER_PLAYLIST}"


def dash_path(stream: str, broadcast: str) -> str:
    return f"/{broadcast_prefix(stream, broadcast)}/{MANIFEST}"


def broadcast_view(record: BroadcastRecord, live: StreamStatus | None, *, now: float, url: str) -> BroadcastView:
    """``live`` is the stream's status, None if it is idle; ``now`` is Unix seconds; ``url`` is the origin's."""
    is_live = live is not None and live.broadcast == record.broadcast
    if record.ended_at is not None:
        state = BroadcastState.ENDED
    else:
        state = BroadcastState.LIVE if is_live else BroadcastState.INTERRUPTED
    # The system's clock may have been set back since the start.
    so_far = max(0.0, round(now - record.started_at, 1))
    duration = so_far if state is BroadcastState.LIVE else record.duration_s
    return BroadcastView(
        broadcast=record.broadcast,
        state=state,
        started_at=record.started_at,
        ended_at=record.ended_at,
        duration_s=duration,
        bytes=record.bytes,
        end_reason=record.end_reason,
        missing_s=record.missing_s,
        kept=record.kept,
        hls=url + hls_path(record.stream, record.broadcast),
        dash=url + dash_path(record.stream, record.broadcast),
        watch=f"{url}/watch/{record.stream}?broadcast={record.broadcast}",
    )


def ban_view(record: StreamRecord, now: float) -> BanView | None:
    """None if the stream is not banned. ``now`` is Unix seconds."""
    if not record.is_banned(now):
        return None
    until = record.banned_until
    return BanView(until=None if until is None or until >= FOREVER else until, reason=record.ban_reason)


def sweep_result(chosen: Sequence[Departure], *, dry_run: bool) -> SweepResult:
    return SweepResult(
        dry_run=dry_run,
        recordings=tuple(
            Swept(
                stream=each.recording.stream,
                broadcast=each.recording.broadcast,
                cause=each.cause,
                ended_at=each.recording.ended_at,
                bytes=each.recording.bytes,
            )
            for each in chosen
        ),
    )


def store_use(usage: Usage) -> StoreUse:
    return StoreUse(
        bytes=usage.bytes,
        recordings=usage.recordings,
        free_bytes=None if usage.space is None else usage.space.free,
        capacity_bytes=None if usage.space is None else usage.space.capacity,
        streams=tuple(
            StreamUse(stream=each.stream, bytes=each.bytes, recordings=each.recordings, kept=each.kept)
            for each in usage.streams
        ),
    )
