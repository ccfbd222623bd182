"""Byte ranges of RFC 9110, 14: one range is served, anything else gets the whole."""

import re

SINGLE_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


class Unsatisfiable(Exception):
    """The range lies beyond the end (416)."""


def parse_range(header: str, size: int) -> tuple[int, int] | None:
    """First byte and end (exclusive) of what ``header`` asks for; None where the whole is to be served.

    Raises Unsatisfiable.
    """
    match = SINGLE_RANGE.fullmatch(header.strip())
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        length = int(match[2])
        if length == 0 or size == 0:
            raise Unsatisfiable
        return max(0, size - length), size
    start = int(match[1])
    if match[2] and int(match[2]) < start:
        return None
    if start >= size:
        raise Unsatisfiable
    return start, min(size, int(match[2]) + 1) if match[2] else size
