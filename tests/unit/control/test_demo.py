"""The synthetic broadcaster: its process, its restarts and how it stops; and the command."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import av
import pytest

from control import serve as server
from control.cli import demo as command
from control.cli import main
from control.cli.client import ApiClient
from control.cli.target import Target
from control.config import Config
from control.datadir import ServerInfo
from control.demo import Broadcaster, DemoError, broadcaster, picture, publisher
from control.demo.picture import ffmpeg_command, find_font
from tests.lab.waiting import until
from tests.unit.control.fake_server import FakeServer
from tests.unit.origin.api.live import status

Capture = pytest.CaptureFixture[str]
URL, KEY = "rtmp://127.0.0.1:1935/live", "s3cr-et00"


def program(code: str) -> Callable[[], list[str]]:
    """A Python program in place of the publisher; it reads the URL to publish to from its standard input."""
    return lambda: [sys.executable, "-c", code]


def test_failures_are_retried_within_bounds_and_reported_without_the_key(tmp_path: Path) -> None:
    log = tmp_path / "runs"
    code = (
        f"import sys; url = sys.stdin.read(); open({str(log)!r}, 'a').write(url + '\\n');"
        "print('noise\\n' * 9, file=sys.stderr); sys.exit(f'cannot open {url}')"
    )
    with pytest.raises(
        DemoError, match=r"ended 5 times in a row; its last output: .*cannot open rtmp://.*/live/…"
    ) as caught:
        Broadcaster(f"{URL}/", KEY, command=program(code)).run(retry_s=0)
    assert log.read_text().splitlines() == [f"{URL}/{KEY}"] * broadcaster.MAX_FAILURES
    assert KEY not in str(caught.value)


def test_an_ffmpeg_without_output_is_reported_with_its_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broadcaster, "MAX_FAILURES", 1)
    with pytest.raises(DemoError, match=r"its last output: nothing \(exit code 3\)"):
        Broadcaster(URL, KEY, command=program("raise SystemExit(3)")).run()


def test_a_long_healthy_run_resets_the_failure_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broadcaster, "STEADY_S", 0.0)
    runs = tmp_path / "runs"
    code = f"open({str(runs)!r}, 'a').write('.')"
    demo = Broadcaster(URL, KEY, command=program(code))
    thread = threading.Thread(target=demo.run, kwargs={"retry_s": 0})
    thread.start()
    until(lambda: runs.exists() and len(runs.read_text()) > broadcaster.MAX_FAILURES)
    assert thread.is_alive()
    demo.stop()
    thread.join()


@pytest.mark.parametrize("stubborn", [False, True])
def test_stop_ends_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stubborn: bool) -> None:
    monkeypatch.setattr(broadcaster, "END_TIMEOUT_S", 0.2)
    fifo = tmp_path / "started"
    os.mkfifo(fifo)
    ignore = "signal.signal(signal.SIGTERM, signal.SIG_IGN);" if stubborn else ""
    code = f"import os, signal, time; {ignore} open({str(fifo)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    demo = Broadcaster(URL, KEY, command=program(code))
    thread = threading.Thread(target=demo.run)
    thread.start()
    pid = int(fifo.read_text())
    demo.stop()
    thread.join(10)
    assert not thread.is_alive()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    demo.stop()


def test_a_broadcaster_stopped_before_it_runs_starts_nothing(tmp_path: Path) -> None:
    started = tmp_path / "started"
    demo = Broadcaster(URL, KEY, command=program(f"open({str(started)!r}, 'w')"))
    demo.stop()
    demo.run()
    assert not started.exists()


@pytest.mark.parametrize("package", ["ffmpeg", "imageio_ffmpeg"])
def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(DemoError, match=rf"needs the package {package}.*pip install 'headwater\[demo\]'"):
        Broadcaster(URL, KEY)


def test_an_installed_font_is_found(tmp_path: Path) -> None:
    assert find_font((tmp_path, tmp_path / "none")) is None
    for name in ("b/Zapf.ttf", "a/Arial.ttf"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    assert find_font((tmp_path,)) == tmp_path / "a" / "Arial.ttf"
    (tmp_path / "b" / "DejaVuSans-Bold.ttf").touch()
    assert find_font((tmp_path / "none", tmp_path)) == tmp_path / "b" / "DejaVuSans-Bold.ttf"


@pytest.mark.parametrize("font", [True, False])
def test_ffmpeg_accepts_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, font: bool) -> None:
    if not font:
        monkeypatch.setattr(picture, "find_font", lambda: None)
    target = str(tmp_path / "out.flv")
    arguments = ffmpeg_command(target)
    assert ("drawtext" in " ".join(arguments)) == (font and find_font() is not None)
    index = arguments.index(target)
    short = [*arguments[:index], "-t", "0.2", *arguments[index:]]
    result = subprocess.run(short, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    assert Path(target).read_bytes()[:5] == b"FLV\x01\x05"


def test_every_packet_of_ffmpeg_is_published_with_its_times(tmp_path: Path) -> None:
    """To a file here; a real server takes it in tests/e2e/test_demo.py."""
    target = tmp_path / "published.flv"
    arguments = ffmpeg_command()
    index = arguments.index("pipe:1")
    short = [*arguments[:index], "-t", "1", *arguments[index:]]
    before = signal.getsignal(signal.SIGTERM)
    try:
        assert publisher.main(short, str(target)) == 0
    finally:
        signal.signal(signal.SIGTERM, before)
    with av.open(str(target)) as published:
        times = {"video": [], "audio": []}  # type: dict[str, list[float]]
        for packet in published.demux():
            if packet.dts is not None:
                times[packet.stream.type].append(float(packet.dts * packet.time_base))
    assert len(times["video"]) == 30
    assert all(0 < later - earlier < 0.05 for earlier, later in pairwise(times["video"]))
    assert len(times["audio"]) == pytest.approx(48, abs=3)


def test_a_publication_that_fails_ends_ffmpeg(tmp_path: Path, capsys: Capture) -> None:
    before = signal.getsignal(signal.SIGTERM)
    try:
        assert publisher.main(ffmpeg_command(), str(tmp_path / "no" / "such.flv")) == 1
    finally:
        signal.signal(signal.SIGTERM, before)
    assert "No such file or directory" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--to", URL], ["--key", KEY]])
def test_to_and_key_require_each_other(capsys: Capture, arguments: list[str]) -> None:
    assert main(["demo", *arguments]) == 2
    assert "--to and --key must be used together" in capsys.readouterr().err


class Recorder:
    """Replaces the broadcaster and records its arguments; ``run`` ends at ``stop``."""

    made: list["Recorder"]

    def __init__(self, url: str, key: str) -> None:
        self.target = (url, key)
        self.running = threading.Event()
        self.stopped = threading.Event()
        self.made.append(self)

    def run(self) -> None:
        self.running.set()
        self.stopped.wait()

    def stop(self) -> None:
        self.stopped.set()


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Recorder]:
    made: list[Recorder] = []
    monkeypatch.setattr(Recorder, "made", made, raising=False)
    monkeypatch.setattr(command, "Broadcaster", Recorder)
    return made


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    fake = FakeServer(tmp_path / "data")
    fake.create("live")
    fake.directory.keep_stream_key("live", KEY)
    monkeypatch.setattr(command, "ApiClient", lambda target: ApiClient(target, fake))
    return fake


def demo_on(fake: FakeServer) -> int:
    return main(["demo", "--data", str(fake.directory.path)])


def test_publishing_without_a_server_ends_with_sigterm(
    made: list[Recorder], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(Recorder, "run", lambda self: os.kill(os.getpid(), signal.SIGTERM))
    assert main(["demo", "--to", URL, "--key", KEY]) == 0
    assert made[0].target == (URL, KEY)
    assert made[0].stopped.is_set()
    assert signal.getsignal(signal.SIGTERM) is before


def test_the_key_may_be_in_the_environment(made: list[Recorder], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWATER_KEY", KEY)
    monkeypatch.setattr(Recorder, "run", lambda self: None)
    assert main(["demo", "--to", URL]) == 0
    assert made[0].target == (URL, KEY)


def test_it_publishes_to_the_running_server(
    fake: FakeServer, made: list[Recorder], capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Recorder, "run", lambda self: None)
    assert demo_on(fake) == 0
    assert made[0].target == (URL, KEY)
    assert "watch it at https://media.example.org/watch/live" in capsys.readouterr().out


def test_a_live_stream_is_not_taken_over(fake: FakeServer, made: list[Recorder], capsys: Capture) -> None:
    fake.on_air(status("live"))
    assert demo_on(fake) == 1
    assert "the stream live is live already" in capsys.readouterr().err
    assert made == []


def test_a_missing_key_file_is_reported_with_what_to_do(
    fake: FakeServer, made: list[Recorder], capsys: Capture
) -> None:
    fake.directory.forget_stream_key("live")
    assert demo_on(fake) == 1
    assert f"`headwater demo --to {URL} --key KEY`" in capsys.readouterr().err


def test_without_a_running_server_one_is_started_and_both_end_together(
    fake: FakeServer, made: list[Recorder], capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.directory.withdraw(1)

    def run(config: Config, *, json_output: bool, on_ready: Callable[[], None]) -> int:
        assert made == []
        fake.directory.announce(ServerInfo(http="http://127.0.0.1:8080", rtmp=URL, pid=2))
        on_ready()
        until(lambda: made)
        assert made[0].running.wait(10)
        return 0

    monkeypatch.setattr(server, "run", run)
    assert demo_on(fake) == 0
    assert made[0].target == (URL, KEY)
    assert made[0].stopped.is_set()
    assert "watch it at" in capsys.readouterr().out


def test_a_server_that_does_not_answer_is_not_used(fake: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def unanswered(target: Target) -> ApiClient:
        return ApiClient(Target("http://127.0.0.1:1", target.token))

    monkeypatch.setattr(command, "ApiClient", unanswered)
    assert command.running_server(fake.directory) is None
