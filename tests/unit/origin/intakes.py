"""The intake of reports over a catalogue."""

from collections.abc import Callable

from origin.api.cmcd import ReportIntake
from origin.qoe.ladder import Ladder
from storage.catalogue import Catalogue


def make_intake(
    catalogue: Catalogue,
    monotonic: Callable[[], float],
    *,
    ladder: Callable[[str], Ladder | None] = lambda stream: None,
    enabled: Callable[[], bool] = lambda: True,
) -> ReportIntake:
    """By default, no stream is live here."""
    return ReportIntake(enabled=enabled, ladder=ladder, find=catalogue.find_stream, monotonic=monotonic)
