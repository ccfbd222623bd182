"""Peers by address: trust, and counts of connections."""

import pytest

from media.peers import ConnectionCounts, TrustedPeers, counted_as


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2001:db8:0:7::1", "2001:db8:0:7:ffff::2"),
        ("203.0.113.7", "::ffff:203.0.113.7"),
        ("fe80::1%eth0", "fe80::2"),
        ("", ""),
        ("unix", "unix"),
    ],
)
def test_addresses_of_one_peer_count_together(one: str, other: str) -> None:
    assert counted_as(one) == counted_as(other)


@pytest.mark.parametrize(
    ("one", "other"), [("2001:db8:0:7::1", "2001:db8:0:8::1"), ("203.0.113.7", "203.0.113.8"), ("", "203.0.113.7")]
)
def test_addresses_of_different_peers_count_apart(one: str, other: str) -> None:
    assert counted_as(one) != counted_as(other)


def test_connections_are_counted_for_each_peer() -> None:
    counts = ConnectionCounts()
    counts.add("2001:db8::1")
    counts.add("2001:db8::2")
    counts.add("203.0.113.7")
    assert (counts.of("2001:db8::3"), counts.of("203.0.113.7"), counts.of("203.0.113.8")) == (2, 1, 0)
    counts.remove("2001:db8::1")
    counts.remove("2001:db8::2")
    assert counts.of("2001:db8::1") == 0


@pytest.mark.parametrize("address", ["10.1.2.3", "::ffff:10.1.2.3", "2001:db8::5"])
def test_peers_in_a_trusted_network_are_trusted(address: str) -> None:
    assert address in TrustedPeers(("10.0.0.0/8", "2001:db8::5"))


@pytest.mark.parametrize("address", ["11.1.2.3", "2001:db8::6", "", "name", None])
def test_other_peers_are_not_trusted(address: object) -> None:
    assert address not in TrustedPeers(("10.0.0.0/8", "2001:db8::5"))
    assert address not in TrustedPeers()


def test_a_star_trusts_every_peer() -> None:
    assert "203.0.113.7" in TrustedPeers(("*",))
