"""The viewer's network, limited by DevTools to a bandwidth in kbit/s, or unlimited."""

from dataclasses import dataclass

from playwright.sync_api import CDPSession, Page

UNLIMITED = -1
BITS = 8


@dataclass(frozen=True, slots=True)
class Phase:
    """``seconds`` of the run on a network of ``kbps``; None is unlimited. The phase lasts until the player shows
    pictures of ``height``, if that takes longer."""

    seconds: float
    kbps: int | None
    height: int | None = None


class Network:
    """One page's network."""

    def __init__(self, page: Page) -> None:
        self._session: CDPSession = page.context.new_cdp_session(page)
        self._session.send("Network.enable")

    def carry(self, kbps: int | None) -> None:
        rate = UNLIMITED if kbps is None else kbps * 1000 / BITS
        conditions = {"offline": False, "latency": 0, "downloadThroughput": rate, "uploadThroughput": UNLIMITED}
        self._session.send("Network.emulateNetworkConditions", conditions)
