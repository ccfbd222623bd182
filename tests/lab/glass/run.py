"""One measurement: a broadcast, a browser, and the time of day read from its screen."""

import time
from dataclasses import dataclass

from playwright.sync_api import Browser

from tests.lab.browser import chromium, player, visit, wait_for
from tests.lab.glass.figures import Figures, evaluate
from tests.lab.glass.scene import STREAM, on_air
from tests.lab.glass.strip import READER


@dataclass(frozen=True, slots=True)
class Plan:
    """``settle`` seconds after the first picture are not counted: the player approaches its target meanwhile."""

    player: str
    seconds: float
    settle: float
    cached: bool
    config: str


def measure(plan: Plan) -> Figures:
    with on_air(plan.config, cached=plan.cached) as base, chromium() as browser:
        return watch(plan, browser, base)


def watch(plan: Plan, browser: Browser, base: str) -> Figures:
    with visit(browser, f"{base}/watch/{STREAM}?player={plan.player}&muted=1") as opened:
        page = opened.page
        wait_for(page, "() => window.headwater.screen === 'playing' && window.headwater.frames > 0")
        time.sleep(plan.settle)
        page.evaluate(READER)
        time.sleep(plan.seconds)
        collected = page.evaluate("window.glass")
        for complaint in opened.complaints:
            print(f"the page complained: {complaint}")
        return evaluate(player(page, "player"), collected, len(opened.complaints))
