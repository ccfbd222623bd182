"""OBS Studio without a screen and with a configuration of its own. It streams one colour, and silence.

OBS reads the root certificates that it trusts from /etc/ssl/certs alone. A test's root is mounted there, for OBS
alone (unshare(1)).
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.lab.stopping import stop

CERTIFICATES = "/etc/ssl/certs"
UNSHARE = ("unshare", "--map-root-user", "--mount")
STOPPED_WITHIN_S = 15.0
SIZE = (320, 180)
FPS = 30
PROFILE = "test"
# OBS asks before it streams a scene without any source.
COLOUR = {
    "id": "color_source",
    "versioned_id": "color_source_v3",
    "name": "Colour",
    "settings": {"color": 0xFF996633},
}


@dataclass(frozen=True, slots=True)
class Obs:
    """A running OBS. ``logs`` is the directory of its log file."""

    process: "subprocess.Popen[bytes]"
    logs: Path

    def log(self) -> str:
        return "".join(path.read_text(errors="replace") for path in sorted(self.logs.glob("*.txt")))


def missing() -> str | None:
    """What is not installed, or None."""
    is_there = all(map(shutil.which, ("obs", "Xvfb")))
    return None if is_there else "OBS without a screen (Debian: obs-studio, xvfb)"


def can_trust() -> bool:
    """Whether this machine lets a test mount its own root certificate."""
    return subprocess.run([*UNSHARE, "true"], capture_output=True, check=False).returncode == 0


@contextmanager
def obs_publishing(folder: Path, server: str, key: str, *, root: Path | None = None) -> Iterator[Obs]:
    """OBS that publishes to ``server`` with ``key`` until the block ends. It trusts only the certificate ``root``.
    Files are in ``folder``."""
    configuration = folder / "config" / "obs-studio"
    configure(configuration, server, key)
    with screen(folder) as display:
        command = [
            *(trusting(folder / "certificates", root) if root is not None else ()),
            *("obs", "--startstreaming", "--multi", "--minimize-to-tray"),
            *("--disable-updater", "--disable-missing-files-check", "--unfiltered_log"),
        ]
        with (folder / "output").open("wb") as output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment(folder, display),
            )
        try:
            yield Obs(process, configuration / "logs")
        finally:
            stop(process, STOPPED_WITHIN_S)


@contextmanager
def screen(folder: Path) -> Iterator[str]:
    """A virtual screen; yields its name for DISPLAY."""
    read, write = os.pipe()
    with (folder / "xvfb.log").open("wb") as output:
        process = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x800x24", "-nolisten", "tcp", "-noreset"],
            pass_fds=[write],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=output,
        )
    os.close(write)
    try:
        with os.fdopen(read) as numbers:
            yield f":{numbers.readline().strip()}"
    finally:
        stop(process, STOPPED_WITHIN_S)


def trusting(folder: Path, root: Path) -> list[str]:
    """The start of a command that runs the rest with ``root`` as the only certificate of the machine."""
    folder.mkdir()
    shutil.copy(root, folder / "root.pem")
    script = f'mount --bind "$0" {CERTIFICATES} && exec "$@"'
    return [*UNSHARE, "sh", "-c", script, str(folder)]


def environment(folder: Path, display: str) -> dict[str, str]:
    """Without this machine's own configuration, session bus and sound server."""
    folders = {name: folder / name.lower() for name in ("data", "cache", "state", "run", "home")}
    for path in folders.values():
        path.mkdir(mode=0o700)
    return {
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "HOME": str(folders["home"]),
        "DISPLAY": display,
        "LIBGL_ALWAYS_SOFTWARE": "1",
        "QT_QPA_PLATFORM": "xcb",
        "XDG_CONFIG_HOME": str(folder / "config"),
        "XDG_RUNTIME_DIR": str(folders["run"]),
        **{f"XDG_{name.upper()}_HOME": str(folders[name]) for name in ("data", "cache", "state")},
        "DBUS_SESSION_BUS_ADDRESS": f"unix:path={folders['run']}/none",
        "PULSE_SERVER": f"unix:{folders['run']}/none",
        # OBS asks its makers for news and services.
        "https_proxy": "http://127.0.0.1:9",
        "http_proxy": "http://127.0.0.1:9",
    }


def configure(folder: Path, server: str, key: str) -> None:
    profile = folder / "basic" / "profiles" / PROFILE
    profile.mkdir(parents=True)
    width, height = SIZE
    application: Mapping[str, Mapping[str, object]] = {
        "General": {"FirstRun": "true", "LastVersion": 99 << 24, "EnableAutoUpdates": "false"},
        "Basic": {
            "Profile": PROFILE,
            "ProfileDir": PROFILE,
            "SceneCollection": PROFILE,
            "SceneCollectionFile": PROFILE,
        },
        "BasicWindow": {"PreviewEnabled": "false", "WarnBeforeStartingStream": "false"},
    }
    # OBS 31 has split the first file.
    for name in ("global.ini", "user.ini"):
        write_ini(folder / name, application)
    video = {"BaseCX": width, "BaseCY": height, "OutputCX": width, "OutputCY": height, "FPSType": 1, "FPSInt": FPS}
    write_ini(
        profile / "basic.ini",
        {
            "General": {"Name": PROFILE},
            "Output": {"Mode": "Advanced", "Reconnect": "false"},
            "AdvOut": {"Encoder": "obs_x264", "TrackIndex": 1, "RecFilePath": folder, "FFFilePath": folder},
            "Video": video,
            "Audio": {"SampleRate": 48000},
        },
    )
    encoder = {"rate_control": "CBR", "bitrate": 300, "keyint_sec": 2, "preset": "ultrafast"}
    (profile / "streamEncoder.json").write_text(json.dumps(encoder))
    (folder / "basic" / "scenes").mkdir()
    (folder / "basic" / "scenes" / f"{PROFILE}.json").write_text(json.dumps(scenes()))
    service = {"type": "rtmp_custom", "settings": {"server": server, "key": key, "use_auth": False}}
    (profile / "service.json").write_text(json.dumps(service))


def scenes() -> dict[str, object]:
    """A collection of one scene that shows ``COLOUR``."""
    shown = {"name": COLOUR["name"], "id": 1, "visible": True, "align": 5, "scale": {"x": 1.0, "y": 1.0}}
    scene = {"id": "scene", "name": "Scene", "settings": {"id_counter": 1, "items": [shown]}}
    return {
        "name": PROFILE,
        "current_scene": "Scene",
        "current_program_scene": "Scene",
        "scene_order": [{"name": "Scene"}],
        "sources": [COLOUR, scene],
    }


def write_ini(path: Path, sections: Mapping[str, Mapping[str, object]]) -> None:
    path.write_text(
        "".join(
            f"[{name}]\n" + "".join(f"{key}={value}\n" for key, value in values.items())
            for name, values in sections.items()
        )
    )
