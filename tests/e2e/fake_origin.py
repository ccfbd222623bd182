"""A server for tests of the pages: the real page routes, a fake API, and media that ffmpeg encodes in real time."""

import signal
import subprocess
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import imageio_ffmpeg  # type: ignore[import-untyped]
import uvicorn
from fastapi import Depends, FastAPI, Header, Request
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from live.status import (
    AudioStatus,
    History,
    PublisherStatus,
    RenditionStatus,
    Sample,
    SourceStatus,
    StreamState,
    StreamStatus,
    WarningStatus,
)
from media.roles import Role
from origin.api.models import (
    BanView,
    BroadcastState,
    EventPage,
    QoeSums,
    QoeView,
    ServerState,
    SpreadView,
    StreamView,
)
from origin.api.server_events import ServerEvents
from origin.pages import pages_router

TOKEN = "open-sesame"
SCOPES = {TOKEN: "admin", "end-sesame": "operate", "see-sesame": "read"}
SERVER = "rtmp://127.0.0.1:1935/live"
KEY_CREATED_AT = 1_795_257_665.0
START_S = 20.0
LADDER = ((640, 360, 500), (320, 180, 200))
MASTER = """#EXTM3U
#EXT-X-VERSION:6
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="a",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="media_2.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=700000,CODECS="avc1.42c01e,mp4a.40.2",RESOLUTION=640x360,FRAME-RATE=15.000,AUDIO="a"
media_0.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=350000,CODECS="avc1.42c00c,mp4a.40.2",RESOLUTION=320x180,FRAME-RATE=15.000,AUDIO="a"
media_1.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=70000,CODECS="mp4a.40.2",AUDIO="a"
media_2.m3u8
"""


NOTHING_PLAYED = QoeSums(starts=0, stalls=0, stalled_s=0.0, played_s=0.0, errors=0)


class Broadcast:
    """A test picture and a tone as CMAF with HLS and DASH playlists, encoded in real time until ``end``."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True)
        self.directory = directory
        self.id = directory.name
        rungs = [
            argument
            for index, (width, height, rate) in enumerate(LADDER)
            for argument in (
                *("-map", "0:v", f"-s:v:{index}", f"{width}x{height}", f"-b:v:{index}", f"{rate}k"),
                *(f"-maxrate:v:{index}", f"{rate}k", f"-bufsize:v:{index}", f"{rate}k"),
            )
        ]
        self._process = subprocess.Popen(
            (
                *(imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-loglevel", "error", "-nostdin", "-y"),
                *("-re", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=15"),
                *("-re", "-f", "lavfi", "-i", "sine=frequency=330:sample_rate=48000"),
                *rungs,
                *("-map", "1:a", "-c:a", "aac", "-b:a", "64k", "-ac", "2"),
                *("-c:v", "libx264", "-profile:v", "baseline", "-preset", "ultrafast", "-threads", "1"),
                *("-pix_fmt", "yuv420p", "-g", "15", "-keyint_min", "15", "-sc_threshold", "0"),
                *("-f", "dash", "-seg_duration", "1", "-window_size", "30", "-extra_window_size", "10"),
                *("-hls_playlist", "1", "-adaptation_sets", "id=0,streams=v id=1,streams=a"),
                str(directory / "manifest.mpd"),
            )
        )

    def wait_for(self, segments: int) -> None:
        """Wait until every playlist lists this many segments of about a second."""
        playlists = [self.directory / f"media_{index}.m3u8" for index in range(3)]
        deadline = time.monotonic() + START_S + segments
        while not all(each.exists() and each.read_text().count("#EXTINF") >= segments for each in playlists):
            assert time.monotonic() < deadline, "ffmpeg made too little"
            time.sleep(0.05)

    def freeze(self) -> None:
        """Stop encoding until ``thaw``, as if the broadcaster had lost its connection."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def end(self) -> None:
        """End the broadcast, which completes the playlists."""
        self.thaw()
        self._process.terminate()
        self._process.wait(timeout=10)


