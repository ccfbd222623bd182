"""Viewer tokens."""

import base64
import json

import jwt
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from origin.playback import (
    PlaybackRefused,
    TokenExpired,
    TokenInvalid,
    TokenMissing,
    TokenWrongAddress,
    TokenWrongStream,
    ViewerToken,
    sign_viewer_token,
    verify_viewer_token,
)
from origin.playback.tokens import MAX_LENGTH
from tests.unit.origin.playback.keys import KEYS, NOW, OTHERS, streams, swapped

TOKEN = ViewerToken("studio-a", int(NOW) + 60)


def verify(
    text: str | None, *, stream: str = "studio-a", address: str | None = "203.0.113.7", now: float = NOW
) -> ViewerToken:
    return verify_viewer_token(text, KEYS, stream=stream, address=address, now=now)


def forged(claims: dict[str, object], algorithm: str = "HS256") -> str:
    """A token with these claims, signed with the right key, so that only the claims can be wrong."""
    return jwt.encode(claims, KEYS.viewer, algorithm)


def encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@given(streams, st.integers(1, 10**6), st.sampled_from([None, "203.0.113.7", "2001:db8::/64"]))
def test_a_signed_token_is_valid_until_it_expires(stream: str, seconds: int, address: str | None) -> None:
    token = ViewerToken(stream, int(NOW) + seconds, address)
    text = sign_viewer_token(token, KEYS)
    client = {None: None, "203.0.113.7": "::ffff:203.0.113.7", "2001:db8::/64": "2001:db8::9"}[address]
    assert verify(text, stream=stream, address=client, now=token.expires_at - 0.001) == token
    with pytest.raises(TokenExpired, match="ask for a new one"):
        verify(text, stream=stream, address=client, now=token.expires_at)


@pytest.mark.parametrize("text", [None, ""])
def test_a_missing_token_is_refused(text: str | None) -> None:
    with pytest.raises(TokenMissing, match="studio-a is private") as refused:
        verify(text)
    assert refused.value.code == "token-missing"


def test_a_token_of_another_stream_is_refused() -> None:
    with pytest.raises(TokenWrongStream) as refused:
        verify(sign_viewer_token(TOKEN, KEYS), stream="studio-b")
    assert refused.value.code == "token-wrong-stream"


@pytest.mark.parametrize("client", ["203.0.113.8", "2001:db8::1", None, "", "unix:", "testclient"])
def test_a_token_for_another_address_is_refused(client: str | None) -> None:
    text = sign_viewer_token(ViewerToken("studio-a", int(NOW) + 60, "203.0.113.7"), KEYS)
    assert verify(text, address="203.0.113.7").address == "203.0.113.7"
    with pytest.raises(TokenWrongAddress) as refused:
        verify(text, address=client)
    assert refused.value.code == "token-wrong-address"


@given(st.data())
def test_a_changed_character_is_refused(data: st.DataObject) -> None:
    text = sign_viewer_token(TOKEN, KEYS)
    place = data.draw(st.integers(0, len(text) - 1))
    # The last base64url character of 32 bytes carries two bits that decoders ignore.
    other = data.draw(st.sampled_from("A.é~") if place == len(text) - 1 else st.characters(codec="utf-8"))
    changed = text[:place] + other + text[place + 1 :]
    if changed != text and not (place == len(text) - 1 and other == "A"):
        with pytest.raises(TokenInvalid):
            verify(changed)


@given(st.text(max_size=MAX_LENGTH + 8) | st.from_regex(r"[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*"))
@example(encoded({"alg": "none", "typ": "JWT"}) + "." + encoded({"sub": "studio-a", "exp": 2**40}) + ".")
@example("W1tb" * 80 + ".e30.e30")
@example("a" * 10_000)
def test_no_other_text_is_accepted_and_only_refusals_are_raised(text: str) -> None:
    with pytest.raises(PlaybackRefused):
        verify(text)


@pytest.mark.parametrize("keys", [OTHERS, swapped(KEYS)])
def test_a_token_signed_with_another_key_is_refused(keys: object) -> None:
    assert isinstance(keys, type(KEYS))
    with pytest.raises(TokenInvalid):
        verify(sign_viewer_token(TOKEN, keys))


@pytest.mark.parametrize(
    "claims",
    [
        {"sub": "studio-a"},
        {"exp": 2**40},
        {"sub": "studio-a", "exp": "soon"},
        {"sub": "studio-a", "exp": 1e300},
        {"sub": "studio-a", "exp": 2**40, "addr": 7},
    ],
)
def test_invalid_claims_are_refused(claims: dict[str, object]) -> None:
    with pytest.raises(TokenInvalid):
        verify(forged(claims))


@pytest.mark.filterwarnings("ignore::jwt.InsecureKeyLengthWarning")
def test_another_algorithm_is_refused() -> None:
    claims: dict[str, object] = {"sub": "studio-a", "exp": int(NOW) + 60}
    assert verify(forged(claims)) == TOKEN
    with pytest.raises(TokenInvalid):
        verify(forged(claims, "HS512"))


def test_the_longest_token_is_within_the_limit() -> None:
    token = ViewerToken("a" * 63, 10**11, "2001:db8:1234:5678:9abc:def1:2345:6700/120")
    assert len(sign_viewer_token(token, KEYS)) < MAX_LENGTH


@pytest.mark.parametrize("token", [ViewerToken("../a", 1), ViewerToken("a", 1, "here")])
def test_invalid_tokens_are_not_signed(token: ViewerToken) -> None:
    with pytest.raises(ValueError, match=r"\.\./a|here"):
        sign_viewer_token(token, KEYS)


def test_keys_are_not_in_the_repr() -> None:
    assert repr(KEYS) == "PlaybackKeys()"
