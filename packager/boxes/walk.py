"""Finding boxes in bytes (ISO/IEC 14496-12, 4.2). Sizes are checked against the data; nothing is copied."""

from collections.abc import Iterator
from dataclasses import dataclass

from packager.errors import BoxLimitExceeded, MalformedBox

HEADER_SIZE = 8
LARGE_HEADER_SIZE = 16
# Sibling boxes: a segment of thousands of chunks has three or four boxes for each.
MAX_BOXES = 1 << 16

# The number of bytes between a box's header and the first box that it contains.
CHILDREN_AFTER = {
    **dict.fromkeys(("moov", "trak", "mdia", "minf", "dinf", "stbl", "mvex", "moof", "traf"), 0),
    "dref": 8,
    "stsd": 8,
    "avc1": 78,
    "mp4a": 28,
}


@dataclass(frozen=True, slots=True)
class Box:
    """``start`` is the box's position in the data that was walked; ``body`` is everything after its header."""

    kind: str
    start: int
    size: int
    body: memoryview


def boxes(data: bytes | memoryview) -> Iterator[Box]:
    """The sibling boxes that ``data`` consists of. Raises MalformedBox, BoxLimitExceeded."""
    view = memoryview(data)
    position = 0
    for _ in range(MAX_BOXES):
        if position == len(view):
            return
        box = _read(view, position)
        yield box
        position += box.size
    raise BoxLimitExceeded(f"more than {MAX_BOXES} sibling boxes")


def children(box: Box) -> Iterator[Box]:
    """The boxes that ``box`` contains. Raises MalformedBox, BoxLimitExceeded."""
    skipped = CHILDREN_AFTER.get(box.kind)
    if skipped is None:
        raise MalformedBox(f"{box.kind} does not contain boxes")
    if skipped > len(box.body):
        raise MalformedBox(f"{box.kind} ends before the boxes it should contain")
    return boxes(box.body[skipped:])


def find_all(data: bytes | memoryview, path: str) -> Iterator[Box]:
    """Every box at ``path``, such as ``moof/traf/trun``, in order. Raises MalformedBox, BoxLimitExceeded."""
    first, *rest = path.split("/")
    matches: Iterator[Box] = (box for box in boxes(data) if box.kind == first)
    for kind in rest:
        matches = _children_of_kind(matches, kind)
    return matches


def find(data: bytes | memoryview, path: str) -> Box:
    """The first box at ``path``. Raises MalformedBox, also if it is missing, and BoxLimitExceeded."""
    for box in find_all(data, path):
        return box
    raise MalformedBox(f"there is no {path}")


def _children_of_kind(parents: Iterator[Box], kind: str) -> Iterator[Box]:
    return (child for parent in parents for child in children(parent) if child.kind == kind)


def _read(view: memoryview, start: int) -> Box:
    available = len(view) - start
    if available < HEADER_SIZE:
        raise MalformedBox(f"{available} bytes are left, too few for a box")
    size = int.from_bytes(view[start : start + 4], "big")
    kind = bytes(view[start + 4 : start + HEADER_SIZE]).decode("latin-1")
    header_size = HEADER_SIZE
    if size == 0:
        size = available
    elif size == 1 and available >= LARGE_HEADER_SIZE:
        header_size = LARGE_HEADER_SIZE
        size = int.from_bytes(view[start + HEADER_SIZE : start + LARGE_HEADER_SIZE], "big")
    if not header_size <= size <= available:
        raise MalformedBox(f"{kind!r} claims {size} bytes; {available} are left")
    return Box(kind, start, size, view[start + header_size : start + size])
