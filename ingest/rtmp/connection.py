"""The server side of one RTMP session, without I/O: takes received bytes, returns events and bytes to send.

    connection.receive_data(data)              # or get_buffer() and buffer_updated(), which avoid a copy
    while (event := connection.next_event()) not in (NEED_DATA, PAUSED):
        if event is not AGAIN:
            ...
    transport.write(connection.data_to_send())

A call of ``next_event`` reads one message at most, so the caller can do other work between two of them.

The connection answers everything itself, except for the decision whether a publisher may publish. All errors raised
are those of :mod:`ingest.rtmp.errors`. After a PeerError or a LimitError, the connection must be closed.
"""

from collections import deque
from collections.abc import Callable, Mapping
from os import urandom
from types import MappingProxyType

from ingest.rtmp import control, replies
from ingest.rtmp.aggregate import split_aggregate
from ingest.rtmp.allowance import Allowance
from ingest.rtmp.buffer import READ_SIZE, SMALL_READ_SIZE, ReceiveBuffer
from ingest.rtmp.chunk_reader import ChunkReader
from ingest.rtmp.command import parse_command
from ingest.rtmp.data_message import parse_metadata
from ingest.rtmp.errors import MalformedMessage, MessageTooLarge, RtmpError
from ingest.rtmp.events import (
    AGAIN,
    NEED_DATA,
    PAUSED,
    AudioMessage,
    Event,
    MessageDropped,
    Metadata,
    Signal,
    VideoMessage,
)
from ingest.rtmp.handshake import ServerHandshake
from ingest.rtmp.limits import Limits
from ingest.rtmp.message import UNFINISHED, Message, MessageType
from ingest.rtmp.outgoing import Outgoing
from ingest.rtmp.session import CommandSession
from ingest.rtmp.states import State

# Used for every frame. A module constant is ten times faster than an enumeration member.
AUDIO = int(MessageType.AUDIO)
VIDEO = int(MessageType.VIDEO)
PUBLISHING = State.PUBLISHING


