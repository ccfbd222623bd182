"""Client addresses and the networks of tokens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.addresses import canonical_network, is_in_network


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("203.0.113.7", "203.0.113.7"),
        (" 203.0.113.7/24 ", "203.0.113.0/24"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("2001:db8::1/64", "2001:db8::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.0/120", "203.0.113.0/24"),
    ],
)
def test_the_canonical_form_of_an_address_or_network(text: str, canonical: str) -> None:
    assert canonical_network(text) == canonical


@pytest.mark.parametrize("text", ["", "here", "203.0.113", "203.0.113.7:80", "[::1]", "1/33"])
def test_invalid_addresses_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        canonical_network(text)


@pytest.mark.parametrize(
    ("address", "network", "inside"),
    [
        ("203.0.113.7", "203.0.113.7", True),
        ("::ffff:203.0.113.7", "203.0.113.7", True),
        ("203.0.113.7", "203.0.113.0/24", True),
        ("203.0.114.7", "203.0.113.0/24", False),
        ("2001:db8::9", "2001:db8::/64", True),
        ("fe80::1%eth0", "fe80::1", True),
        ("203.0.113.7", "2001:db8::/64", False),
        (None, "203.0.113.7", False),
        ("unknown", "203.0.113.7", False),
    ],
)
def test_whether_an_address_is_in_a_network(address: str | None, network: str, inside: bool) -> None:
    assert is_in_network(address, network) is inside


@given(st.ip_addresses())
def test_an_address_contains_itself(address: object) -> None:
    assert is_in_network(str(address), canonical_network(str(address)))
