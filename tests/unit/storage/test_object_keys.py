import os.path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.object_keys import MAX_KEY_LENGTH, InvalidKey, is_key, is_key_prefix, require_key


@pytest.mark.parametrize(
    "key",
    ["a", "live/studio-a/master.m3u8", "live/a/20261121t104105z-ab12cd/v720p/17.3.m4s", "catalogue/keys/0f.json"],
)
def test_valid_keys(key: str) -> None:
    require_key(key)
    assert is_key_prefix(key)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/a",
        "a/",
        "a//b",
        ".",
        "..",
        "a/../b",
        "a/./b",
        ".headwater/tmp/x",
        "a/.hidden",
        "a\\b",
        "a\0",
        "a\n",
        "a b",
        "é",
        "a/" * 300 + "a",
        "x" * 201,
    ],
)
def test_invalid_keys(key: str) -> None:
    assert not is_key(key)
    with pytest.raises(InvalidKey):
        require_key(key)


@pytest.mark.parametrize("prefix", ["", "live", "live/", "live/a", "live/a/"])
def test_valid_prefixes(prefix: str) -> None:
    assert is_key_prefix(prefix)


@pytest.mark.parametrize("prefix", ["/", "../", "live//", ".", "live/../"])
def test_invalid_prefixes(prefix: str) -> None:
    assert not is_key_prefix(prefix)


@given(st.text(st.sampled_from("ab./\\-_~\0 "), max_size=12))
def test_a_valid_key_is_a_path_below_the_root(key: str) -> None:
    if is_key(key):
        assert os.path.normpath(f"/root/{key}") == f"/root/{key}"
        assert len(key) <= MAX_KEY_LENGTH
        assert is_key_prefix(key)
