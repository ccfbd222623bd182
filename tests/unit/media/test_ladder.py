import pytest

from media.ladder import Rung, require_descending


def test_a_ladder_descends() -> None:
    require_descending(())
    require_descending((Rung(1080, 3_000_000), Rung(64, 50_000)))


@pytest.mark.parametrize(
    ("upper", "lower", "reason"),
    [
        (Rung(480, 1_000_000), Rung(720, 500_000), "720 does not come after 480"),
        (Rung(480, 1_000_000), Rung(480, 500_000), "each height once"),
        (Rung(720, 1_000_000), Rung(480, 1_000_000), "the 480 rung has 1000k, no less than the 720 rung's 1000k"),
    ],
)
def test_a_ladder_that_does_not_descend(upper: Rung, lower: Rung, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        require_descending((upper, lower))
