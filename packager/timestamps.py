"""Wall-clock times and durations as text in playlists and manifests.

All conversions are between integers and text; no float is involved.
"""

import re
from datetime import UTC, datetime, timedelta

from media.timescale import MICROSECONDS
from packager.playlist_errors import UnrepresentableValue

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)

_DECIMAL = re.compile(r"([0-9]{1,12})(?:\.([0-9]{0,20}))?")


def utc_text(unix_ms: int) -> str:
    """``unix_ms`` as an ISO 8601 time in UTC, always with milliseconds and ``Z``.

    Raises UnrepresentableValue if the time is outside years 1 to 9999.
    """
    try:
        moment = EPOCH + timedelta(milliseconds=unix_ms)
    except OverflowError:
        raise UnrepresentableValue(f"{unix_ms} ms since 1970 is outside the calendar") from None
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def parse_utc(text: str) -> int:
    """An ISO 8601 time as milliseconds since the Unix epoch; UTC if it has no zone. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - EPOCH) // MILLISECOND


def decimal_seconds(microseconds: int) -> str:
    """``microseconds`` as seconds in the shortest exact decimal: 2002000 gives ``2.002``.

    Raises UnrepresentableValue if negative.
    """
    if microseconds < 0:
        raise UnrepresentableValue(f"{microseconds} µs is a negative duration")
    seconds, fraction = divmod(microseconds, MICROSECONDS)
    return f"{seconds}.{fraction:06d}".rstrip("0") if fraction else str(seconds)


def parse_decimal_seconds(text: str) -> int:
    """A decimal number of seconds as microseconds, rounded half up. Raises ValueError."""
    match = _DECIMAL.fullmatch(text)
    if match is None:
        raise ValueError(f"{text[:40]!r} is not a decimal number of seconds")
    digits = (match[2] or "").ljust(7, "0")
    return int(match[1]) * MICROSECONDS + int(digits[:6]) + (digits[6] >= "5")
