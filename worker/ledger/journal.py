"""A ledger's changes as lines of JSON, which a journal collects, and the ledger that a journal describes.

The first line has the complete ledger. Each further one has all fields, but only the init segments and entries that
are new or changed. A crash may cut off the last line.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, ValidationError

from media.errors import HeadwaterError
from worker.ledger.broadcast_ledger import BroadcastLedger
from worker.ledger.encoding import (
    Count,
    InitRecord,
    LedgerRecord,
    MalformedLedger,
    TrackRecord,
    ledger_of,
    ledger_record,
    track_record,
)
from worker.ledger.entry_log import RECORD_SIZE, packed_records


class EmptyJournal(HeadwaterError):
    """The journal has no complete line."""

    code: ClassVar[str] = "empty-journal"


@dataclass(frozen=True, slots=True)
class Course:
    """When a broadcast started and ended, in Unix seconds, and why it ended. ``missing_s`` are the seconds that
    tracks lack at the end."""

    started_at: float
    ended_at: float | None = None
    end_reason: str | None = None
    missing_s: Mapping[str, float] = field(default_factory=dict)


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True)

    number: Count
    course: Course
    ledger: LedgerRecord


class JournalLines:
    """Makes the lines of one ledger's journal."""

    def __init__(self, ledger: BroadcastLedger) -> None:
        self._ledger = ledger
        self._numbers = count()
        self._known_inits: dict[str, int] = {}

    def restart(self) -> None:
        """Make the next line the first one of a new journal."""
        self._numbers = count()
        self._known_inits = {}

    def next(self, course: Course) -> bytes:
        """The changes since the last line."""
        number, tracks = next(self._numbers), []
        for name, track in self._ledger.tracks.items():
            changes = track.entries.take_changes()
            known = self._known_inits.get(name, 0)
            tracks.append(track_record(track, known_inits=known, entries=None if number == 0 else changes))
            self._known_inits[name] = len(track.inits)
        line = _Line(number=number, course=course, ledger=ledger_record(self._ledger, tracks))
        return line.model_dump_json().encode() + b"\n"


def read_journal(data: bytes) -> tuple[BroadcastLedger, Course]:
    """Raises EmptyJournal, and MalformedLedger."""
    newest: _Line | None = None
    tracks: dict[str, _Track] = {}
    for number, text in enumerate(data.splitlines()):
        try:
            line = _Line.model_validate_json(text)
        except ValidationError:
            break
        if line.number != number:
            break
        newest = line
        for record in line.ledger.tracks:
            tracks.setdefault(record.track, _Track()).add(record)
    if newest is None:
        raise EmptyJournal("the journal has no complete line")
    complete = tuple(tracks[record.track].complete(record) for record in newest.ledger.tracks)
    return ledger_of(newest.ledger.model_copy(update={"tracks": complete})), newest.course


class _Track:
    """What the lines say about one track."""

    def __init__(self) -> None:
        self._inits: dict[int, InitRecord] = {}
        self._entries: dict[int, bytes] = {}

    def add(self, record: TrackRecord) -> None:
        """Raises MalformedLedger."""
        if len(record.entries) % RECORD_SIZE:
            raise MalformedLedger(f"the entries of {record.track} are cut off")
        self._inits.update((init.number, init) for init in record.inits)
        self._entries.update(packed_records(record.entries))

    def complete(self, newest: TrackRecord) -> TrackRecord:
        entries = b"".join(entry for msn, entry in self._entries.items() if msn >= newest.first_msn)
        return newest.model_copy(update={"inits": tuple(self._inits.values()), "entries": entries})
