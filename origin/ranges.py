"""Byte ranges (RFC 9110, 14). A single range is served; any other request gets the complete content."""

import re

SINGLE_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


class Unsatisfiable(Exception):
    """The range lies beyond the end (416)."""


def parse_range(header: str, size: int) -> tuple[int, int] | None:
    """The first byte and the end (exclusive) of the range in ``header``; None if the complete content is served.

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
