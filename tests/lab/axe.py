"""axe-core in a page: the rules of WCAG 2.2, levels A and AA, and axe's best practices."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

SCRIPT = Path(__file__).parents[2] / "web/node_modules/axe-core/axe.min.js"
TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
FINISH = """() => Promise.all(
  document.getAnimations().filter((each) => each instanceof CSSTransition).map((each) => each.finished))"""
# Each violated rule with the elements, and what axe advises.
RUN = """tags => axe.run({ runOnly: { type: "tag", values: tags } }).then(({ violations }) =>
  violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) =>
    `${id}: ${target.join(" ")}: ${failureSummary}`)))"""


def violations(page: Page) -> list[str]:
    """What axe finds on ``page`` as it is now; animations are finished first, because axe reads colours."""
    assert SCRIPT.exists(), "axe-core is not installed: run make setup"
    page.evaluate(SCRIPT.read_text())
    page.evaluate(FINISH)
    found: Any = page.evaluate(RUN, list(TAGS))
    return [str(each) for each in found]
