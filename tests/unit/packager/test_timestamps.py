import pytest
from hypothesis import given
from hypothesis import strategies as st

from packager.playlist_errors import UnrepresentableValue
from packager.timestamps import decimal_seconds, parse_decimal_seconds, parse_utc, utc_text


def test_utc_text_has_milliseconds_and_z() -> None:
    assert utc_text(1_795_257_665_123) == "2026-11-21T10:41:05.123Z"
    assert utc_text(0) == "1970-01-01T00:00:00.000Z"


@pytest.mark.parametrize(
    "text", ["2026-11-21T10:41:05.123Z", "2026-11-21T11:41:05.123+01:00", "2026-11-21T10:41:05.123"]
)
def test_parse_utc_converts_other_zones(text: str) -> None:
    assert parse_utc(text) == 1_795_257_665_123


@given(st.integers(-(10**13), 10**14))
def test_utc_text_round_trips(unix_ms: int) -> None:
    assert parse_utc(utc_text(unix_ms)) == unix_ms


@pytest.mark.parametrize(
    ("microseconds", "text"),
    [(0, "0"), (2_000_000, "2"), (2_002_000, "2.002"), (1_966_667, "1.966667"), (1, "0.000001"), (100_000, "0.1")],
)
def test_decimal_seconds_are_exact_and_round_trip(microseconds: int, text: str) -> None:
    assert decimal_seconds(microseconds) == text
    assert parse_decimal_seconds(text) == microseconds


@pytest.mark.parametrize(("text", "microseconds"), [("2.", 2_000_000), ("0.0000005", 1), ("0.00000049", 0)])
def test_parse_rounds_digits_past_the_sixth(text: str, microseconds: int) -> None:
    assert parse_decimal_seconds(text) == microseconds


@pytest.mark.parametrize("text", ["", ".5", "-1", "1e3", "1,5", "nan", "9" * 13, "٣"])
def test_parse_rejects_text_that_is_not_a_decimal(text: str) -> None:
    with pytest.raises(ValueError, match="not a decimal"):
        parse_decimal_seconds(text)


def test_decimal_seconds_rejects_negative_durations() -> None:
    with pytest.raises(UnrepresentableValue):
        decimal_seconds(-1)
