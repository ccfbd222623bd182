"""OBS Studio, without a screen."""

import time
from dataclasses import dataclass

from tests.interop.children import first_line
from tests.interop.outcome import PUBLISHED_S
from tests.interop.publishers import Target
from tests.lab import obs
from tests.lab.waiting import until

STARTS_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True)
class ObsPublisher:
    name: str = "OBS Studio"
    codecs: str = "H.264, AAC"
    refused: bool = False

    def missing(self) -> str | None:
        return obs.missing()

    def version(self) -> str:
        return first_line(["dpkg-query", "-W", "-f", "${Version}", "obs-studio"]).partition("+")[0]

    def publish(self, target: Target) -> None:
        with obs.obs_publishing(target.directory, target.rtmp, target.key) as publisher:
            until(lambda: "==== Streaming Start" in publisher.log(), timeout=STARTS_WITHIN_S)
            time.sleep(PUBLISHED_S)
        target.log.write_text(publisher.log())
