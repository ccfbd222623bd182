"""The objects of the audit log: their names and their content.

A batch has entries of one day. Its name has the times of its last and of its first entry, so a reader that goes
through the names from the newest knows which batches it can leave out, and when it may stop.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from pydantic import BaseModel, ConfigDict

from storage.audit.entry import AuditEntry

_TIME = "%H%M%S%f"
# A name has microseconds, and a float of seconds may have a fraction of one more.
_ROUNDING_S = 1e-6


class AuditBatch(BaseModel):
    model_config = ConfigDict(frozen=True)

    entries: tuple[AuditEntry, ...]


@dataclass(frozen=True, slots=True)
class StoredBatch:
    """A batch that is known by its name alone. All its entries have ``first <= at <= last`` (Unix seconds)."""

    key: str
    first: float
    last: float


def day_of(at: float) -> date:
    """The day of a Unix time, in UTC."""
    return _moment(at).date()


def day_prefix(day: date) -> str:
    return f"catalogue/audit/{day:%Y/%m/%d}/"


def batch_key(entries: Sequence[AuditEntry]) -> str:
    """A key that no other batch has, for entries of one day."""
    first, last = (_moment(choose(entry.at for entry in entries)) for choose in (min, max))
    return f"{day_prefix(last.date())}{last:{_TIME}}-{first:{_TIME}}-{secrets.token_hex(4)}.json"


def parse_batch_key(key: str) -> StoredBatch | None:
    """None if an object with this key is not a batch."""
    *_, year, month, day, name = key.split("/")
    last, _, rest = name.partition("-")
    first = rest.partition("-")[0]
    try:
        times = [
            datetime.strptime(f"{year}{month}{day}{time}", f"%Y%m%d{_TIME}").replace(tzinfo=UTC).timestamp()
            for time in (first, last)
        ]
    except ValueError:
        return None
    return StoredBatch(key, times[0] - _ROUNDING_S, times[1] + _ROUNDING_S)


def days_back(since: float, before: float) -> list[date]:
    """The days of a time in Unix seconds, the last one first."""
    first, last = day_of(since), day_of(before)
    return [last - timedelta(days=back) for back in range((last - first).days + 1)]


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
