"""``headwater qoe``: how playback is, as a table and as JSON."""

from pathlib import Path

import pytest

from origin.qoe.cmcd import parse_report
from origin.qoe.ladder import Ladder
from tests.unit.control.fake_server import NOW, FakeServer
from tests.unit.control.test_cli import Capture, data, failure, output

LADDER = Ladder(video=(("v720p", (2_500_000,)), ("v360p", (800_000,))))
REPORTS = (
    'br=(2500;v),cid="studio",e=ps,msd=800,sid="a",sta=p,ts=0,v=2',
    'br=(2500;v),cid="studio",e=t,ltc=1500,sid="a",sta=p,ts=60000,v=2',
    'br=(800;v),bsd=(3000),cid="studio",e=t,sid="a",sta=p,ts=120000,v=2',
)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    monkeypatch.setenv("HEADWATER_DATA", str(tmp_path / "data"))
    server = FakeServer(tmp_path / "data")
    server.create("studio")
    return server


def test_a_table_of_the_last_minutes(server: FakeServer, capsys: Capture) -> None:
    server.reports.figures.take("studio", map(parse_report, REPORTS), LADDER, NOW)
    lines = output(server, capsys, "qoe", "studio").splitlines()
    assert [line.rstrip() for line in lines] == [
        "stream           studio",
        "window           the last 5:00",
        "sessions         1 now",
        "start-up         0.8 s (p95 0.8 s)",
        "behind live      1.5 s (p95 1.5 s)",
        "stalls           1 (3.0 s), 2.4 % of the time",
        "bitrate          800 kbit/s",
        "errors           0",
        "since the start  1 started, 2:00 played, 1 stalled (3.0 s), 0 failed",
        "",
        "RENDITION  SESSIONS  BITRATE     START-UP           BEHIND LIVE        STALLS                   "
        "     ERRORS",
        "v360p      1         800 kbit/s  0.8 s (p95 0.8 s)  1.5 s (p95 1.5 s)  none                          0",
        "v720p      0         -           -                  -                  1 (3.0 s), 2.4 % of the time  0",
    ]


def test_a_stream_that_nobody_reports_about(server: FakeServer, capsys: Capture) -> None:
    text = output(server, capsys, "qoe", "studio")
    assert "sessions         0 now" in text
    assert "RENDITION" not in text


def test_json(server: FakeServer, capsys: Capture) -> None:
    server.reports.figures.take("studio", map(parse_report, REPORTS), LADDER, NOW)
    view = data(server, capsys, "qoe", "studio")
    assert (view["stream"], view["sessions"], view["totals"]["stalls"]) == ("studio", 1, 1)
    assert [each["rendition"] for each in view["renditions"]] == ["v360p", "v720p"]


def test_an_unknown_stream(server: FakeServer, capsys: Capture) -> None:
    assert "there is no stream other" in failure(server, capsys, "qoe", "other")
