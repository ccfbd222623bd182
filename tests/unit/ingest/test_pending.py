"""Connections before the key: the one that has waited longest makes room."""

from ingest.pending import PendingConnections


def test_the_connection_that_has_waited_longest_makes_room() -> None:
    pending: PendingConnections[int] = PendingConnections(limit=3, per_address=3)
    assert [pending.add(number, f"203.0.113.{number}") for number in range(5)] == [[], [], [], [0], [1]]
    assert len(pending) == 3


def test_an_address_at_its_limit_evicts_its_own_connection() -> None:
    pending: PendingConnections[str] = PendingConnections(limit=10, per_address=2)
    pending.add("other", "203.0.113.1")
    results = [pending.add(name, f"2001:db8::{name}") for name in ("a", "b", "c", "d")]
    assert results == [[], [], ["a"], ["b"]]
    assert pending.add("e", "2001:db8:0:1::e") == []
    assert len(pending) == 4


def test_a_connection_with_an_accepted_key_leaves() -> None:
    pending: PendingConnections[str] = PendingConnections(limit=1, per_address=1)
    pending.add("a", "203.0.113.1")
    pending.remove("a")
    pending.remove("a")
    assert pending.add("b", "203.0.113.1") == []


def test_a_balancer_has_no_limit_of_its_own() -> None:
    pending: PendingConnections[int] = PendingConnections(limit=4, per_address=1)
    assert [pending.add(number, None) for number in range(5)] == [[], [], [], [], [0]]
