"""The line of each key and each array element in a TOML file.

``tomllib`` does not report positions. This scanner parses only as much of TOML 1.0 as is needed to find the start
of every key. It expects text that ``tomllib`` has accepted.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator

KeyPath = tuple[str | int, ...]

SPACE = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}(?!")'
    r"|'''.*?'{3,5}(?!')"
    r'|"(?:[^"\\]|\\.)*"'
    r"|'[^']*'",
    re.DOTALL,
)
SCALAR = re.compile(r"[^,\]}#\n]*")
DOT = re.compile(r"[ \t]*\.[ \t]*")


def key_lines(text: str) -> dict[KeyPath, int]:
    """Each key path (array indices as integers) with its line number, from 1."""
    return _Scanner(text).lines


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line_starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self.lines: dict[KeyPath, int] = {}
        self._document()

    def _document(self) -> None:
        table: KeyPath = ()
        lengths: dict[KeyPath, int] = {}
        self._space()
        while self._at < len(self._text):
            if self._text.startswith("[[", self._at):
                table = self._header("[[", "]]", lengths)
                index = lengths.get(table, 0)
                lengths[table] = index + 1
                table = self._note((*table, index))
            elif self._text.startswith("[", self._at):
                table = self._header("[", "]", lengths)
            else:
                self._pair(table)
            self._space()

    def _header(self, opening: str, closing: str, lengths: dict[KeyPath, int]) -> KeyPath:
        """The path of the table; a key that names an array of tables means its last element."""
        self._at += len(opening)
        start = self._at
        path: KeyPath = ()
        keys = list(self._keys())
        for position, key in enumerate(keys):
            path = (*path, key)
            if path in lengths and (position < len(keys) - 1 or opening == "["):
                path = (*path, lengths[path] - 1)
        self._at = self._text.index(closing, self._at) + len(closing)
        return self._note(path, start)

    def _pair(self, table: KeyPath) -> None:
        start = self._at
        path = table
        for key in self._keys():
            path = self._note((*path, key), start)
        self._at = self._text.index("=", self._at) + 1
        self._space()
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        first = self._text[self._at : self._at + 1]
        if first == "[":
            for index in self._items("]"):
                self._value(self._note((*path, index)))
        elif first == "{":
            for _ in self._items("}"):
                self._pair(path)
        else:
            form = STRING if first in "\"'" else SCALAR
            self._at = self._match(form).end()

    def _items(self, closing: str) -> Iterator[int]:
        """Stop at each item between the current bracket and ``closing``, then after ``closing``."""
        self._at += 1
        index = 0
        self._space()
        while not self._text.startswith(closing, self._at):
            yield index
            index += 1
            self._space()
            if self._text.startswith(",", self._at):
                self._at += 1
                self._space()
        self._at += 1

    def _keys(self) -> Iterator[str]:
        """The parts of the dotted key at the current position."""
        self._space()
        while True:
            quoted = STRING.match(self._text, self._at)
            match = quoted or self._match(BARE_KEY)
            self._at = match.end()
            yield match.group()[1:-1] if quoted else match.group()
            dot = DOT.match(self._text, self._at)
            if dot is None:
                return
            self._at = dot.end()

    def _note(self, path: KeyPath, start: int | None = None) -> KeyPath:
        position = self._at if start is None else start
        self.lines.setdefault(path, bisect_right(self._line_starts, position))
        return path

    def _space(self) -> None:
        self._at = self._match(SPACE).end()

    def _match(self, form: re.Pattern[str]) -> re.Match[str]:
        match = form.match(self._text, self._at)
        if match is None:
            raise ValueError(f"not TOML at offset {self._at}")
        return match