class ServerConnection:
    """``entropy(n)`` returns n random bytes for the handshake."""

    def __init__(self, limits: Limits | None = None, entropy: Callable[[int], bytes] = urandom) -> None:
        self._limits = limits or Limits()
        self._buffer = ReceiveBuffer()
        self._handshake = ServerHandshake(entropy)
        self._reader = ChunkReader(self._buffer, self._limits)
        self._outgoing = Outgoing()
        self._session = CommandSession(self._outgoing, self._limits.max_message_streams)
        # The messages of an aggregate that were not handled yet.
        self._parts: deque[Message] = deque()
        self._allowance = Allowance(self._limits)
        self._received = 0
        self._acknowledged = 0
        self._peer_window: int | None = None
        self._own_window = replies.WINDOW_SIZE

    @property
    def state(self) -> State:
        return self._session.state

    @property
    def bytes_received(self) -> int:
        return self._received

    def receive_data(self, data: bytes | bytearray | memoryview) -> None:
        """Take received bytes. While ``next_event`` returns PAUSED they accumulate, so stop reading the socket."""
        self._buffer.append(data)
        self._count(len(data))

    def get_buffer(self) -> memoryview:
        """Memory for the next received bytes. Write to it, then call :meth:`buffer_updated`."""
        return self._buffer.writable(READ_SIZE // 2 if self._publishing else SMALL_READ_SIZE)

    def buffer_updated(self, count: int) -> None:
        self._buffer.written(count)
        self._count(count)

    def data_to_send(self) -> bytes:
        """The bytes to send to the peer. Each byte is returned once."""
        return self._outgoing.take()

    def next_event(self) -> Event | Signal:
        """The next event; NEED_DATA if there is none; PAUSED while a publish request is open; AGAIN if there was
        work without an event.

        Raises PeerError, LimitError.
        """
        if self._session.state is not PUBLISHING:
            return self._next_outside_publication()
        message = self._parts.popleft() if self._parts else self._reader.next_message()
        if message is None:
            return NEED_DATA
        event = self._on_message(message)
        return AGAIN if event is None else event

    def accept_publish(self) -> None:
        """Accept the publish request. Raises LocalError if no publish request is open."""
        self._session.accept_publish()
        self._allowance.begin_publication(self._read, self._reader.chunks)
        self._reader.set_publishing(True)

    def refuse_publish(self, text: str) -> None:
        """Refuse the publish request with ``text`` and end the session. OBS fails at once and logs ``text``.

        Raises LocalError if no publish request is open.
        """
        self._session.refuse_publish(text)

    def request_reconnect(self, text: str) -> bool:
        """Ask a publisher that announced support to open a new connection. Returns whether it was asked."""
        return self._session.request_reconnect(text)

    def end(self, text: str | None = None) -> None:
        """End the session, in any state. If the peer publishes, or has asked to, it is sent ``text``."""
        self._session.end(text)
        self._parts.clear()

    def close(self) -> None:
        """Free the memory: the connection is lost."""
        self.end()
        self._outgoing.take()
        self._reader.clear()
        self._buffer.release()

    def _next_outside_publication(self) -> Event | Signal:
        """:meth:`next_event` for a peer that does not publish, whose work is limited in total."""
        state = self._session.state
        if state is State.AUTHORIZING:
            return PAUSED
        if state is State.ENDED:
            self._buffer.clear()
            return NEED_DATA
        if state is State.HANDSHAKE and not self._shake_hands():
            return NEED_DATA
        message = self._reader.next_message()
        self._allowance.check(self._read, self._reader.chunks)
        if message is None:
            return NEED_DATA
        if message is UNFINISHED:
            return AGAIN
        self._allowance.take_message()
        event = self._on_message(message)
        return AGAIN if event is None else event

    @property
    def _read(self) -> int:
        """The bytes of what was received that are not in the buffer any more."""
        return self._received - len(self._buffer)

    def _shake_hands(self) -> bool:
        answer, done = self._handshake.advance(self._buffer)
        if answer:
            self._outgoing.send_bytes(answer)
        if done:
            self._session.handshaken()
        return done

    def _on_message(self, message: Message) -> Event | None:
        type_id, _, timestamp, payload = message
        if type_id == VIDEO:
            return VideoMessage(timestamp, payload) if self._publishing else None
        if type_id == AUDIO:
            return AudioMessage(timestamp, payload) if self._publishing else None
        return OTHER_MESSAGES[type_id](self, message)

    @property
    def _publishing(self) -> bool:
        return self._session.state is PUBLISHING

    def _on_aggregate(self, message: Message) -> Event | None:
        if not self._publishing:
            return None
        try:
            parts = list(split_aggregate(message, self._limits.max_aggregated))
        except MalformedMessage as error:
            return MessageDropped(error.code)
        self._parts.extend(part for part in parts if part.type_id in (AUDIO, VIDEO, MessageType.DATA_AMF0))
        return None

    def _on_data(self, message: Message) -> Event | None:
        if not self._publishing:
            return None
        try:
            if len(message.payload) > self._limits.max_command_size:
                raise MessageTooLarge(f"a data message of {len(message.payload)} bytes in an aggregate message")
            metadata = parse_metadata(message, self._limits)
        except RtmpError as error:
            return MessageDropped(error.code)
        return None if metadata is None else Metadata(metadata)

    def _on_command(self, message: Message) -> Event | None:
        if not self._publishing:
            return self._session.command(parse_command(message, self._limits, self._allowance.values))
        event = self._session.command(parse_command(message, self._limits))
        if not self._publishing:
            self._allowance.end_publication(self._read, self._reader.chunks)
            self._reader.set_publishing(False)
        return event

    def _on_set_chunk_size(self, message: Message) -> None:
        self._reader.set_chunk_size(control.uint32(message))

    def _on_abort(self, message: Message) -> None:
        self._reader.abort(control.uint32(message))

    def _on_window_size(self, message: Message) -> None:
        self._peer_window = control.uint32(message) or None

    def _on_peer_bandwidth(self, message: Message) -> None:
        """Section 5.4.5: answer with Window Acknowledgement Size if it differs from the last one sent."""
        size = control.uint32(message)
        if size != self._own_window:
            self._own_window = size
            self._outgoing.send(replies.Reply(control.CHUNK_STREAM, control.window_acknowledgement_size(size)))

    def _on_user_control(self, message: Message) -> None:
        response = control.ping_response(message)
        if response is not None:
            self._outgoing.send(replies.Reply(control.CHUNK_STREAM, response))

    def _ignore(self, message: Message) -> None:
        return None

    def _count(self, received: int) -> None:
        self._received += received
        window = self._peer_window
        if window is not None and self._received - self._acknowledged >= window:
            self._acknowledged = self._received
            self._outgoing.send(replies.Reply(control.CHUNK_STREAM, control.acknowledgement(self._received)))


OTHER_MESSAGES: Mapping[int, Callable[[ServerConnection, Message], Event | None]] = MappingProxyType(
    {
        UNFINISHED.type_id: ServerConnection._ignore,
        MessageType.SET_CHUNK_SIZE: ServerConnection._on_set_chunk_size,
        MessageType.ABORT: ServerConnection._on_abort,
        MessageType.ACKNOWLEDGEMENT: ServerConnection._ignore,
        MessageType.USER_CONTROL: ServerConnection._on_user_control,
        MessageType.WINDOW_ACKNOWLEDGEMENT_SIZE: ServerConnection._on_window_size,
        MessageType.SET_PEER_BANDWIDTH: ServerConnection._on_peer_bandwidth,
        MessageType.DATA_AMF3: ServerConnection._on_data,
        MessageType.SHARED_OBJECT_AMF3: ServerConnection._ignore,
        MessageType.COMMAND_AMF3: ServerConnection._on_command,
        MessageType.DATA_AMF0: ServerConnection._on_data,
        MessageType.SHARED_OBJECT_AMF0: ServerConnection._ignore,
        MessageType.COMMAND_AMF0: ServerConnection._on_command,
        MessageType.AGGREGATE: ServerConnection._on_aggregate,
    }
)
