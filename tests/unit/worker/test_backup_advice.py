"""The warnings about a stream's primary and backup."""

import pytest

from media.roles import Role
from worker.backup_advice import BackupAdvice, Places
from worker.warnings import Warnings

PRIMARY, BACKUP = Role


def warned(places: Places | None) -> dict[str, str]:
    warnings = Warnings()
    BackupAdvice(warnings).review(places, 10.0)
    return {warning.code: warning.text for warning in warnings.status(10.0)}


@pytest.mark.parametrize(
    "places",
    [
        None,
        Places(PRIMARY),
        Places(BACKUP),
        Places(PRIMARY, BACKUP, silent_s=2.0),
        Places(BACKUP, PRIMARY),
        Places(PRIMARY, BACKUP, why="stalled"),
        Places(PRIMARY, BACKUP, backup_lost=True),
    ],
)
def test_nothing_is_wrong(places: Places | None) -> None:
    assert warned(places) == {}


@pytest.mark.parametrize(
    ("places", "remedy"),
    [
        (Places(BACKUP, why="left"), "check its encoder and its network"),
        (Places(BACKUP, PRIMARY, silent_s=7, why="stalled"), "it is connected, but has sent nothing for 7 s"),
        (Places(BACKUP, PRIMARY, why="stalled"), "it sends again, and `headwater switch` puts it on air"),
    ],
)
def test_the_backup_is_on_air_without_anyones_choice(places: Places, remedy: str) -> None:
    (text,) = warned(places).values()
    assert text.startswith(f"the backup is on air, because the primary {places.why}: {remedy}")
    assert list(warned(places)) == ["backup-on-air"]


def test_a_standby_that_sends_nothing_cannot_take_over() -> None:
    (text,) = warned(Places(PRIMARY, BACKUP, silent_s=5)).values()
    assert text.startswith("the backup is connected, but has sent nothing for 5 s, so it cannot take over")
    assert list(warned(Places(BACKUP, PRIMARY, silent_s=5))) == ["standby-silent"]


def test_a_backup_that_was_there_is_missed() -> None:
    assert list(warned(Places(PRIMARY, backup_lost=True))) == ["backup-missing"]
    assert warned(Places(BACKUP, backup_lost=True)) == {}


def test_a_warning_ends_with_its_cause() -> None:
    warnings = Warnings()
    advice = BackupAdvice(warnings)
    advice.review(Places(BACKUP, why="left"), 10.0)
    advice.review(Places(PRIMARY), 11.0)
    assert warnings.status(11.0) == ()
