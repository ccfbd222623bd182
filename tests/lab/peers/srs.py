"""SRS, which writes published streams as HLS. HEADWATER_BENCH_SRS is the path of its program."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.lab.daemon import daemon
from tests.lab.ports import HOST, free_port
from tests.lab.programs import find_program

SRS_VARIABLE = "HEADWATER_BENCH_SRS"
MISSING = f"SRS: skipped, {SRS_VARIABLE} does not name its program"
# Segments are as long as Headwater's. Everything else is the default, except the places of files and logs.
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
    """Why it cannot take part, or None if it can."""
    return MISSING if find_program(os.environ.get(SRS_VARIABLE, "")) is None else None


@contextmanager
def srs(directory: Path) -> Iterator[tuple[int, str, Path]]:
    """Its process id, the URL to publish to, and the directory of its playlists. Stopped when the block ends.

    Raises LabError.
    """
    port, configuration, hls = free_port(), directory / "srs.conf", directory / "hls"
    hls.mkdir(parents=True)
    configuration.write_text(CONFIGURATION.format(host=HOST, port=port, directory=directory, hls=hls))
    command = [os.environ.get(SRS_VARIABLE, ""), "-c", str(configuration)]
    with daemon(command, port, directory, missing=MISSING) as pid:
        yield pid, f"rtmp://{HOST}:{port}/live", hls / "live"
