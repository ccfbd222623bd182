"""Dictionaries of structured fields (RFC 9651, 4.2.2), as far as CMCD uses them.

The parser is tolerant: keys may have capital letters, and numbers any number of digits within the limits of the
text. Every pattern is possessive, so that no text takes more than linear time.
"""

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass

# Members of a dictionary, items of an inner list, and parameters of an item: none of CMCD's has as many.
MAX_MEMBERS = 64
MAX_ITEMS = 32

_KEY = r"[A-Za-z*][A-Za-z0-9_.*-]*+"
_STRING = r'"(?:[^"\\]|\\["\\])*+"'
_TOKEN = r"[A-Za-z*][!#$%&'*+.^_`|~:/A-Za-z0-9-]*+"
_BARE = rf"{_STRING}|[?][01]|@?-?[0-9]++(?:[.][0-9]++)?|{_TOKEN}|:[A-Za-z0-9+/=]*+:"
_PARAMETERS = rf"(?:;[ ]*+{_KEY}(?:=(?:{_BARE}))?)*+"
_ITEM = re.compile(rf"[ ]*+({_BARE})({_PARAMETERS})(?=[ )])")
_PARAMETER = re.compile(rf";[ ]*+({_KEY})(?:=({_BARE}))?")
_MEMBER = re.compile(
    rf'[ \t]*+({_KEY})(?:=(?:({_BARE})|\(((?:[^()"]|{_STRING})*+)\)))?({_PARAMETERS})[ \t]*+(?:,|$)'
)
_ESCAPED = re.compile(r"\\(.)")

Bare = str | int | float | bool


class NotStructured(ValueError):
    """The text is not a dictionary, or has too many members."""


@dataclass(frozen=True, slots=True)
class Item:
    """``parameters`` are the names of the parameters with the value true, as CMCD marks object types."""

    value: Bare
    parameters: frozenset[str] = frozenset()


Member = Item | tuple[Item, ...]


def parse_dictionary(text: str, keys: Container[str]) -> Mapping[str, Member]:
    """The members with one of ``keys``; an inner list is a tuple. Of two members with the same key, the later one
    counts. Raises NotStructured."""
    found: dict[str, tuple[str | None, str | None, str]] = {}
    position, end, count = 0, len(text), 0
    while position < end:
        match = _MEMBER.match(text, position)
        count += 1
        if match is None or count > MAX_MEMBERS:
            raise NotStructured
        key, bare, items, parameters = match.groups()
        if key in keys:
            found[key] = bare, items, parameters
        position = match.end()
    return {key: _member(*parts) for key, parts in found.items()}


def _member(bare: str | None, items: str | None, parameters: str) -> Member:
    """Raises NotStructured."""
    if items is not None:
        return _inner_list(items)
    value = True if bare is None else _bare(bare)
    return Item(value, _flags(parameters)) if parameters else Item(value)


def _inner_list(text: str) -> tuple[Item, ...]:
    """Raises NotStructured."""
    found: list[Item] = []
    text = text.strip(" ") + " "
    position, end = 0, len(text)
    while position < end - 1:
        match = _ITEM.match(text, position)
        if match is None or len(found) >= MAX_ITEMS:
            raise NotStructured
        bare, parameters = match.groups()
        found.append(Item(_bare(bare), _flags(parameters)) if parameters else Item(_bare(bare)))
        position = match.end()
    return tuple(found)


def _flags(text: str) -> frozenset[str]:
    pairs = _PARAMETER.findall(text)
    if len(pairs) > MAX_ITEMS:
        raise NotStructured
    return frozenset(key for key, bare in pairs if bare in ("", "?1"))


def _bare(text: str) -> Bare:
    first = text[0]
    if first == '"':
        inner = text[1:-1]
        return _ESCAPED.sub(r"\1", inner) if "\\" in inner else inner
    if first == "?":
        return text == "?1"
    number = text[1:] if first == "@" else text
    if number[0].isdigit() or number[0] == "-":
        # More digits are no number of CMCD's, and a long integer is slow to read.
        if len(number) > 20:
            raise NotStructured
        return float(number) if "." in number else int(number)
    return text
