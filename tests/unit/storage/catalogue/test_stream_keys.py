import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.catalogue.stream_keys import ALPHABET, key_hash, new_stream_key


def test_keys_are_easy_to_type_and_unique() -> None:
    keys = {new_stream_key() for _ in range(200)}
    assert len(keys) == 200
    assert all(re.fullmatch(r"[a-z2-9]{4}(-[a-z2-9]{4}){5}", key) for key in keys)
    assert not set("il01o") & set(ALPHABET)
    assert set("".join(keys)) - {"-"} == set(ALPHABET)


def test_spaces_case_and_hyphens_are_ignored() -> None:
    key = new_stream_key()
    meant = {key_hash(typed) for typed in (key, f" {key}\n", key.upper(), key.replace("-", ""))}
    assert len(meant) == 1
    hashed = meant.pop()
    assert hashed is not None and re.fullmatch(r"[0-9a-f]{64}", hashed)


@pytest.mark.parametrize(
    "typed", ["", "live", "a" * 23, "a" * 25, "i" * 24, "é" * 24, "a" * 24 + "?x=1", "-" * 1000]
)
def test_malformed_keys_have_no_hash(typed: str) -> None:
    assert key_hash(typed) is None


@given(st.text(string.printable + "é\0", max_size=80))
def test_any_text_has_a_hash_or_none(typed: str) -> None:
    hashed = key_hash(typed)
    assert hashed is None or len(hashed) == 64