@dataclass(slots=True)
class Stream:
    """``state`` follows from ``broadcast`` and from ``waiting``, which a test may set."""

    name: str
    broadcast: Broadcast | None = None
    past: list[Broadcast] = field(default_factory=list)
    kept: set[str] = field(default_factory=set)
    waiting: bool = False
    killed: list[int] = field(default_factory=list)
    title: str = ""
    private: bool = False
    last_live_at: float | None = None
    measured: bool = True
    software: str = "obs-output module (libobs version 30.2.3)"
    has_backup: bool = False
    on_air: Role = Role.PRIMARY
    backup_key_created_at: float | None = None
    ban: BanView | None = None

    @property
    def state(self) -> StreamState:
        if self.broadcast is None:
            return StreamState.IDLE
        return StreamState.WAITING if self.waiting else StreamState.LIVE

    @property
    def other(self) -> Role:
        """The role of the publisher that is not on air."""
        return Role.BACKUP if self.on_air is Role.PRIMARY else Role.PRIMARY

    @property
    def last(self) -> Broadcast | None:
        return self.broadcast or (self.past[-1] if self.past else None)

    def end(self) -> None:
        if self.broadcast is not None:
            self.broadcast.end()
            self.past.append(self.broadcast)
            self.broadcast = None
            self.last_live_at = time.time()


class FakeOrigin:
    """``down`` makes every request below ``/api`` and ``/live`` fail with 503; the broadcasts in ``withheld`` have
    no media yet; ``warnings`` are the server's own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.streams: dict[str, Stream] = {}
        self.down = False
        self.withheld: set[str] = set()
        self.warnings: list[str] = []
        self.base_url = ""
        self._counter = 0
        self._lock = threading.Lock()

    def add(self, name: str) -> Stream:
        self.streams[name] = Stream(name)
        return self.streams[name]

    def go_live(self, name: str) -> Broadcast:
        """Start a broadcast on ``name`` and return when it is live."""
        with self._lock:
            self._counter += 1
        broadcast = Broadcast(self.directory / name / f"20261121t1041{self._counter:02d}z-ab12cd")
        broadcast.wait_for(1)
        self.streams[name].broadcast = broadcast
        return broadcast

    def close(self) -> None:
        for stream in self.streams.values():
            stream.end()


def problem(status: int, code: str, detail: str) -> JSONResponse:
    body = {"type": "about:blank", "title": code, "status": status, "detail": detail, "code": code}
    return JSONResponse(body, status, media_type="application/problem+json")


class Refused(Exception):
    pass


def require_token(authorization: Annotated[str, Header()] = "") -> str:
    """The token's scope. The pages have to know what it allows: this server does not check it."""
    scope = SCOPES.get(authorization.removeprefix("Bearer "))
    if scope is None:
        raise Refused
    return scope


def status_of(stream: Stream) -> StreamStatus:
    if stream.broadcast is None:
        return StreamStatus(stream=stream.name, state=StreamState.IDLE)
    publishers = {
        Role.PRIMARY: PublisherStatus(address="203.0.113.7:50114", software=stream.software, connected_s=3725.5),
        Role.BACKUP: PublisherStatus(
            address="198.51.100.4:1000", software=None, connected_s=12.5, role=Role.BACKUP
        ),
    }
    return StreamStatus(
        stream=stream.name,
        state=stream.state,
        broadcast=stream.broadcast.id,
        uptime_s=3725.5,
        source=SourceStatus(
            codec="h264",
            width=1280,
            height=720,
            fps=30.0,
            bitrate_bps=2_612_000 * stream.measured,
            keyframe_interval_s=8.3,
            audio=AudioStatus(codec="aac", sample_rate=48000, channels=2, bitrate_bps=160_000 * stream.measured),
        ),
        renditions=(
            RenditionStatus(
                track="vsource", kind="video", codec="avc1.64001f", width=1280, height=720, fps=30.0,
                bitrate_bps=2_450_000 * stream.measured, encoded=False,
            ),
            RenditionStatus(
                track="v480p", kind="video", codec="avc1.64001f", width=854, height=480, fps=30.0,
                bitrate_bps=1_400_000 * stream.measured, encoded=True,
            ),
            RenditionStatus(
                track="a160k", kind="audio", codec="mp4a.40.2", sample_rate=48000,
                bitrate_bps=160_000 * stream.measured, encoded=False,
            ),
        ),
        publisher=publishers[stream.on_air],
        standby=publishers[stream.other] if stream.has_backup else None,
        warnings=(
            WarningStatus(
                code="keyframe-interval",
                text="keyframe every 8.3 s: set Keyframe Interval to 2 s in OBS, Settings, Output",
                since_s=60.0,
            ),
        ),
    )  # fmt: skip


