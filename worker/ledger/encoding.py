"""Encodes a ledger as JSON and decodes it.

The entries of each track are packed records in base64: a day of two-second segments is 5 MB a track. Decoding
ignores unknown fields, so an older Headwater can read the ledger of a newer one.
"""

from dataclasses import fields
from fractions import Fraction
from itertools import pairwise
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from media.descriptions import MalformedDescription, describe_config, parse_config
from media.errors import HeadwaterError
from media.names import BROADCAST_ID, is_stream_name
from media.units import Kind
from packager.cmaf.cutter import Cut
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


class _InitRecord(_Record):
    number: Count
    config: dict[str, object]
    frame_rate: Fraction | None
    data: bytes = Field(max_length=MAX_INIT_BYTES)


class _TrackRecord(_Record):
    track: str = Field(pattern=r"^[a-z0-9]{1,32}$")
    kind: Kind
    default: bool
    label: str = Field(max_length=200)
    inits: tuple[_InitRecord, ...] = Field(max_length=MAX_INITS)
    entries: bytes = Field(max_length=MAX_ENTRIES * RECORD_SIZE)
    resolved: Count
    resolved_ahead: frozenset[Count] = Field(max_length=MAX_ENTRIES)
    total_bytes: Ticks
    total_ticks: Ticks
    fragments: Count
    retired: bool = False
    peak_bps: Ticks
    measured_rate: Fraction | None = None
    frames: Count = 0
    frame_ticks: Ticks = 0


class _LedgerRecord(_Record):
    version: Literal[1] = 1
    stream: str
    broadcast: str
    zero_ms: Ticks
    target_ms: int = Field(gt=0, lt=1 << 31)
    playlist_window_ms: Count
    utc_timing_url: str = Field(max_length=2048)
    longest_ms: Count
    phase: Phase
    low_latency: LowLatency | None
    part_ticks: Count | None
    sparse: bool
    end: Ticks
    cuts: tuple[Cut, ...] = Field(max_length=KEPT_CUTS)
    tracks: tuple[_TrackRecord, ...] = Field(max_length=MAX_TRACKS)


def encode_ledger(ledger: BroadcastLedger) -> bytes:
    values = {name: getattr(ledger, name) for name in _names(BroadcastLedger) if name not in ("cuts", "tracks")}
    record = _LedgerRecord(
        **values, cuts=tuple(ledger.cuts), tracks=tuple(_encode_track(track) for track in ledger.tracks.values())
    )
    return record.model_dump_json().encode()


def decode_ledger(data: bytes) -> BroadcastLedger:
    """Raises MalformedLedger."""
    try:
        record = _LedgerRecord.model_validate_json(data)
        if not is_stream_name(record.stream) or not BROADCAST_ID.fullmatch(record.broadcast):
            raise MalformedLedger("the ledger names no stream and broadcast")
        values = {name: getattr(record, name) for name in _names(BroadcastLedger) if name not in ("cuts", "tracks")}
        listed = 2 * record.playlist_window_ms // record.target_ms
        tracks = {track.track: _decode_track(track, record.target_ms, listed) for track in record.tracks}
    except (ValidationError, ArithmeticError, MalformedDescription) as error:
        raise MalformedLedger(f"the ledger is damaged: {error}") from None
    return BroadcastLedger(**values, cuts=list(record.cuts), tracks=tracks)


def _names(kind: type[BroadcastLedger]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def _encode_track(track: TrackLedger) -> _TrackRecord:
    return _TrackRecord(
        track=track.track,
        kind=track.kind,
        default=track.default,
        label=track.label,
        inits=tuple(
            _InitRecord(
                number=init.number, config=describe_config(init.config), frame_rate=init.frame_rate, data=init.data
            )
            for init in track.inits.values()
        ),
        entries=track.entries.pack(),
        resolved=track.resolved,
        resolved_ahead=frozenset(track.resolved_ahead),
        total_bytes=track.total_bytes,
        total_ticks=track.total_ticks,
        fragments=track.fragments,
        retired=track.retired,
        peak_bps=track.peak.bps if track.peak is not None else 0,
        measured_rate=track.measured_rate,
        frames=track.frames,
        frame_ticks=track.frame_ticks,
    )


def _decode_track(record: _TrackRecord, target_ms: int, listed: int) -> TrackLedger:
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
