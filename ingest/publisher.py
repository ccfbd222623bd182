"""One publisher's connection: passes bytes to the RTMP core, and the core's events to the publication.

All work is done in callbacks of the event loop. The only task of a connection runs while the handler authorizes it.
"""

import asyncio
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import cast

import structlog

from ingest.address import AddressRefused, stream_key
from ingest.errors import PublishRefused
from ingest.feed import MediaFeed
from ingest.flv import UnsupportedCodec
from ingest.interface import EndReason, IngestHandler, Publication, PublishRequest
from ingest.options import IngestOptions
from ingest.refusals import RefusalMemory
from ingest.rtmp import (
    NEED_DATA,
    PAUSED,
    AudioMessage,
    MessageDropped,
    Metadata,
    PlayRefused,
    PublishRequested,
    RtmpError,
    ServerConnection,
    State,
    Unpublished,
    VideoMessage,
)
from ingest.rtmp.events import Event

log = structlog.get_logger("ingest")

# Checks per idle timeout. Checking by timer avoids reading the clock for each frame.
IDLE_CHECKS = 5
KEEPALIVE: Mapping[str, int] = MappingProxyType({"TCP_KEEPIDLE": 15, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3})

NOT_CHECKED = "The server could not check the stream key; try again"


@dataclass(slots=True)
class SharedState:
    """State that all connections of a server share. ``count`` takes the stable code of why a connection ended."""

    handler: IngestHandler
    options: IngestOptions
    count: Callable[[str], None]
    refusals: RefusalMemory
    publishers: set["Publisher"] = field(default_factory=set)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    empty: asyncio.Event = field(default_factory=asyncio.Event)