def history_of(stream: Stream, now: float) -> History:
    if stream.broadcast is None:
        return History()
    samples = (
        Sample(
            at=now - 300 + i, bitrate_bps=2_500_000 + 400_000 * (i * 7919 % 13 - 6) // 6, fps=30 - (i % 97 == 0) * 6
        )
        for i in range(300)
    )
    return History(samples=tuple(samples))


def qoe_of(stream: Stream) -> QoeView:
    """Of a stream on air, forty players report."""
    on_air = stream.broadcast is not None
    sums = QoeSums(starts=42, stalls=3, stalled_s=4.2, played_s=8400.0, errors=1) if on_air else NOTHING_PLAYED
    return QoeView(
        stream=stream.name,
        window_s=300.0,
        sessions=40 if on_air else 0,
        start_s=SpreadView(count=42, median=0.8, p95=1.94) if on_air else None,
        latency_s=SpreadView(count=40, median=1.6, p95=2.1) if on_air else None,
        bitrate_bps=2_400_000 if on_air else None,
        stalled_ratio=0.0031 if on_air else None,
        renditions=(),
        totals=sums,
        **sums.model_dump(),
    )


def create_app(origin: FakeOrigin) -> FastAPI:
    app = FastAPI()
    operator = [Depends(require_token)]

    @app.exception_handler(Refused)
    def refused(request: Request, error: Exception) -> JSONResponse:
        return problem(401, "unauthorized", "the token is not this server's: it is mistyped")

    @app.middleware("http")
    async def outage(request: Request, call_next: Any) -> Response:
        if origin.down and request.url.path.startswith(("/api/", "/live/")):
            return problem(503, "unavailable", "the server is down")
        response: Response = await call_next(request)
        return response

    def addresses(stream: str, broadcast: Broadcast | None) -> dict[str, str | None]:
        prefix = f"/live/{stream}/{broadcast.id}" if broadcast else None
        return {
            "hls": f"{prefix}/master.m3u8" if prefix else None,
            "dash": f"{prefix}/manifest.mpd" if prefix else None,
        }

    @app.get("/api/v1/watch/{name}")
    def watch(name: str) -> Response:
        if (stream := origin.streams.get(name)) is None:
            return problem(404, "stream-not-found", f"there is no stream {name}")
        last = stream.last
        body = {
            "stream": name,
            "title": stream.title,
            "private": stream.private,
            "state": stream.state,
            "broadcast": last.id if last else None,
        }
        return JSONResponse(body | addresses(name, last), headers={"Cache-Control": "no-store"})

    @app.get("/time")
    def now() -> PlainTextResponse:
        return PlainTextResponse(datetime.now(UTC).isoformat())

    @app.get("/live/{name}/master.m3u8")
    def master(name: str, token: str = "") -> Response:
        """The page asks here if it is admitted to a private stream; it does not load this playlist."""
        if origin.streams[name].private and not token:
            return problem(403, "token-missing", f"the stream {name} is private: it needs a link with a token")
        return Response(status_code=404)

    @app.get("/live/{name}/{broadcast}/{file}")
    def media(name: str, broadcast: str, file: str) -> Response:
        path = origin.directory / name / broadcast / file
        if broadcast in origin.withheld or not path.exists():
            return Response(status_code=404)
        if file == "master.m3u8":
            return Response(MASTER, media_type="application/vnd.apple.mpegurl")
        if file == "manifest.mpd":
            manifest = path.read_text().replace('PresentationDelay="PT1S"', 'PresentationDelay="PT3S"')
            return Response(manifest, media_type="application/dash+xml", headers={"Cache-Control": "no-store"})
        types = {".m3u8": "application/vnd.apple.mpegurl", ".m4s": "video/mp4"}
        return Response(path.read_bytes(), media_type=types[path.suffix], headers={"Cache-Control": "no-store"})

    @app.get("/api/v1/access")
    def access(scope: Annotated[str, Depends(require_token)]) -> dict[str, str | None]:
        return {"name": "studio", "id": "1", "scope": scope, "expires_at": None}

    @app.get("/api/v1/streams", dependencies=operator)
    async def streams() -> list[StreamView]:
        return [
            StreamView(
                **status_of(stream).model_dump(),
                watch=f"/watch/{stream.name}",
                server=SERVER,
                title=stream.title,
                private=stream.private,
                key_created_at=KEY_CREATED_AT,
                backup_key_created_at=stream.backup_key_created_at,
                last_live_at=stream.last_live_at,
                ban=stream.ban,
            )
            for stream in list(origin.streams.values())
        ]

    async def no_events(stream: str, broadcast: str, after: int) -> EventPage:
        state = BroadcastState.LIVE
        return EventPage(stream=stream, broadcast=broadcast, state=state, events=(), last=after, dropped=0)

    server = ServerEvents(
        streams, no_events, lambda: ServerState(at=time.time(), draining=None, warnings=tuple(origin.warnings))
    )

    @app.get("/api/v1/events", dependencies=operator, response_class=EventSourceResponse)
    async def follow() -> AsyncIterator[ServerSentEvent]:
        with server.reading() as reader:
            async for message in reader.messages():
                if origin.down:
                    return
                yield message

    @app.post("/api/v1/streams", dependencies=operator, status_code=201)
    async def create(request: Request) -> Response:
        body = await request.json()
        name = body["stream"]
        if name in origin.streams:
            return problem(409, "stream-exists", f"there is a stream called {name} already")
        origin.add(name).private = body["private"]
        return JSONResponse(secrets_of(name, "k-first"), status_code=201)

    @app.patch("/api/v1/streams/{name}", dependencies=operator)
    async def change(name: str, request: Request) -> dict[str, str]:
        body, stream = await request.json(), origin.streams[name]
        stream.title, stream.private = body["title"], body["private"]
        return {"stream": name}

    @app.post("/api/v1/streams/{name}/tokens", dependencies=operator, status_code=201)
    async def token(name: str, request: Request) -> dict[str, Any]:
        seconds = (await request.json())["for_s"]
        query = f"token=for-{seconds}"
        return {
            "stream": name,
            "token": f"for-{seconds}",
            "expires_at": int(time.time()) + seconds,
            "watch": f"{origin.base_url}/watch/{name}?{query}",
            "hls": f"{origin.base_url}/live/{name}/master.m3u8?{query}",
            "dash": f"{origin.base_url}/live/{name}/manifest.mpd?{query}",
        }

    @app.get("/api/v1/streams/{name}/keys", dependencies=operator)
    def keys(name: str) -> list[dict[str, Any]]:
        key = {"name": "primary", "role": "primary", "created_at": KEY_CREATED_AT, "addresses": []}
        unused = {"expires_at": None, "last_used_at": None, "last_used_from": None}
        used = {"expires_at": time.time() + 86_400, "last_used_at": time.time(), "last_used_from": "203.0.113.7"}
        return [key | unused, key | used | {"name": "guest", "addresses": ["203.0.113.0/24", "2001:db8::/32"]}]

    @app.post("/api/v1/streams/{name}/rotate-key", dependencies=operator)
    def rotate(name: str) -> dict[str, str]:
        return secrets_of(name, "k-second")

    @app.post("/api/v1/streams/{name}/backup-key", dependencies=operator)
    def rotate_backup_key(name: str) -> dict[str, str]:
        origin.streams[name].backup_key_created_at = KEY_CREATED_AT
        return secrets_of(name, "k-backup")

    @app.delete("/api/v1/streams/{name}/backup-key", dependencies=operator, status_code=204)
    def remove_backup_key(name: str) -> None:
        origin.streams[name].backup_key_created_at = None

    @app.post("/api/v1/streams/{name}/switch", dependencies=operator)
    def switch(name: str) -> dict[str, str]:
        stream = origin.streams[name]
        stream.on_air = stream.other
        return {"stream": name, "to": stream.on_air}

    def secrets_of(name: str, key: str) -> dict[str, str]:
        return {
            "stream": name,
            "server": SERVER,
            "key": f"{name}-{key}-0123456789abcdef",
            "watch": f"{origin.base_url}/watch/{name}",
        }

    @app.delete("/api/v1/streams/{name}", dependencies=operator)
    def delete(name: str) -> Response:
        if origin.streams[name].broadcast is not None:
            return problem(409, "stream-live", f"{name} is live: end its broadcast first")
        del origin.streams[name]
        return Response(status_code=204)

    @app.post("/api/v1/streams/{name}/kill", dependencies=operator)
    async def kill(name: str, request: Request) -> Response:
        stream = origin.streams[name]
        if stream.broadcast is None:
            return problem(409, "not-live", f"{name} is not live: there is nothing to end")
        stream.killed.append((await request.json())["ban_s"])
        stream.end()
        return JSONResponse({})

    @app.get("/api/v1/streams/{name}/history", dependencies=operator)
    def history(name: str) -> History:
        return history_of(origin.streams[name], time.time())

    @app.get("/api/v1/streams/{name}/qoe", dependencies=operator)
    def qoe(name: str) -> QoeView:
        return qoe_of(origin.streams[name])

    @app.get("/api/v1/streams/{name}/thumbnail.jpg", dependencies=operator)
    def thumbnail(name: str) -> Response:
        broadcast = origin.streams[name].broadcast
        if broadcast is None:
            return problem(404, "no-thumbnail", "no picture yet")
        return Response(make_thumbnail(broadcast), media_type="image/jpeg", headers={"Cache-Control": "no-store"})

    @app.get("/api/v1/streams/{name}/events", dependencies=operator)
    def events(name: str) -> dict[str, Any]:
        texts = ("the broadcast started", "the publisher from 203.0.113.7:50114 was lost: the connection was lost")
        return {"events": [{"at": KEY_CREATED_AT + at, "text": text} for at, text in enumerate(texts)]}

    @app.get("/api/v1/streams/{name}/broadcasts", dependencies=operator)
    def broadcasts(name: str) -> list[dict[str, Any]]:
        return [
            {
                "broadcast": broadcast.id,
                "state": "ended",
                "started_at": 1_795_257_665.0,
                "ended_at": 1_795_262_000.0,
                "duration_s": 4335.0,
                "bytes": 1_284_000_000 * origin.streams[name].measured,
                "kept": broadcast.id in origin.streams[name].kept,
                "watch": f"/watch/{name}?broadcast={broadcast.id}",
                **addresses(name, broadcast),
            }
            for broadcast in reversed(origin.streams[name].past)
        ]

    @app.api_route(
        "/api/v1/streams/{name}/broadcasts/{broadcast}/keep",
        methods=["PUT", "DELETE"],
        status_code=204,
        dependencies=operator,
    )
    def keep(name: str, broadcast: str, request: Request) -> None:
        kept = origin.streams[name].kept
        (kept.add if request.method == "PUT" else kept.discard)(broadcast)

    @app.delete("/api/v1/streams/{name}/broadcasts/{broadcast}", status_code=204, dependencies=operator)
    def delete_broadcast(name: str, broadcast: str) -> None:
        past = origin.streams[name].past
        past[:] = [each for each in past if each.id != broadcast]

    @app.get("/embedding/{name}")
    def embedding(name: str) -> HTMLResponse:
        """A third party's page that embeds the watch page; request it by a host name other than that of
        ``base_url``."""
        source = f"{origin.base_url}/watch/{name}"
        return HTMLResponse(f'<iframe src="{source}" width="640" height="360" allow="autoplay"></iframe>')

    app.include_router(pages_router())
    return app


def make_thumbnail(broadcast: Broadcast) -> bytes:
    seconds = int(time.time()) % 60
    return subprocess.run(
        (
            *(imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-nostdin", "-f", "lavfi"),
            *("-i", f"testsrc2=size=480x270:rate=1:duration={seconds + 1}", "-ss", str(seconds), "-frames:v", "1"),
            *("-f", "mjpeg", "-"),
        ),
        capture_output=True,
        check=True,
    ).stdout


@contextmanager
def serve(directory: Path) -> Iterator[FakeOrigin]:
    """Run the server in a thread on a free port of the loopback interface, until the block ends."""
    origin = FakeOrigin(directory)
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(origin),
            host="127.0.0.1",
            port=0,
            log_level="critical",
            ws="none",
            # The server's events do not end by themselves.
            timeout_graceful_shutdown=1,
        )
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.02)
        port = server.servers[0].sockets[0].getsockname()[1]
        origin.base_url = f"http://127.0.0.1:{port}"
        yield origin
    finally:
        server.should_exit = True
        origin.close()
        thread.join(timeout=10)
