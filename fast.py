"""Compiles the modules that handle every frame to machine code, with mypyc (`make fast`).

    python fast.py [DIRECTORY]      compiles them in this checkout, or in a copy of it
    python fast.py --remove         makes the checkout run the sources again
    python fast.py --check          says what is missing to compile them, and fails if something is

A compiled module lies beside its source, and Python prefers it; without a compiler, the same code runs from the
sources. After a change of a source, compile again: the server does not start with older modules.
"""

import argparse
import os
import shutil
import sys
import sysconfig
import tempfile
from pathlib import Path

# Left out: what changes rarely, what pydantic reads (mypyc's classes have no annotations), async generators, and
# subclasses of built-in types.
MODULES = (
    "ingest/audio_feed.py",
    "ingest/budget.py",
    "ingest/feed.py",
    "ingest/flv/audio.py",
    "ingest/flv/tags.py",
    "ingest/flv/video.py",
    "ingest/offset_guard.py",
    "ingest/picture_joiner.py",
    "ingest/publisher.py",
    "ingest/rtmp/buffer.py",
    "ingest/rtmp/chunk_reader.py",
    "ingest/rtmp/chunk_stream.py",
    "ingest/rtmp/connection.py",
    "ingest/sample_clock.py",
    "ingest/step_hold.py",
    "ingest/timeline.py",
    "ingest/timestamp_speed.py",
    "ingest/track_clock.py",
    "ingest/track_distance.py",
    "ingest/track_feed.py",
    "ingest/track_start.py",
    "ingest/video_feed.py",
    "live/advance.py",
    "live/bus.py",
    "live/window_track.py",
    "media/codecs/h264/messages.py",
    "media/codecs/h264/nal_units.py",
    "media/codecs/h264/random_access.py",
    "media/timescale.py",
    "packager/boxes/box.py",
    "packager/boxes/fields.py",
    "packager/boxes/mdat.py",
    "packager/boxes/mfhd.py",
    "packager/boxes/moof.py",
    "packager/boxes/prft.py",
    "packager/boxes/tfdt.py",
    "packager/boxes/tfhd.py",
    "packager/boxes/traf.py",
    "packager/boxes/trun.py",
    "packager/cmaf/audio_track.py",
    "packager/cmaf/bitrate.py",
    "packager/cmaf/cutter.py",
    "packager/cmaf/entries.py",
    "packager/cmaf/fragment.py",
    "packager/cmaf/frame_clock.py",
    "packager/cmaf/frame_interval.py",
    "packager/cmaf/segment_writer.py",
    "packager/cmaf/video_track.py",
    "worker/broadcast.py",
    "worker/latency.py",
    "worker/ledger/entry_log.py",
    "worker/ledger/peak.py",
    "worker/media_clock.py",
    "worker/meter.py",
    "worker/preroll.py",
    "worker/recorder.py",
    "worker/source_timeline.py",
    "worker/still_picture.py",
    "worker/track_set.py",
)
# The library that the compiled modules share.
SHARED = "headwater__mypyc"


def remove(root: Path) -> None:
    packages = {module.partition("/")[0] for module in MODULES}
    compiled = [path for package in packages for path in (root / package).rglob("*.so")]
    for path in (*root.glob(f"{SHARED}.*.so"), *compiled):
        path.unlink()


def missing() -> str | None:
    """What the machine lacks to compile C for this Python."""
    if shutil.which(os.environ.get("CC", "cc")) is None:
        return "there is no C compiler (Debian: apt-get install gcc libc6-dev)"
    if not (Path(sysconfig.get_path("include")) / "Python.h").exists():
        return "the headers of this Python are not installed (Debian: apt-get install python3-dev)"
    return None


def compile_modules(root: Path) -> None:
    """Raises SystemExit if the types are wrong."""
    # Only here, so that --remove works without them.
    from mypyc.build import mypycify
    from setuptools import Distribution
    from setuptools.command.build_ext import build_ext

    remove(root)
    os.chdir(root)
    with tempfile.TemporaryDirectory() as build:
        extensions = mypycify(
            ["--config-file", "pyproject.toml", *MODULES],
            opt_level="3",
            group_name="headwater",
            target_dir=build,
        )
        # Without a setup() that reads pyproject.toml: the project itself is built by hatchling.
        command = build_ext(Distribution({"name": "headwater", "ext_modules": extensions}))
        command.inplace, command.build_temp, command.build_lib = True, build, f"{build}/lib"
        command.ensure_finalized()
        command.run()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", nargs="?", type=Path, default=Path(__file__).parent)
    parser.add_argument("--remove", action="store_true")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    root = options.directory.resolve()
    if options.remove:
        remove(root)
        return
    if lacking := missing():
        sys.exit(lacking)
    if options.check:
        return
    compile_modules(root)
    print(f"compiled {len(MODULES)} modules; python fast.py --remove goes back to the sources")


if __name__ == "__main__":
    main()
