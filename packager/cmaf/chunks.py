"""Finds the chunks of a segment (ISO/IEC 23000-19, 7.3.3): a segment is exactly the bytes of its parts, and a part
is one chunk."""

from itertools import islice

from packager.boxes.walk import boxes


def chunk(segment: bytes, index: int) -> bytes | None:
    """Chunk ``index`` of ``segment``, counted from 0; None if the segment has fewer chunks.

    Each chunk ends with its Media Data box. Raises MalformedBox, BoxLimitExceeded.
    """
    ends = (box.start + box.size for box in boxes(segment) if box.kind == "mdat")
    start = 0 if index == 0 else next(islice(ends, index - 1, None), None)
    end = next(ends, None)
    return segment[start:end] if start is not None and end is not None else None
