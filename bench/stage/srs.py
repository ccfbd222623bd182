"""SRS, where somebody says by HEADWATER_BENCH_SRS where its program is, making HLS of what is published to it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.stage.hls_files import HlsFiles
from bench.stage.machine import SRS_VARIABLE
from tests.lab.daemon import daemon
from tests.lab.ports import HOST, free_port
from tests.lab.programs import find_program

MISSING = f"SRS: skipped, {SRS_VARIABLE} does not say where its program is"
# Segments are as long as Headwater's; everything else is its default, but for where files and words go.
CONFIGURATION = """\
listen {host}:{port};
daemon off;
pid {directory}/srs.pid;
srs_log_tank console;
srs_log_level_v2 warn;
ff_log_dir {directory};
vhost __defaultVhost__ {{
    hls {{
        enabled on;
        hls_path {hls};
        hls_fragment 2;
    }}
}}
"""


def missing() -> str | None:
    """Why it cannot take part, or None."""
    return MISSING if find_program(os.environ.get(SRS_VARIABLE, "")) is None else None


@contextmanager
def srs(directory: Path) -> Iterator[HlsFiles]:
    """Ended with the block. Raises LabError."""
    port, configuration, hls = free_port(), directory / "srs.conf", directory / "hls"
    hls.mkdir(parents=True)
    configuration.write_text(CONFIGURATION.format(host=HOST, port=port, directory=directory, hls=hls))
    command = [os.environ.get(SRS_VARIABLE, ""), "-c", str(configuration)]
    with daemon(command, port, directory, missing=MISSING) as pid:
        yield HlsFiles(pid, f"rtmp://{HOST}:{port}/live", hls / "live")
