"""Requests and answers of the REST API; :mod:`live.status` defines the live state."""

from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field

from live.status import Frozen, StreamState, StreamStatus
from media.names import MANIFEST, MASTER_PLAYLIST, broadcast_prefix
from origin.playback.addresses import canonical_network
from storage.catalogue.ladder import LadderField
from storage.catalogue.records import MAX_TITLE, BroadcastRecord

LONGEST_BAN_S = 366 * 86_400
LONGEST_TOKEN_S = 366 * 86_400


def _network(text: str) -> str:
    try:
        return canonical_network(text)
    except ValueError:
        raise ValueError(
            f"{text!r} is neither an address nor a network, such as 203.0.113.7 or 2001:db8::/64"
        ) from None


Network = Annotated[str, Field(max_length=64), AfterValidator(_network)]


class StreamView(StreamStatus):
    """A stream with its live state and the page to watch it on."""

    watch: str = Field(examples=["http://media.example.org:8080/watch/studio-a"])
    title: str = Field(default="", examples=["Studio A"])
    private: bool = Field(default=False, description="whether viewers need a token")


class NewStream(Frozen):
    stream: str = Field(
        examples=["studio-a"], description="lower-case letters, digits and inner hyphens, at most 63"
    )
    title: str = Field(default="", max_length=MAX_TITLE, examples=["Studio A"])
    ladder: LadderField | None = Field(
        default=None,
        examples=["auto", "source", [{"height": 720, "bitrate": "2500k"}, {"height": 360, "bitrate": "800k"}]],
        description="null leaves it to the server's configuration",
    )
    private: bool = Field(
        default=False, examples=[True], description="viewers need a token: see POST /streams/{stream}/tokens"
    )


class StreamChange(Frozen):
    """Omitted fields stay as they are; ``ladder`` null leaves the ladder to the server's configuration."""

    title: str | None = Field(default=None, max_length=MAX_TITLE, examples=["Studio A"])
    ladder: LadderField | None = Field(default=None, examples=["source"])
    private: bool = Field(
        default=False, examples=[True], description="takes effect within seconds, also on the present broadcast"
    )


class StreamKey(Frozen):
    """The values to enter in OBS. The key is shown only once."""

    stream: str = Field(examples=["studio-a"])
    server: str = Field(examples=["rtmp://media.example.org:1935/live"])
    key: str = Field(examples=["k7f2-9wq3-m4xt-c8np-2hvr-6bzd"])
    watch: str = Field(examples=["http://media.example.org:8080/watch/studio-a"])


class TokenRequest(Frozen):
    for_s: int = Field(default=7200, ge=1, le=LONGEST_TOKEN_S, examples=[7200], description="until it expires")
    address: Network | None = Field(
        default=None,
        examples=["203.0.113.7", "2001:db8:0:7::/64"],
        description="the only client address or network that may use it",
    )


class PlaybackToken(Frozen):
    """A token that admits a viewer, alone and in links. Anyone who has a link can share it."""

    stream: str = Field(examples=["studio-a"])
    token: str = Field(examples=["eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhIiwiZXhwIjoxfQ.c2lnbmF0dXJl"])
    expires_at: int = Field(examples=[1795264865], description="seconds since the Unix epoch")
    address: str | None = Field(examples=["203.0.113.7"])
    hls: str = Field(examples=["http://media.example.org:8080/live/studio-a/master.m3u8?token=eyJhbGciOi…"])
    dash: str = Field(examples=["http://media.example.org:8080/live/studio-a/manifest.mpd?token=eyJhbGciOi…"])
    watch: str = Field(examples=["http://media.example.org:8080/watch/studio-a?token=eyJhbGciOi…"])


class KillRequest(Frozen):
    ban_s: float = Field(
        default=0.0,
        ge=0,
        le=LONGEST_BAN_S,
        allow_inf_nan=False,
        examples=[60],
        description="refuse publishers for this long",
    )
    reason: str = Field(
        default="ended by the operator",
        max_length=200,
        examples=["wrong stream"],
        description="shown to the publisher",
    )


class Killed(Frozen):
    stream: str = Field(examples=["studio-a"])
    banned_until: float | None = Field(default=None, description="seconds since the Unix epoch")


class BroadcastState(StrEnum):
    LIVE = "live"
    ENDED = "ended"
    INTERRUPTED = "interrupted"


class BroadcastView(Frozen):
    """One broadcast. ``interrupted``: the server stopped before the broadcast was completed."""

    broadcast: str = Field(examples=["20261121t104105z-ab12cd"])
    state: BroadcastState = Field(examples=["ended"])
    started_at: float = Field(examples=[1795257665.0], description="seconds since the Unix epoch")
    ended_at: float | None = Field(examples=[1795261265.0])
    duration_s: float = Field(examples=[3600.0])
    bytes: int = Field(examples=[1_530_000_000], description="all tracks together")
    end_reason: str | None = Field(default=None, examples=["the publisher stopped"])
    hls: str = Field(examples=["http://media.example.org:8080/live/studio-a/20261121t104105z-ab12cd/master.m3u8"])
    dash: str = Field(examples=["http://media.example.org:8080/live/studio-a/20261121t104105z-ab12cd/manifest.mpd"])
    watch: str = Field(examples=["http://media.example.org:8080/watch/studio-a?broadcast=20261121t104105z-ab12cd"])


class WatchStatus(Frozen):
    """The information that a page or an app needs to play a stream.

    ``broadcast`` is the current one, else the last; ``hls`` and ``dash`` are paths on this origin, null until the
    broadcast is playable.
    """

    stream: str = Field(examples=["studio-a"])
    title: str = Field(examples=["Studio A"])
    private: bool = Field(examples=[False], description="whether the paths need `?token=`")
    state: StreamState = Field(examples=["live"])
    broadcast: str | None = Field(examples=["20261121t104105z-ab12cd"])
    hls: str | None = Field(examples=["/live/studio-a/20261121t104105z-ab12cd/master.m3u8"])
    dash: str | None = Field(examples=["/live/studio-a/20261121t104105z-ab12cd/manifest.mpd"])


class Version(Frozen):
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
    duration = round(now - record.started_at, 1) if state is BroadcastState.LIVE else record.duration_s
    return BroadcastView(
        broadcast=record.broadcast,
        state=state,
        started_at=record.started_at,
        ended_at=record.ended_at,
        duration_s=duration,
        bytes=record.bytes,
        end_reason=record.end_reason,
        hls=url + hls_path(record.stream, record.broadcast),
        dash=url + dash_path(record.stream, record.broadcast),
        watch=f"{url}/watch/{record.stream}?broadcast={record.broadcast}",
    )
