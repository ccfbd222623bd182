"""Which rungs fit into the node's budget."""

from worker.encoding.budget import EncodingBudget

RATES = {"v720p": 27, "v480p": 12, "v360p": 7}


def test_without_a_limit_everything_fits() -> None:
    assert EncodingBudget().reserve("a", RATES) == RATES.keys()


def test_the_cheapest_rungs_that_fit_are_reserved() -> None:
    budget = EncodingBudget(30)
    assert budget.reserve("a", RATES) == {"v360p", "v480p"}
    assert budget.reserve("b", RATES) == {"v360p"}
    assert budget.reserve("c", RATES) == frozenset()


def test_no_larger_rung_takes_the_place_of_one_that_does_not_fit() -> None:
    budget = EncodingBudget(20)
    assert budget.reserve("a", {"small": 25, "large": 26}) == frozenset()


def test_a_broadcast_that_ends_makes_room() -> None:
    budget = EncodingBudget(30)
    budget.reserve("a", RATES)
    assert budget.reserve("b", RATES) == {"v360p"}
    budget.release("a")
    assert budget.reserve("b", RATES) == {"v360p", "v480p"}


def test_a_new_reservation_replaces_the_old_one() -> None:
    budget = EncodingBudget(30)
    budget.reserve("a", RATES)
    assert budget.reserve("a", RATES) == {"v360p", "v480p"}
