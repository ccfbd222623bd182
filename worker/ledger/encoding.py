"""A ledger as a record for JSON, and the ledger of a record.

The entries of each track are packed in base64: a day of two-second segments is 5 MB a track. Reading
ignores unknown fields, so an older Headwater can read the ledger of a newer one.
"""

from collections.abc import Sequence
from dataclasses import fields
from fractions import Fraction
from itertools import islice, pairwise
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from media.descriptions import MalformedDescription, describe_config, parse_config
from media.errors import HeadwaterError
from media.names import BROADCAST_ID, is_stream_name
from media.units import Kind
from packager.cmaf.cut import Cut
from packager.cmaf.segment_writer import Init
from packager.facts import LowLatency
from worker.ledger.broadcast_ledger import KEPT_CUTS, BroadcastLedger
from worker.ledger.entry_log import RECORD_SIZE, EntryLog
from worker.ledger.peak import PeakBitRate
from worker.ledger.phase import Phase
from worker.ledger.track_ledger import TrackLedger

VERSION = 1
MAX_TRACKS = 64
MAX_INITS = 65_536
MAX_INIT_BYTES = 1 << 20
# About a month of two-second segments.
MAX_ENTRIES = 1 << 21
# Segments that are enough to continue the measurement of the peak bit rate.
PEAK_SEGMENTS = 32

Ticks = Annotated[int, Field(ge=0, lt=1 << 62)]
Count = Annotated[int, Field(ge=0, lt=1 << 31)]


class MalformedLedger(HeadwaterError):
    """The bytes are not a ledger that this version of Headwater can continue."""

    code: ClassVar[str] = "malformed-ledger"


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, ser_json_bytes="base64", val_json_bytes="base64")


class InitRecord(_Record):
    number: Count
    config: dict[str, object]
    frame_rate: Fraction | None
    data: bytes = Field(max_length=MAX_INIT_BYTES)


class TrackRecord(_Record):
    """``first_msn`` is the number of the oldest entry that has not been forgotten."""

    track: str = Field(pattern=r"^[a-z0-9]{1,32}$")
    kind: Kind
    default: bool
    label: str = Field(max_length=200)
    inits: tuple[InitRecord, ...] = Field(max_length=MAX_INITS)
    first_msn: Count = 0
    entries: bytes = Field(max_length=MAX_ENTRIES * RECORD_SIZE)
    resolved: Count
    resolved_ahead: frozenset[Count] = Field(max_length=MAX_ENTRIES)
    total_bytes: Ticks
    total_ticks: Ticks
    fragments: Count
    retired: bool = False
    ended: bool = False
    peak_bps: Ticks
    measured_rate: Fraction | None = None
    frames: Count = 0
    frame_ticks: Ticks = 0


class LedgerRecord(_Record):
    version: Literal[1] = 1
    stream: str
    broadcast: str
    zero_ms: Ticks
    target_ms: int = Field(gt=0, lt=1 << 31)
    playlist_window_ms: Count
    utc_timing_url: str = Field(max_length=2048)
    clock_offset_ms: int = Field(default=0, gt=-(1 << 62), lt=1 << 62)
    longest_ms: Count
    phase: Phase
    low_latency: LowLatency | None
    part_ticks: Count | None
    sparse: bool
    end: Ticks
    cuts: tuple[Cut, ...] = Field(max_length=KEPT_CUTS)
    tracks: tuple[TrackRecord, ...] = Field(max_length=MAX_TRACKS)


def encode_ledger(ledger: BroadcastLedger) -> bytes:
    return (
        ledger_record(ledger, [track_record(track) for track in ledger.tracks.values()]).model_dump_json().encode()
    )


def decode_ledger(data: bytes) -> BroadcastLedger:
    """Raises MalformedLedger."""
    try:
        return ledger_of(LedgerRecord.model_validate_json(data))
    except ValidationError as error:
        raise MalformedLedger(f"the ledger is damaged: {error}") from None


