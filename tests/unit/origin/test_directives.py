"""Delivery directives (draft-pantos-hls-rfc8216bis, 6.2.5)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from live.window import Reload
from live.window_track import Position
from origin.directives import parse_directives
from origin.errors import BadDirective


@pytest.mark.parametrize(
    ("query", "reload"),
    [
        ({}, Reload()),
        ({"_HLS_msn": "7"}, Reload(Position(7))),
        ({"_HLS_msn": "7", "_HLS_part": "0"}, Reload(Position(7, 0))),
        ({"_HLS_msn": "0", "_HLS_part": "12", "_HLS_skip": "YES"}, Reload(Position(0, 12), skip=True)),
        ({"_HLS_skip": "YES"}, Reload(skip=True)),
        ({"_HLS_skip": "v2"}, Reload(skip=True)),
        ({"_HLS_skip": "NO"}, Reload()),
        ({"_HLS_push": "1", "_HLS_report": "x", "_HLS_start_offset": "-3", "other": "_HLS_msn"}, Reload()),
        ({"_hls_msn": "x", "_HLS_MSN": "y"}, Reload()),
        ({"_HLS_msn": "999999999999"}, Reload(Position(999_999_999_999))),
    ],
)
def test_a_query_is_parsed_into_a_reload(query: dict[str, str], reload: Reload) -> None:
    assert parse_directives(query) == reload


@pytest.mark.parametrize(
    "query",
    [
        {"_HLS_part": "0"},
        {"_HLS_part": "0", "_HLS_skip": "YES"},
        {"_HLS_msn": ""},
        {"_HLS_msn": "-1"},
        {"_HLS_msn": "+1"},
        {"_HLS_msn": "1.5"},
        {"_HLS_msn": "0x10"},
        {"_HLS_msn": "٣"},
        {"_HLS_msn": "1 "},
        {"_HLS_msn": "1" * 13},
        {"_HLS_msn": "1", "_HLS_part": "x"},
        {"_HLS_msn": "1", "_HLS_part": "9" * 100_000},
    ],
)
def test_a_malformed_directive_is_named(query: dict[str, str]) -> None:
    with pytest.raises(BadDirective, match=r"_HLS_(msn|part)"):
        parse_directives(query)


@settings(max_examples=100)
@given(
    st.dictionaries(st.sampled_from(("_HLS_msn", "_HLS_part", "_HLS_skip", "_HLS_x", "a")), st.text(max_size=20))
)
def test_only_the_declared_error_is_raised(query: dict[str, str]) -> None:
    try:
        reload = parse_directives(query)
    except BadDirective:
        return
    if reload.position is not None:
        assert str(reload.position.msn) == query["_HLS_msn"].lstrip("0") or reload.position.msn == 0
        assert (reload.position.part is None) is ("_HLS_part" not in query)
