"""The lines of keys, compared with the values that ``tomllib`` reads from the same text."""

import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from control.config.toml_places import KeyPath, key_lines


def test_every_form_of_key_and_value_has_its_line() -> None:
    text = '''# a comment = 1
a = 1
"b c".d = "x # not a comment = 2"
e = """
f = 1 \\""" \\
"""
g = [ # one
  1, [2,
  3],
  { h = 4, i.j = 5 },
]
k = \'\'\'l = 1
\'\'\'
m = 1979-05-27 07:32:00
[n.o]
p = {}
[[q]]
r = 1
[[q]]
r = [ ]
[q.s]
t = ''
'''
    tomllib.loads(text)
    assert key_lines(text) == {
        ("a",): 2,
        ("b c",): 3,
        ("b c", "d"): 3,
        ("e",): 4,
        ("g",): 7,
        ("g", 0): 8,
        ("g", 1): 8,
        ("g", 1, 0): 8,
        ("g", 1, 1): 9,
        ("g", 2): 10,
        ("g", 2, "h"): 10,
        ("g", 2, "i"): 10,
        ("g", 2, "i", "j"): 10,
        ("k",): 12,
        ("m",): 14,
        ("n", "o"): 15,
        ("n", "o", "p"): 16,
        ("q",): 17,
        ("q", 0): 17,
        ("q", 0, "r"): 18,
        ("q", 1): 19,
        ("q", 1, "r"): 20,
        ("q", 1, "s"): 21,
        ("q", 1, "s", "t"): 22,
    }


KEYS = st.text("abcxyz-_", min_size=1, max_size=4)
TEXTS = st.text('ab #=[]{},."', max_size=6).map(lambda text: "'" + text + "'")
SCALARS = st.one_of(st.integers().map(str), st.just("true"), TEXTS)


@st.composite
def values(draw: st.DrawFn, depth: int = 2) -> str:
    """A TOML value; arrays and inline tables may span several lines if the language allows it."""
    kind = draw(st.sampled_from(["scalar", "scalar", "array", "table"] if depth else ["scalar"]))
    if kind == "array":
        items = draw(st.lists(values(depth - 1), max_size=3))
        return "[\n" + "".join(f"  {item}, # more\n" for item in items) + "]"
    if kind == "table":
        keys = draw(st.lists(KEYS, max_size=3, unique=True))
        return "{" + ", ".join(f"{key} = {draw(SCALARS)}" for key in keys) + "}"
    return draw(SCALARS)


@st.composite
def documents(draw: st.DrawFn) -> str:
    tables = draw(st.lists(KEYS, max_size=3, unique=True))
    lines = []
    for table in tables:
        lines.append(f"[{table}]")
        for key in draw(st.lists(KEYS, max_size=3, unique=True)):
            lines.append(f"{key} = {draw(values())}")
    return "\n".join(lines)


def paths(value: Any, path: KeyPath = ()) -> set[KeyPath]:
    if isinstance(value, dict):
        inner = [(key, item) for key, item in value.items()]
    elif isinstance(value, list):
        inner = list(enumerate(value))
    else:
        inner = []
    return {path for path in [path] if path}.union(*(paths(item, (*path, key)) for key, item in inner))


@settings(max_examples=60)
@given(documents())
def test_every_path_that_tomllib_reads_has_the_line_of_its_key(text: str) -> None:
    lines = key_lines(text)
    assert set(lines) == paths(tomllib.loads(text))
    source = text.split("\n")
    for path, line in lines.items():
        if isinstance(path[-1], str):
            assert path[-1] in source[line - 1]


@pytest.mark.parametrize("text", ["", "\n\n# nothing\n", "\t \n"])
def test_empty_text_has_no_lines(text: str) -> None:
    assert key_lines(text) == {}
