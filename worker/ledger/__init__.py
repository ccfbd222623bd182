"""The ledger: everything that was decided about a broadcast, as one value that can be encoded and continued."""

from worker.ledger.broadcast_ledger import SHORTEST_GAP, BroadcastLedger
from worker.ledger.encoding import MalformedLedger, decode_ledger, encode_ledger
from worker.ledger.journal import Course, EmptyJournal, read_journal
from worker.ledger.phase import Phase
from worker.ledger.track_ledger import TrackLedger

__all__ = [
    "SHORTEST_GAP",
    "BroadcastLedger",
    "Course",
    "EmptyJournal",
    "MalformedLedger",
    "Phase",
    "TrackLedger",
    "decode_ledger",
    "encode_ledger",
    "read_journal",
]
