"""The stream key is found wherever an encoder puts it in the address."""

import pytest

from ingest.address import AddressRefused, stream_key

KEY = "abcd-efgh"


def read(app: str, name: str) -> str:
    return stream_key(app, name, expected_app="live", max_length=20)


@pytest.mark.parametrize("app", ["live", "live/", "/live", "live?token=x", "live/?token=x", "live/_definst_"])
@pytest.mark.parametrize(
    "name", [KEY, f"{KEY}?token=x", f"{KEY}?", f"{KEY}/", f"/{KEY}", f" {KEY}\n", "abcd%2Defgh", f"%2F{KEY}%20"]
)
def test_spellings_of_one_address(app: str, name: str) -> None:
    assert read(app, name) == KEY


@pytest.mark.parametrize(
    ("app", "name"),
    [
        (f"live/{KEY}", ""),
        (f"live/{KEY}?token=x", ""),
        (f"live/{KEY}", "/"),
        ("", f"live/{KEY}"),
        ("/", f"/live/{KEY}"),
    ],
)
def test_app_and_key_may_come_together(app: str, name: str) -> None:
    assert read(app, name) == KEY


@pytest.mark.parametrize(
    ("app", "name", "code"),
    [
        ("", "", "wrong-app"),
        ("Live", KEY, "wrong-app"),
        ("", KEY, "wrong-app"),
        ("other/live", KEY, "wrong-app"),
        ("live", "", "no-key"),
        ("live", "?token=x", "no-key"),
        ("live", " / ", "no-key"),
        ("live/_definst_", "", "no-key"),
        ("live/room", KEY, "extra-parts"),
        ("live", f"room/{KEY}", "extra-parts"),
        ("live", "k" * 21, "key-too-long"),
    ],
)
def test_other_addresses_are_refused_with_the_reason(app: str, name: str, code: str) -> None:
    with pytest.raises(AddressRefused) as refused:
        read(app, name)
    assert refused.value.reason == code
    assert "OBS" in refused.value.text
