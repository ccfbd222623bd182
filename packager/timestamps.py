"""Wall-clock times and durations as playlists and manifests write them, from integers and back without a float."""

import re
from datetime import UTC, datetime, timedelta

from media.timescale import MICROSECONDS
from packager.playlist_errors import UnrepresentableValue

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)

_DECIMAL = re.compile(r"([0-9]{1,12})(?:\.([0-9]{0,20}))?")


def utc_text(unix_ms: int) -> str:
    """``unix_ms`` as ISO 8601 in UTC, always with milliseconds and ``Z``. Raises UnrepresentableValue."""
    try:
        moment = EPOCH + timedelta(milliseconds=unix_ms)
    except OverflowError:
        raise UnrepresentableValue(f"{unix_ms} ms since 1970 is outside the calendar") from None
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def parse_utc(text: str) -> int:
    """Milliseconds since the Unix epoch of an ISO 8601 time, UTC where it names no zone. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - EPOCH) // MILLISECOND


def decimal_seconds(microseconds: int) -> str:
    """Seconds as the shortest exact decimal: 2002000 is ``2.002``. Raises UnrepresentableValue below zero."""
    if microseconds < 0:
        raise UnrepresentableValue(f"{microseconds} µs is a negative duration")
    whole, fraction = divmod(microseconds, MICROSECONDS)
    return f"{whole}.{fraction:06d}".rstrip("0") if fraction else str(whole)


def parse_decimal_seconds(text: str) -> int:
    """Microseconds of a decimal number of seconds; digits past the sixth are rounded half up. Raises ValueError."""
    match = _DECIMAL.fullmatch(text)
    if match is None:
        raise ValueError(f"{text[:40]!r} is no decimal number of seconds")
    digits = (match[2] or "").ljust(7, "0")
    return int(match[1]) * MICROSECONDS + int(digits[:6]) + (digits[6] >= "5")
