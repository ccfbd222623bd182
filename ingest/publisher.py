"""One publisher's connection: passes bytes to the RTMP core, and the core's events to the publication.

All work is done in callbacks of the event loop. The only task of a connection runs while the handler authorizes it.
A callback ends after a few milliseconds: if work is left, the socket is not read until the loop has run others.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from math import inf
from time import monotonic
from types import MappingProxyType
from typing import cast

import structlog
from structlog.typing import FilteringBoundLogger

from ingest.address import AddressRefused, stream_key
from ingest.budget import LOOK_EVERY_S, OTHERS_PER_SLICE, SLICE_S, Budget
from ingest.errors import PublishRefused
from ingest.feed import MediaFeed
from ingest.flv import UnsupportedCodec
from ingest.interface import EndReason, IngestHandler, Publication, PublishRequest
from ingest.options import IngestOptions
from ingest.pending import PendingConnections
from ingest.proxy_protocol import BadProxyHeader, Preface, ProxyHeader
from ingest.refusals import Refusal, RefusalMemory
from ingest.rtmp import (
    AGAIN,
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
from ingest.tls import MAX_BEFORE_PUBLISH, TlsFailed, TlsSession
from media.errors import MediaLimit
from media.peers import TrustedPeers

log = structlog.get_logger("ingest")

# Checks per idle timeout. Checking by timer avoids reading the clock for each frame.
IDLE_CHECKS = 5
KEEPALIVE: Mapping[str, int] = MappingProxyType({"TCP_KEEPIDLE": 15, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3})

# What on_repaired gets while a publisher is read more slowly than it sends.
SLOWED_DOWN = "too-many-messages"
NOT_CHECKED = "The server could not check the stream key; try again"


@dataclass(slots=True)
class SharedState:
    """State that all connections of a server share. ``count`` takes the stable code of why a connection ended."""

    handler: IngestHandler
    options: IngestOptions
    count: Callable[[str], None]
    refusals: RefusalMemory = field(init=False)
    trusted: TrustedPeers = field(init=False)
    pending: PendingConnections["Publisher"] = field(init=False)
    # All connections, pending ones included.
    publishers: set["Publisher"] = field(default_factory=set)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    empty: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        options = self.options
        self.refusals = RefusalMemory(options.refusal_memory)
        self.trusted = TrustedPeers(options.trusted_proxies)
        self.pending = PendingConnections(options.max_pending, options.max_pending_per_address)

    def reconfigure(self, options: IngestOptions) -> None:
        self.options, self.trusted = options, TrustedPeers(options.trusted_proxies)

    @property
    def is_full(self) -> bool:
        return len(self.publishers) - len(self.pending) >= self.options.max_publishers

    def wait_for_key(self, publisher: "Publisher", address: str | None) -> None:
        """Add ``publisher`` to the pending connections, or count it under another address."""
        self.pending.remove(publisher)
        for oldest in self.pending.add(publisher, address):
            oldest.evict()


class Publisher(asyncio.BufferedProtocol):
    """A connection from accept to close, with ``tls`` an encrypted one. It is the
    :class:`ingest.interface.PublisherLink` of its publication."""

    _transport: asyncio.Transport

    def __init__(self, shared: SharedState, tls: ssl.SSLContext | None = None) -> None:
        self.address = ""
        self._host = ""
        self._shared = shared
        self._loop = asyncio.get_running_loop()
        self._connection = ServerConnection(shared.options.limits)
        self._tls = None if tls is None else TlsSession(tls)
        self._state = State.HANDSHAKE
        self._timer: asyncio.TimerHandle | None = None
        # The first bytes, until it is known whether they are a PROXY header.
        self._preface: Preface | None = Preface()
        # Why no key is accepted on this connection: the code and the text.
        self._unwelcome: tuple[str, str] | None = None
        self._key = ""
        self._publication: Publication | None = None
        self._log: FilteringBoundLogger = log
        self._feed: MediaFeed | None = None
        self._budget: Budget | None = None
        # When to look at the budget next. Up to the last look: messages, and bytes. Since then: slices of work.
        self._next_look = inf
        self._messages_seen = 0
        self._bytes_seen = 0
        self._slices = 0
        # When the callback must end, and those that follow it at once: uvloop may read a socket several times
        # before it runs other callbacks.
        self._slice_ends = 0.0
        # Set while the socket is not read because work is left or the budget is used up.
        self._resumption: asyncio.Handle | None = None
        self._media_messages = 0
        self._other_messages = 0
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

    def request_reconnect(self, text: str) -> bool:
        """See :class:`ingest.interface.PublisherLink`."""
        asked = self._ended is None and self._connection.request_reconnect(text)
        self._flush()
        return asked

    def evict(self) -> None:
        """Close the connection at once, because others wait for its place. It has no accepted key."""
        if self._ended is None:
            self._ended = (EndReason.KICKED, "the connection made room for others")
            self._shared.count("connection-evicted")
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername") or ("", 0)
        self._name(peer[0], peer[1])
        self._shared.publishers.add(self)
        # A balancer has the connections of many publishers.
        self._shared.wait_for_key(self, None if self._host in self._shared.trusted else self._host)
        _keep_alive(transport.get_extra_info("socket"))
        self._enter(State.HANDSHAKE)

    def get_buffer(self, sizehint: int) -> memoryview:
        if self._preface is not None:
            return self._preface.get_buffer()
        return self._connection.get_buffer() if self._tls is None else self._tls.get_buffer()

    def buffer_updated(self, nbytes: int) -> None:
        if self._preface is not None:
            self._read_preface(self._preface, nbytes)
        elif self._tls is not None:
            # What a peer sends after its end is not read.
            if self._ended is None:
                self._tls.buffer_updated(nbytes)
        else:
            self._connection.buffer_updated(nbytes)
        self._work()

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
        self._connection.close()
        # A handle that ran keeps its callback, which keeps this object.
        self._set_timer(None)
        if self._resumption is not None:
            self._resumption.cancel()
            self._resumption = None
        self._shared.publishers.discard(self)
        self._shared.pending.remove(self)
        if not self._shared.publishers:
            self._shared.empty.set()

    def _name(self, host: str, port: int) -> None:
        self._host = host
        self.address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def _read_preface(self, preface: Preface, count: int) -> None:
        try:
            read = preface.buffer_updated(count)
        except BadProxyHeader as error:
            self._preface = None
            self._drop(error.code, str(error))
            return
        if read is not None:
            header, rest = read
            self._preface = None
            self._take_proxy_header(header)
            (self._connection.receive_data if self._tls is None else self._tls.receive)(rest)

    def _take_proxy_header(self, header: ProxyHeader | None) -> None:
        """Take the client's address from a trusted proxy.

        A broadcaster sees no refusal before it asks to publish, so one for the header waits until then.
        """
        trusted = self._host in self._shared.trusted
        if header is not None and not trusted:
            text = f"{self._host} sends the PROXY protocol but is not in [rtmp] trusted_proxies"
            self._unwelcome = ("proxy-not-trusted", text)
        elif header is None and trusted:
            text = f"{self._host} is in [rtmp] trusted_proxies but does not send the PROXY protocol"
            self._unwelcome = ("proxy-header-missing", text)
        elif header is not None and header.client is not None:
            self._name(*header.client)
            self._shared.wait_for_key(self, self._host)

    def _work(self) -> None:
        """Handle what was received; with TLS, as much as may be read now."""
        self._run()
        tls = self._tls
        if tls is None:
            return
        while self._resumption is None and self._ended is None and self._state is not State.AUTHORIZING:
            try:
                count = tls.read_into(self._connection.get_buffer())
            except TlsFailed as error:
                self._drop(error.code, str(error))
                return
            if self._publication is None and tls.received > MAX_BEFORE_PUBLISH:
                self._drop("too-much-before-publish", "the connection sent too much before it published")
                return
            if not count:
                break
            self._connection.buffer_updated(count)
            self._run()
        self._flush()
        if tls.closed:
            self._transport.close()

    def _run(self) -> None:
        """Handle the events that the received bytes contain, and send the answers.

        After SLICE_S, the rest is left to a later callback.
        """
        connection, feed, now, ends = self._connection, self._feed, monotonic(), self._slice_ends
        if now >= ends:
            ends = self._slice_ends = now + SLICE_S
        messages = others = 0
        try:
            while (event := connection.next_event()) is not NEED_DATA:
                kind = type(event)
                messages += 1
                if kind is VideoMessage:
                    assert feed is not None
                    feed.video.take(*cast(VideoMessage, event))
                elif kind is AudioMessage:
                    assert feed is not None
                    feed.audio.take(*cast(AudioMessage, event))
                else:
                    others += 1
                    if others == OTHERS_PER_SLICE:
                        ends = 0.0
                    if event is PAUSED:
                        break
                    if event is not AGAIN:
                        self._on_event(event)
                now = monotonic()
                if now >= ends:
                    self._slices += 1
                    self._next_look = now
                    self._read_later(0)
                    break
            self._media_messages += messages - others
            if others:
                self._other_messages += others
            if now >= self._next_look:
                self._keep_budget(now)
        except (UnsupportedCodec, MediaLimit) as error:
            refusal = Refusal(error.code, str(error))
            self._shared.refusals.remember(self._host, self._key, refusal, self._loop.time())
            self._drop(error.code, str(error))
        except RtmpError as error:
            self._drop(error.code, str(error))
        self._flush()
        if connection.state is not self._state:
            self._enter(connection.state)

    def _keep_budget(self, now: float) -> None:
        """Stop reading for a while if the publisher has used up its budget. Raises MediaLimit."""
        publication, budget = self._publication, self._budget
        if publication is None or budget is None:
            self._next_look = inf
            return
        received, messages = self.bytes_received, self._media_messages + self._other_messages
        more_bytes, more_messages = received - self._bytes_seen, messages - self._messages_seen
        wait = budget.spend(more_bytes, more_messages, self._slices * SLICE_S, now)
        self._bytes_seen, self._messages_seen, self._slices = received, messages, 0
        self._next_look = now + LOOK_EVERY_S
        if wait:
            publication.on_repaired(SLOWED_DOWN)
            self._read_later(wait)

    def _read_later(self, seconds: float) -> None:
        """Do not read the socket until ``seconds`` have passed and other callbacks have run."""
        if self._ended is not None:
            return
        if self._resumption is not None:
            self._resumption.cancel()
        self._transport.pause_reading()
        resume = self._resume_reading
        self._resumption = self._loop.call_later(seconds, resume) if seconds else self._loop.call_soon(resume)

    def _resume_reading(self) -> None:
        """Handle what is left, and read the socket again if nothing is."""
        self._resumption = None
        self._slice_ends = 0.0
        if self._ended is not None or self._transport.is_closing():
            return
        self._work()
        if self._resumption is None and self._ended is None and self._state is not State.AUTHORIZING:
            self._transport.resume_reading()

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
        if self._unwelcome is not None:
            self._refuse(*self._unwelcome)
            return
        if self._shared.is_full:
            text = f"The server has {options.max_publishers} publishers, which is its limit"
            self._refuse("too-many-publishers", text)
            return
        try:
            key = stream_key(event.app, event.name, expected_app=options.app, max_length=options.max_key_length)
        except AddressRefused as refused:
            self._refuse(refused.reason, refused.text)
            return
        refusal = self._shared.refusals.recall(self._host, key, self._loop.time())
        if refusal is not None:
            self._refuse(*refusal)
        else:
            self._key = key
            self._transport.pause_reading()
            request = PublishRequest(
                options.app, key, self.address, event.software, encrypted=self._tls is not None
            )
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
        self._shared.pending.remove(self)
        self._publication = publication
        self._log = log.bind(**publication.log_context)
        options = self._shared.options
        self._feed = MediaFeed(publication, self._loop.time, max_pixels=options.max_pixels)
        now = self._next_look = monotonic()
        self._budget = Budget(options.max_bitrate, options.max_messages, now)
        self._bytes_seen, self._messages_seen = self.bytes_received, self._media_messages + self._other_messages
        self._slices = 0
        self._connection.accept_publish()
        self._flush()
        # Bytes may have arrived after the publish command, before reading was paused.
        self._resume_reading()

    def _refuse(self, code: str, text: str) -> None:
        self._shared.count(code)
        log.info("publisher refused", address=self.address, code=code, text=text)
        if self._ended is None:
            self._ended = (EndReason.KICKED, text)
            self._connection.refuse_publish(text)
            self._linger()

    def _drop(self, code: str, text: str) -> None:
        self._shared.count(code)
        self._log.info("connection dropped", address=self.address, code=code, text=text)
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
        feed, self._feed, self._budget, self._next_look = self._feed, None, None, inf
        if publication is not None:
            # Without a publication, it may hold its place no longer than others, and send no more.
            self._shared.wait_for_key(self, self._host)
            if self._tls is not None:
                self._tls.received = 0
            if feed is not None:
                with suppress(MediaLimit):
                    feed.close()
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
        if self._tls is not None:
            self._tls.encrypt(data)
            data = self._tls.data_to_send()
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
