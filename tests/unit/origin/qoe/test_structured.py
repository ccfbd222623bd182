"""Dictionaries of structured fields (RFC 9651)."""

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from origin.qoe.structured import MAX_ITEMS, MAX_MEMBERS, Item, NotStructured, parse_dictionary

ALL = frozenset("abcdefgh")


@pytest.mark.parametrize(
    ("text", "members"),
    [
        ("", {}),
        ("a=1", {"a": Item(1)}),
        ("a=-12.5, b=?0,c", {"a": Item(-12.5), "b": Item(False), "c": Item(True)}),
        ('a="x, \\"y\\" \\\\ (z)"', {"a": Item('x, "y" \\ (z)')}),
        ("a=tok/en:x ,b=:aGk=:,c=@1659578233", {"a": Item("tok/en:x"), "b": Item(":aGk=:"), "c": Item(1659578233)}),
        ("a=1;x;y=2;z=?1", {"a": Item(1, frozenset("xz"))}),
        ("a;x=?0", {"a": Item(True)}),
        (
            'a=(1;v 2;a  "(b) ;c" )',
            {"a": (Item(1, frozenset("v")), Item(2, frozenset("a")), Item("(b) ;c"))},
        ),
        ("a=();x", {"a": ()}),
        ("a=1,a=2", {"a": Item(2)}),
        ("z=1,a=2", {"a": Item(2)}),
    ],
)
def test_a_dictionary(text: str, members: object) -> None:
    assert parse_dictionary(text, ALL) == members


@pytest.mark.parametrize(
    "text",
    [
        "1=a",
        "a==1",
        "a=1 b=2",
        'a="',
        'a="\\x"',
        "a=(1",
        "a=1)",
        "a=(1,2)",
        "a=(1(2))",
        "é=1",
        "a=1;",
        "a b",
        ",a",
        "a=(",
    ],
)
def test_what_is_none(text: str) -> None:
    with pytest.raises(NotStructured):
        parse_dictionary(text, ALL)


def test_the_numbers_of_members_items_and_digits_are_bounded() -> None:
    most = ",".join(["a"] * MAX_MEMBERS)
    assert parse_dictionary(most, ALL) == {"a": Item(True)}
    items = " ".join(["1"] * MAX_ITEMS)
    assert parse_dictionary(f"a=({items})", ALL) == {"a": (Item(1),) * MAX_ITEMS}
    for text in (f"{most},a", f"a=({items} 1)", f"a={'1' * 30}", "a=1" + ";x" * (MAX_ITEMS + 1)):
        with pytest.raises(NotStructured):
            parse_dictionary(text, ALL)


@given(st.text(alphabet='ab="\\();,?1. @:', max_size=200) | st.text(max_size=50))
def test_any_text_is_a_dictionary_or_none(text: str) -> None:
    with suppress(NotStructured):
        parse_dictionary(text, ALL)


@pytest.mark.parametrize(
    "piece", ["(", '"', "\\", 'a=("\\"', "a=(1 ", "a;", " ", "a=1;", "1 ", "a=:", "a=1.", "a=@-"]
)
@pytest.mark.parametrize("start", ["", "a=", "a=(", 'a="', 'a=("', "a;"])
def test_no_text_takes_long(start: str, piece: str) -> None:
    text = start + piece * (8192 // len(piece))
    began = time.process_time()
    with suppress(NotStructured):
        parse_dictionary(text, ALL)
    assert time.process_time() - began < 0.1
