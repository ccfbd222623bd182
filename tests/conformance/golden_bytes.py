"""Golden files: hex dumps in a directory next to the tests.

``UPDATE_GOLDEN=1`` rewrites them. Review the difference before you commit it.
"""

import os
from pathlib import Path

DIRECTORY = Path(__file__).parent / "golden"
ROW = 16


def check(name: str, data: bytes) -> None:
    """Compare ``data`` with the golden file ``name``."""
    path = DIRECTORY / f"{name}.hex"
    text = _dump(data)
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="ascii")
    assert path.read_text(encoding="ascii") == text


def _dump(data: bytes) -> str:
    rows = (data[start : start + ROW] for start in range(0, len(data), ROW))
    return "".join(f"{row.hex(' '):<{3 * ROW}} {_printable(row)}\n" for row in rows)


def _printable(row: bytes) -> str:
    return "".join(chr(byte) if 0x20 < byte < 0x7F else "." for byte in row)
