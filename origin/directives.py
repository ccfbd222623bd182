"""Delivery directives in a playlist's query (draft-pantos-hls-rfc8216bis, 6.2.5). Unknown ones are ignored."""

import re
from collections.abc import Mapping

from live.window import Reload
from live.window_track import Position
from origin.errors import BadDirective

MSN, PART, SKIP = "_HLS_msn", "_HLS_part", "_HLS_skip"
NUMBER = re.compile(r"[0-9]{1,12}")
NO_DIRECTIVES = Reload()


def parse_directives(query: Mapping[str, str]) -> Reload:
    """Raises BadDirective."""
    if not query:
        return NO_DIRECTIVES
    msn, part = _number(query, MSN), _number(query, PART)
    if part is not None and msn is None:
        raise BadDirective(f"{PART} needs {MSN}")
    position = Position(msn, part) if msn is not None else None
    return Reload(position, skip=query.get(SKIP) in ("YES", "v2"))


def _number(query: Mapping[str, str], name: str) -> int | None:
    value = query.get(name)
    if value is None:
        return None
    if not NUMBER.fullmatch(value):
        raise BadDirective(f"{name} has to be a whole number")
    return int(value)
