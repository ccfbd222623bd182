"""The compared RTMP servers, behind one interface."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.lab.peers import mediamtx, nginx_rtmp, srs
from tests.lab.server import serving
from transcoder.ladder import SOURCE_TRACK

HEADWATER, COMPILED = "Headwater", "Headwater, compiled"
NGINX, SRS, MEDIAMTX = "nginx-rtmp", "SRS", "MediaMTX"
SOURCE = "source"
# The copy of the checkout that `make compiled` makes.
COPY = Path(__file__).parents[1] / ".venv" / "compiled"


@dataclass(frozen=True, slots=True)
class Running:
    """``publish`` returns the URL to publish a stream to; ``directory`` is where media are written, and
    ``playlist`` the pattern of a stream's playlist there, if it is on disk. ``lists_late``: it is written rarely,
    because live viewers get it from memory. ``http`` is the URL of the HLS server, ``master`` the path of a
    stream's multivariant playlist; ``rendition`` returns the name of a rendition from its playlist's path, and
    ``bearer`` is a token that viewers send."""

    pid: int
    publish: Callable[[str], str]
    directory: Path
    playlist: str | None = None
    http: str = ""
    master: str = ""
    rendition: Callable[[str], str] = lambda path: SOURCE
    bearer: str | None = None
    lists_late: bool = False


Start = Callable[[Path], AbstractContextManager[Running]]


def _present() -> None:
    return None


@dataclass(frozen=True, slots=True)
class Server:
    """``missing`` returns why the server cannot take part, or None if it can."""

    start: Start
    missing: Callable[[], str | None] = _present


def headwater(ladder: str, *, compiled: bool = False) -> Server:
    @contextmanager
    def start(directory: Path) -> Iterator[Running]:
        data = directory / "data"
        environment = {"HEADWATER_TRANSCODER__LADDER": ladder}
        if compiled:
            environment |= {"PYTHONPATH": str(COPY), "PYTHONSAFEPATH": "1"}
        with serving(data, environment=environment) as server:
            yield Running(
                server.pid,
                server.create,
                data / "store" / "live",
                f"{{}}/*/{SOURCE_TRACK}/media.m3u8",
                server.http,
                "/live/{}/master.m3u8",
                _rendition,
                lists_late=True,
            )

    return Server(start, _not_compiled if compiled else _present)


def _not_compiled() -> str | None:
    return (
        None if any(COPY.glob("headwater__mypyc.*")) else "The compiled modules take no part: run `make compiled`."
    )


@contextmanager
def _mediamtx(directory: Path) -> Iterator[Running]:
    hls = directory / "hls"
    hls.mkdir()
    with mediamtx.mediamtx(directory, hls) as server:
        yield Running(
            server.pid,
            lambda stream: f"{server.rtmp}/{stream}",
            hls,
            http=server.http,
            master="/live/{}/index.m3u8",
            bearer=mediamtx.SECRET,
        )


def _writing_hls(serve: Callable[[Path], AbstractContextManager[tuple[int, str, Path]]]) -> Start:
    @contextmanager
    def start(directory: Path) -> Iterator[Running]:
        with serve(directory) as (pid, rtmp, hls):
            yield Running(pid, lambda stream: f"{rtmp}/{stream}", hls, "{}.m3u8")

    return start


SERVERS = {
    HEADWATER: headwater("source"),
    COMPILED: headwater("source", compiled=True),
    NGINX: Server(_writing_hls(nginx_rtmp.nginx_rtmp), nginx_rtmp.missing),
    SRS: Server(_writing_hls(srs.srs), srs.missing),
    MEDIAMTX: Server(_mediamtx, mediamtx.missing),
}


def present(servers: dict[str, Server], only: str | None, notes: list[str]) -> dict[str, Server]:
    """Those of ``servers`` that can take part; the reasons why others cannot are added to ``notes``."""
    selected = {name: server for name, server in servers.items() if only in (None, name)}
    reasons = {name: reason for name, server in selected.items() if (reason := server.missing())}
    notes.extend(reason for reason in reasons.values() if reason not in notes)
    return {name: server for name, server in selected.items() if name not in reasons}


def _rendition(path: str) -> str:
    track = path.split("/")[-2]
    return SOURCE if track == SOURCE_TRACK else track.removeprefix("v")
