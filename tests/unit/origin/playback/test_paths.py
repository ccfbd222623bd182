"""The path token, and its place in a path."""

from urllib.parse import urljoin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from origin.paths import parse_live_path
from origin.playback import TokenExpired, TokenInvalid, check_path_token, make_path_token
from origin.playback.paths import below_path_token, split_path_token
from storage.object_keys import is_key
from tests.unit.origin.playback.keys import KEYS, NOW, OTHERS, streams, swapped

BUCKET_S = 6 * 3600
START = int(NOW) // BUCKET_S * BUCKET_S
BROADCAST = "20261121t104105z-ab12cd"

times = st.integers(START, START + BUCKET_S - 1)


def make(stream: str = "a", now: float = NOW, bucket_s: int = BUCKET_S) -> str:
    return make_path_token(KEYS, stream, now=now, bucket_s=bucket_s)


def check(text: str, stream: str = "a", now: float = NOW) -> int:
    return check_path_token(text, KEYS, stream, now=now)


@given(streams, times, times)
def test_all_viewers_in_a_bucket_share_a_token(stream: str, one: int, other: int) -> None:
    assert make(stream, one) == make(stream, other + 0.999)
    assert make(stream, one) != make(stream, one + BUCKET_S)


@given(streams, times, st.integers(60, 7 * 86_400))
def test_a_token_is_valid_for_one_to_two_buckets(stream: str, now: int, bucket_s: int) -> None:
    token = make(stream, now, bucket_s)
    expires_at = check(token, stream, now)
    assert bucket_s < expires_at - now <= 2 * bucket_s
    assert expires_at % bucket_s == 0
    check(token, stream, expires_at - 0.001)
    with pytest.raises(TokenExpired):
        check(token, stream, expires_at)


@given(st.data())
def test_a_changed_character_is_refused(data: st.DataObject) -> None:
    token = make()
    place = data.draw(st.integers(0, len(token) - 1))
    changed = token[:place] + data.draw(st.characters(codec="utf-8")) + token[place + 1 :]
    if changed != token:
        with pytest.raises(TokenInvalid):
            check(changed)


@given(st.text(max_size=60) | st.from_regex(r"[0-9]{1,14}-[A-Za-z0-9_-]{20,24}"))
def test_no_other_text_is_accepted(text: str) -> None:
    with pytest.raises(TokenInvalid):
        check(text)


def test_a_token_of_another_stream_or_key_is_refused() -> None:
    with pytest.raises(TokenInvalid):
        check(make("a"), "b")
    for keys in (OTHERS, swapped(KEYS)):
        with pytest.raises(TokenInvalid):
            check_path_token(make(), keys, "a", now=NOW)


@pytest.mark.parametrize(
    "rest",
    ["master.m3u8", f"{BROADCAST}/manifest.mpd", f"{BROADCAST}/v720p/media.m3u8", f"{BROADCAST}/v720p/7.3.m4s"],
)
def test_a_path_without_its_token_is_the_store_key(rest: str) -> None:
    token = make()
    path = f"a~{token}/{rest}"
    assert split_path_token(path) == (f"a/{rest}", token)
    assert split_path_token(f"a/{rest}") == (f"a/{rest}", None)
    parsed = parse_live_path(f"a/{rest}")
    assert parsed is not None and parsed.key == f"live/a/{rest}"
    assert not is_key(f"live/{path}")
    for base in ("https://media.example.org/live/", "https://example.org/some/place/live/"):
        assert urljoin(f"{base}a/{rest}?token=x", below_path_token(f"a/{rest}", token)) == base + path


@given(st.text(max_size=80))
def test_any_path_can_be_split(path: str) -> None:
    plain, token = split_path_token(path)
    if token is None:
        assert plain == path
    else:
        stream, _, rest = plain.partition("/")
        assert path == f"{stream}~{token}/{rest}"


@pytest.mark.parametrize("path", ["a~x", "~x/y", "a/b~x/c", "a~", "", "~"])
def test_a_token_elsewhere_in_the_path_is_ignored(path: str) -> None:
    assert split_path_token(path) == (path, None)
    assert parse_live_path(path) is None