class Publisher(asyncio.BufferedProtocol):
    """A connection from accept to close. It is the :class:`ingest.interface.PublisherLink` of its publication."""

    _transport: asyncio.Transport
    _feed: MediaFeed

    def __init__(self, shared: SharedState) -> None:
        self.address = ""
        self._host = ""
        self._shared = shared
        self._loop = asyncio.get_running_loop()
        self._connection = ServerConnection(shared.options.limits)
        self._state = State.HANDSHAKE
        self._timer: asyncio.TimerHandle | None = None
        self._key = ""
        self._publication: Publication | None = None
        self._media_messages = 0
        self._media_seen = 0
        self._idle_checks = 0
        # The reason why the connection ended, or None while it is open.
        self._ended: tuple[EndReason, str] | None = None

    @property
    def bytes_received(self) -> int:
        return self._connection.bytes_received

    def kick(self, text: str, reason: EndReason = EndReason.KICKED) -> None:
        """Send ``text`` to the publisher and disconnect it. The publication has ended when this returns.

        If the handler is still authorizing, the publication ends as soon as ``authorize`` returns it.
        """
        self._finish(reason, text)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername") or ("", 0)
        self._host = peer[0]
        self.address = f"[{peer[0]}]:{peer[1]}" if ":" in peer[0] else f"{peer[0]}:{peer[1]}"
        if len(self._shared.publishers) >= self._shared.options.max_connections:
            self._ended = (EndReason.KICKED, "too many connections")
            self._shared.count("too-many-connections")
            self._transport.abort()
            return
        self._shared.publishers.add(self)
        _keep_alive(transport.get_extra_info("socket"))
        self._enter(State.HANDSHAKE)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._connection.get_buffer()

    def buffer_updated(self, nbytes: int) -> None:
        self._connection.buffer_updated(nbytes)
        self._run()

    def eof_received(self) -> bool:
        return False

    def pause_writing(self) -> None:
        """Disconnect a peer that does not read the replies, because they must not accumulate in memory."""
        if self._ended is None:
            self._drop("not-reading", "the publisher does not read the server's answers")
        self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended = self._ended or (EndReason.LOST, "the connection was lost")
        self._end_publication(*self._ended)
        self._connection.end()
        if self._timer is not None:
            self._timer.cancel()
        self._shared.publishers.discard(self)
        if not self._shared.publishers:
            self._shared.empty.set()

    def _run(self) -> None:
        """Handle the events that the received bytes contain, and send the answers."""
        connection = self._connection
        try:
            while (event := connection.next_event()) is not NEED_DATA:
                kind = type(event)
                if kind is VideoMessage:
                    self._media_messages += 1
                    self._feed.video.take(*cast(VideoMessage, event))
                elif kind is AudioMessage:
                    self._media_messages += 1
                    self._feed.audio.take(*cast(AudioMessage, event))
                elif event is PAUSED:
                    break
                else:
                    self._on_event(event)
        except UnsupportedCodec as error:
            self._shared.refusals.remember(self._host, self._key, str(error), self._loop.time())
            self._drop(error.code, str(error))
        except RtmpError as error:
            self._drop(error.code, str(error))
        self._flush()
        if connection.state is not self._state:
            self._enter(connection.state)

    def _on_event(self, event: Event) -> None:
        match event:
            case PublishRequested():
                self._on_publish(event)
            case Unpublished():
                self._end_publication(EndReason.UNPUBLISHED, "the publisher stopped")
            case PlayRefused():
                self._drop("play-refused", "a player connected to the port for publishers")
            case Metadata(values) if self._publication is not None:
                self._publication.on_metadata(values)
            case MessageDropped(reason) if self._publication is not None:
                self._publication.on_dropped(reason)

    def _on_publish(self, event: PublishRequested) -> None:
        options = self._shared.options
        try:
            key = stream_key(event.app, event.name, expected_app=options.app, max_length=options.max_key_length)
        except AddressRefused as refused:
            self._refuse(refused.reason, refused.text)
            return
        refusal = self._shared.refusals.recall(self._host, key, self._loop.time())
        if refusal is not None:
            self._refuse(UnsupportedCodec.code, refusal)
        else:
            self._key = key
            self._transport.pause_reading()
            request = PublishRequest(options.app, key, self.address, event.software)
            task = self._loop.create_task(self._authorize(request))
            self._shared.tasks.add(task)
            task.add_done_callback(self._shared.tasks.discard)

    async def _authorize(self, request: PublishRequest) -> None:
        try:
            async with asyncio.timeout(self._shared.options.authorize_timeout):
                publication = await self._shared.handler.authorize(request, self)
        except PublishRefused as refusal:
            self._refuse(refusal.code, refusal.text)
        except TimeoutError:
            self._refuse("authorize-timeout", NOT_CHECKED)
        except Exception:
            log.exception("a publisher could not be authorized", address=self.address)
            self._refuse("authorize-failed", NOT_CHECKED)
        else:
            self._accept(publication)

    def _accept(self, publication: Publication) -> None:
        if self._ended is not None:
            publication.on_end(*self._ended)
            return
        self._publication = publication
        self._feed = MediaFeed(publication, self._loop.time)
        self._connection.accept_publish()
        self._flush()
        self._transport.resume_reading()
        # Bytes may have arrived after the publish command, before reading was paused.
        self._run()

    def _refuse(self, code: str, text: str) -> None:
        self._shared.count(code)
        log.info("publisher refused", address=self.address, code=code, text=text)
        if self._ended is None:
            self._ended = (EndReason.KICKED, text)
            self._connection.refuse_publish(text)
            self._linger()

    def _drop(self, code: str, text: str) -> None:
        self._shared.count(code)
        log.info("connection dropped", address=self.address, code=code, text=text)
        self._finish(EndReason.PROTOCOL_ERROR, text)

    def _finish(self, reason: EndReason, text: str) -> None:
        if self._ended is not None:
            return
        self._ended = (reason, text)
        self._connection.end(text)
        self._linger()
        self._end_publication(reason, text)

    def _end_publication(self, reason: EndReason, text: str) -> None:
        publication, self._publication = self._publication, None
        if publication is not None:
            self._feed.close()
            publication.on_end(reason, text)

    def _linger(self) -> None:
        """Close the connection, after ``linger_timeout`` if a message was sent.

        Reading continues until then: closing a socket with unread bytes resets the connection, and the peer may
        lose the message.
        """
        if not self._flush():
            self._transport.abort()
            return
        self._transport.resume_reading()
        self._set_timer(self._shared.options.linger_timeout, self._transport.abort)

    def _flush(self) -> bool:
        """Write the core's output to the socket. Return False if it has none."""
        data = self._connection.data_to_send()
        if data:
            self._transport.write(data)
        return bool(data)

    def _enter(self, state: State) -> None:
        """Start the timeout of the session's new state."""
        self._state = state
        options = self._shared.options
        match state:
            case State.HANDSHAKE:
                self._expect("handshake", options.handshake_timeout)
            case State.CONNECTING:
                self._expect("connect", options.connect_timeout)
            case State.CONNECTED:
                self._expect("publish", options.publish_timeout)
            case State.AUTHORIZING:
                self._set_timer(None)
            case State.PUBLISHING:
                self._idle_checks = 0
                self._check_media()
            case State.ENDED:
                pass

    def _expect(self, step: str, seconds: float) -> None:
        text = f"no {step} arrived within {seconds:g} s"
        self._set_timer(seconds, lambda: self._drop(f"{step}-timeout", text))

    def _check_media(self) -> None:
        """Check for new media, and end the publication after ``IDLE_CHECKS`` checks without any."""
        if self._media_messages != self._media_seen:
            self._media_seen, self._idle_checks = self._media_messages, 0
        elif self._idle_checks == IDLE_CHECKS:
            self._shared.count("idle-timeout")
            self._finish(EndReason.LOST, f"no audio or video arrived for {self._shared.options.idle_timeout:g} s")
            return
        self._idle_checks += 1
        self._set_timer(self._shared.options.idle_timeout / IDLE_CHECKS, self._check_media)

    def _set_timer(self, seconds: float | None, call: Callable[[], None] = lambda: None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if seconds is None else self._loop.call_later(seconds, call)


def _keep_alive(sock: socket.socket) -> None:
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in KEEPALIVE.items():
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
