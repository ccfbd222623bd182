"""A minimal writer of XML 1.0: elements with attributes, and elements or text inside. All values are escaped."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from packager.playlist_errors import UnrepresentableValue

_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ATTRIBUTE_ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
)
_TEXT_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})


@dataclass(frozen=True, slots=True)
class Element:
    """Names must be valid XML names; values and ``text`` may be any text. Attributes of None are left out."""

    name: str
    attributes: tuple[tuple[str, str | None], ...] = ()
    children: tuple["Element", ...] = ()
    text: str | None = None


def element(name: str, attributes: Iterable[tuple[str, str | None]] = (), *children: Element) -> Element:
    return Element(name, tuple(attributes), children)


def document(root: Element) -> str:
    """``root`` as an indented XML document. Raises UnrepresentableValue for characters outside XML 1.0."""
    return "".join(('<?xml version="1.0" encoding="UTF-8"?>\n', *_write(root, "")))


def _write(node: Element, indent: str) -> Iterator[str]:
    attributes = "".join(
        f' {name}="{_escape(value, _ATTRIBUTE_ESCAPES)}"' for name, value in node.attributes if value is not None
    )
    head = f"{indent}<{node.name}{attributes}"
    if node.text is not None:
        yield f"{head}>{_escape(node.text, _TEXT_ESCAPES)}</{node.name}>\n"
    elif node.children:
        yield f"{head}>\n"
        for child in node.children:
            yield from _write(child, indent + "  ")
        yield f"{indent}</{node.name}>\n"
    else:
        yield f"{head}/>\n"


def _escape(text: str, escapes: dict[int, str]) -> str:
    if _NOT_XML.search(text):
        raise UnrepresentableValue(f"{text[:80]!r} has a character that XML does not allow")
    return text.translate(escapes)
