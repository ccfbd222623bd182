"""One player's run through the phases of its network."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from playwright.sync_api import Browser, Page

from tests.lab.browser import visit, wait_for
from tests.lab.glass.scene import STREAM
from tests.lab.players.network import Network, Phase
from tests.lab.players.recorder import RECORDER, Record, read_record, wait_for_height


@dataclass(frozen=True, slots=True)
class PhaseSpan:
    """When a phase took place, in seconds since the page was opened."""

    start: float
    end: float
    kbps: int | None


@dataclass(frozen=True, slots=True)
class Run:
    player: str
    spans: tuple[PhaseSpan, ...]
    record: Record


def play(browser: Browser, base: str, player: str, phases: Sequence[Phase]) -> Run:
    """Play the watch page of ``base`` at low latency through ``phases``; the first begins when playback does."""
    with visit(browser, f"{base}/watch/{STREAM}?player={player}&muted=1") as opened:
        page = opened.page
        page.evaluate(RECORDER)
        network = Network(page)
        wait_for(page, "() => window.record.started !== null && window.headwater.frames > 0")
        spans = []
        for phase in phases:
            network.carry(phase.kbps)
            start = now(page)
            time.sleep(phase.seconds)
            if phase.height is not None:
                wait_for_height(page, phase.height)
            spans.append(PhaseSpan(start, now(page), phase.kbps))
        return Run(player, tuple(spans), read_record(page.evaluate("window.record"), opened.complaints))


def now(page: Page) -> float:
    seconds: float = page.evaluate("performance.now() / 1000")
    return seconds