def ledger_record(ledger: BroadcastLedger, tracks: Sequence[TrackRecord]) -> LedgerRecord:
    values = {name: getattr(ledger, name) for name in _names(BroadcastLedger) if name not in ("cuts", "tracks")}
    return LedgerRecord(**values, cuts=tuple(ledger.cuts), tracks=tuple(tracks))


def ledger_of(record: LedgerRecord) -> BroadcastLedger:
    """Raises MalformedLedger."""
    if not is_stream_name(record.stream) or not BROADCAST_ID.fullmatch(record.broadcast):
        raise MalformedLedger("the ledger names no stream and broadcast")
    values = {name: getattr(record, name) for name in _names(BroadcastLedger) if name not in ("cuts", "tracks")}
    listed = 2 * record.playlist_window_ms // record.target_ms
    try:
        tracks = {track.track: _decode_track(track, record.target_ms, listed) for track in record.tracks}
    except (ValidationError, ArithmeticError, MalformedDescription) as error:
        raise MalformedLedger(f"the ledger is damaged: {error}") from None
    return BroadcastLedger(**values, cuts=list(record.cuts), tracks=tracks)


def _names(kind: type[BroadcastLedger]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def track_record(track: TrackLedger, *, known_inits: int = 0, entries: bytes | None = None) -> TrackRecord:
    """Without the first ``known_inits`` init segments; with all entries, or those packed in ``entries``."""
    return TrackRecord(
        track=track.track,
        kind=track.kind,
        default=track.default,
        label=track.label,
        inits=tuple(
            InitRecord(
                number=init.number, config=describe_config(init.config), frame_rate=init.frame_rate, data=init.data
            )
            for init in islice(track.inits.values(), known_inits, None)
        ),
        first_msn=track.entries[0].msn if track.entries else 0,
        entries=track.entries.pack() if entries is None else entries,
        resolved=track.resolved,
        resolved_ahead=frozenset(track.resolved_ahead),
        total_bytes=track.total_bytes,
        total_ticks=track.total_ticks,
        fragments=track.fragments,
        retired=track.retired,
        ended=track.ended,
        peak_bps=track.peak.bps if track.peak is not None else 0,
        measured_rate=track.measured_rate,
        frames=track.frames,
        frame_ticks=track.frame_ticks,
    )


def _decode_track(record: TrackRecord, target_ms: int, listed: int) -> TrackLedger:
    if len(record.entries) % RECORD_SIZE:
        raise MalformedLedger(f"the entries of {record.track} are cut off")
    entries = EntryLog(listed, record.entries)
    inits = {
        init.number: Init(record.track, init.number, parse_config(init.config), init.frame_rate, init.data)
        for init in record.inits
    }
    if record.resolved > len(entries) or not {entry.init for entry in entries} <= inits.keys():
        raise MalformedLedger(f"the entries of {record.track} do not match its other fields")
    if any(entry.duration < 0 or entry.size < 0 for entry in entries):
        raise MalformedLedger(f"the entries of {record.track} have negative lengths")
    if any(entry.msn >= following.msn for entry, following in pairwise(entries)):
        raise MalformedLedger(f"the entries of {record.track} are out of order")
    track = TrackLedger(
        track=record.track,
        kind=record.kind,
        default=record.default,
        label=record.label,
        target_ms=target_ms,
        inits=inits,
        entries=entries,
        resolved=record.resolved,
        resolved_ahead=set(record.resolved_ahead),
        total_bytes=record.total_bytes,
        total_ticks=record.total_ticks,
        fragments=record.fragments,
        retired=record.retired,
        ended=record.ended,
        measured_rate=record.measured_rate,
        frames=record.frames,
        frame_ticks=record.frame_ticks,
    )
    if track.config is not None:
        track.peak = PeakBitRate(target_ms, next(iter(inits.values())).config.timescale, bps=record.peak_bps)
        for entry in entries[-PEAK_SEGMENTS:]:
            if not entry.gap and entry.duration > 0:
                track.peak.add(entry.size, entry.duration)
    return track
