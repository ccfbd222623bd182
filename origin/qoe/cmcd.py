"""Common Media Client Data: the reports of players, versions 1 and 2 (CTA-5004-A and CTA-5004-B).

A report is a dictionary of structured fields: in a request's query or header fields, or as a line of a request's
body (event mode). Only the keys that become figures are read. Values out of range count as absent, because a
player that is wrong about one value may be right about the others.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from media.names import is_stream_name
from origin.qoe.structured import Item, Member, NotStructured, parse_dictionary

# CTA-5004-B: the four header fields, in lower case as ASGI has them.
HEADERS = ("cmcd-object", "cmcd-request", "cmcd-session", "cmcd-status")
MAX_REPORTS = 50
# Lines of a body, empty ones included.
MAX_LINES = 200
MAX_REPORT = 8192
MAX_SESSION_ID = 64

# In milliseconds and kbit/s; more is a mistake or a lie.
MAX_START_MS = 600_000
MAX_STALL_MS = 3_600_000
MAX_STALLS = 1_000_000
MAX_LATENCY_MS = 86_400_000
MAX_KBPS = 1_000_000
MAX_TIME_MS = 2**53

KEYS = frozenset(
    ("br", "bs", "bsa", "bsd", "bsda", "cid", "e", "ec", "ltc", "msd", "ot", "sid", "sta", "ts", "url")
)
STATES = frozenset("spkraewfqd")
ERROR = "e"
AUDIO = "a"

_MEDIA_PATH = re.compile(r"/live/([a-z0-9-]{1,63})/[a-z0-9-]{1,40}/([a-z0-9]{1,32})/")


class BadReport(ValueError):
    """The text is not a report, or it does not name a session and a stream."""


@dataclass(frozen=True, slots=True)
class Stalls:
    """``count`` stalls of together ``ms`` milliseconds."""

    count: int
    ms: int


@dataclass(frozen=True, slots=True)
class Report:
    """One report; None is what it does not say.

    ``session`` is ``sid``. ``stream`` is ``cid``, or else the stream in ``url``, whose rendition is ``track``.
    ``event`` is ``e``, ``state`` is ``sta``, ``at_ms`` is ``ts``; ``start_ms`` is ``msd`` and ``latency_ms`` is
    ``ltc``. ``kbps`` is ``br`` of the video, or of the only media. ``starved`` is ``bs``, ``stalls`` is ``bsd``.
    ``all_stalls`` and ``all_stalled_ms`` are ``bsa`` and ``bsda``: since the session's start. ``errors`` is ``ec``.
    """

    session: str
    stream: str
    track: str | None = None
    event: str | None = None
    state: str | None = None
    at_ms: int | None = None
    start_ms: int | None = None
    latency_ms: int | None = None
    kbps: int | None = None
    audio_only: bool = False
    starved: bool = False
    stalls: Stalls | None = None
    all_stalls: int | None = None
    all_stalled_ms: int | None = None
    errors: tuple[str, ...] = ()


def count_reports(body: bytes) -> int:
    """How many reports of ``body`` are read at most, found out at little cost."""
    return min(MAX_REPORTS, _count_lines(body))


def parse_body(body: bytes) -> tuple[list[Report], int]:
    """The reports of event mode, one in each line, and the number of those that cannot be read. Those beyond
    ``MAX_REPORTS``, and lines beyond ``MAX_LINES``, are not read."""
    lines = body.split(b"\n", MAX_LINES)
    unread = _count_lines(lines.pop()) if len(lines) > MAX_LINES else 0
    filled = [line for line in lines if line.strip()]
    reports, bad = parse_reports(line.decode("utf-8", "replace").strip() for line in filled[:MAX_REPORTS])
    return reports, bad + max(0, len(filled) - MAX_REPORTS) + unread


def _count_lines(body: bytes) -> int:
    return body.count(b"\n") + (not body.endswith(b"\n")) if body else 0


def parse_reports(texts: Iterable[str]) -> tuple[list[Report], int]:
    """The reports, and the number of those that cannot be read."""
    reports, bad = [], 0
    for text in texts:
        try:
            reports.append(parse_report(text))
        except BadReport:
            bad += 1
    return reports, bad


def parse_report(text: str) -> Report:
    """Raises BadReport."""
    if len(text) > MAX_REPORT:
        raise BadReport("the report is too long")
    try:
        members = parse_dictionary(text, KEYS)
    except NotStructured:
        raise BadReport("the report is not a dictionary of structured fields") from None
    session = _text(members, "sid")
    if not session or len(session) > MAX_SESSION_ID:
        raise BadReport("the report names no session: sid")
    stream, track = _place(_text(members, "url"))
    stream = _text(members, "cid") or stream
    if not stream or not is_stream_name(stream):
        raise BadReport("the report names no stream: cid")
    kbps, audio_only = _bitrate(members)
    state = _text(members, "sta")
    return Report(
        session=session,
        stream=stream,
        track=track,
        event=_text(members, "e"),
        state=state if state in STATES else None,
        at_ms=_number(members, "ts", MAX_TIME_MS),
        start_ms=_number(members, "msd", MAX_START_MS),
        latency_ms=_number(members, "ltc", MAX_LATENCY_MS),
        kbps=kbps,
        audio_only=audio_only,
        starved=_first(members.get("bs")) is True,
        stalls=_stalls(members.get("bsd")),
        all_stalls=_sum(members.get("bsa"), MAX_STALLS),
        all_stalled_ms=_sum(members.get("bsda"), MAX_STALL_MS * 24),
        errors=tuple(str(item.value) for item in _items(members.get("ec"))),
    )


def _items(member: Member | None) -> tuple[Item, ...]:
    """Version 1 has items where version 2 has inner lists."""
    if member is None:
        return ()
    return member if isinstance(member, tuple) else (member,)


def _first(member: Member | None) -> str | int | float | bool | None:
    items = _items(member)
    return items[0].value if items else None


def _text(members: Mapping[str, Member], key: str) -> str | None:
    value = _first(members.get(key))
    return value if isinstance(value, str) else None


def _number(members: Mapping[str, Member], key: str, most: int) -> int | None:
    return _bounded(_first(members.get(key)), most)


def _bounded(value: object, most: int) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        return None
    return round(value)


def _place(url: str | None) -> tuple[str | None, str | None]:
    """The stream and the track of a request for media; None twice if it is another one."""
    match = _MEDIA_PATH.search(url) if url else None
    return (match[1], match[2]) if match else (None, None)


def _bitrate(members: Mapping[str, Member]) -> tuple[int | None, bool]:
    """``br`` of the video if the report has several, and whether it is of audio alone. Version 2 marks each bitrate
    with its object type; version 1 has one bitrate, of the object type ``ot``."""
    items = _items(members.get("br"))
    audio = [item for item in items if AUDIO in item.parameters]
    others = [item for item in items if AUDIO not in item.parameters]
    if not items:
        return None, False
    chosen = next((item for item in others if "v" in item.parameters), (others or audio)[0])
    audio_only = not others or (not chosen.parameters and _text(members, "ot") == AUDIO)
    return _bounded(chosen.value, MAX_KBPS), audio_only


def _by_type(member: Member | None, most: int) -> dict[frozenset[str], list[int]]:
    """The values by object type. The same stall may be reported for picture and sound."""
    values: dict[frozenset[str], list[int]] = {}
    for item in _items(member):
        value = _bounded(item.value, most)
        if value is not None:
            values.setdefault(item.parameters, []).append(value)
    return values


def _stalls(member: Member | None) -> Stalls | None:
    values = _by_type(member, MAX_STALL_MS).values()
    return Stalls(max(map(len, values)), max(map(sum, values))) if values else None


def _sum(member: Member | None, most: int) -> int | None:
    return max((sum(each) for each in _by_type(member, most).values()), default=None)
