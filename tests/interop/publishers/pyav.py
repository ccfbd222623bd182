"""PyAV, as a Python program uses it. This file is both the row and the program that it runs."""

import importlib.metadata
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import av

from tests.interop.children import run
from tests.interop.outcome import PUBLISHED_S
from tests.interop.publishers import Target

WITHIN_S = 30.0


@dataclass(frozen=True, slots=True)
class PyavPublisher:
    name: str = "PyAV"
    codecs: str = "H.264, AAC"
    refused: bool = False

    def missing(self) -> str | None:
        return None

    def version(self) -> str:
        return importlib.metadata.version("av")

    def publish(self, target: Target) -> None:
        command = [sys.executable, "-m", "tests.interop.publishers.pyav", str(target.clip), target.url]
        run(command, target.log, within_s=WITHIN_S)


def remux(clip: Path, url: str) -> None:
    """Copy ``PUBLISHED_S`` seconds of ``clip`` to ``url``, each packet when it is due."""
    with av.open(str(clip)) as source, av.open(url, "w", format="flv") as output:
        streams = {stream.index: output.add_stream_from_template(stream) for stream in source.streams}
        began = time.monotonic()
        for packet in source.demux():
            if packet.dts is None or packet.time_base is None:
                continue
            due = float(packet.dts * packet.time_base)
            if due >= PUBLISHED_S:
                break
            time.sleep(max(0.0, began + due - time.monotonic()))
            packet.stream = streams[packet.stream.index]
            output.mux(packet)


if __name__ == "__main__":
    remux(Path(sys.argv[1]), sys.argv[2])
