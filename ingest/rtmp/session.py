"""Answers the commands of a publishing session, according to the state table (RTMP 1.0, section 7.2).

These are the commands of the specification, and those that encoders also send: releaseStream, FCPublish,
FCUnpublish, getStreamLength and _checkbw.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from ingest.rtmp import replies
from ingest.rtmp.amf0 import UNDEFINED
from ingest.rtmp.command import Command
from ingest.rtmp.errors import LocalError, TooManyMessageStreams, UnexpectedCommand
from ingest.rtmp.events import Event, PlayRefused, PublishRequested, Unpublished
from ingest.rtmp.outgoing import Outgoing
from ingest.rtmp.states import TRANSITIONS, Input, State

# The state table's input for each command; all others are Input.CALL.
COMMAND_INPUTS: Mapping[str, Input] = MappingProxyType(
    {
        "connect": Input.CONNECT,
        "publish": Input.PUBLISH,
        "FCUnpublish": Input.UNPUBLISH,
        "closeStream": Input.UNPUBLISH,
        "deleteStream": Input.UNPUBLISH,
        "play": Input.PLAY,
        "play2": Input.PLAY,
    }
)
PEER_REPLIES = frozenset({"_result", "_error", "onStatus"})
MAX_SOFTWARE_LENGTH = 200
# The flags of capsEx (Enhanced RTMP v2, "Enhancing NetConnection connect Command").
CAPS_RECONNECT = 0x01
CAPS_MAX = 0xFF
PLAY_REFUSAL = "This RTMP port is for publishing only: watch by HLS or DASH."


class CommandSession:
    """The state of one session. Its replies go to ``outgoing``."""

    def __init__(self, outgoing: Outgoing, max_message_streams: int) -> None:
        self.state = State.HANDSHAKE
        self._send = outgoing.send
        self._max_message_streams = max_message_streams
        self._message_streams = 0
        self._publish_stream = 0
        self._app = ""
        self._software: str | None = None
        self._caps = 0

    def handshaken(self) -> None:
        """The handshake is complete."""
        self._advance(Input.HANDSHAKEN)

    def command(self, command: Command) -> Event | None:
        """Answer ``command`` and return its event, or None. Raises UnexpectedCommand, TooManyMessageStreams."""
        if command.name in PEER_REPLIES:
            return None
        state_input = COMMAND_INPUTS.get(command.name, Input.CALL)
        before = self.state
        if state_input not in TRANSITIONS[before]:
            raise UnexpectedCommand(f"a {state_input.value} command is not allowed while {before.value}")
        self._advance(state_input)
        return COMMANDS.get(command.name, CommandSession._unknown)(self, command, before)

    def accept_publish(self) -> None:
        """Raises LocalError if no publish request is open."""
        self._answer_publish(Input.ACCEPT)
        self._send(
            replies.stream_begin(self._publish_stream),
            replies.status(self._publish_stream, "NetStream.Publish.Start", "Publishing has started."),
        )

    def refuse_publish(self, text: str) -> None:
        """Raises LocalError if no publish request is open."""
        self._answer_publish(Input.REFUSE)
        self._send(replies.status(self._publish_stream, "NetStream.Publish.BadName", text, level="error"))

    def request_reconnect(self, text: str) -> bool:
        """Ask a peer that publishes to open a new connection. Returns False if it has not announced that it can
        (Enhanced RTMP v2, "Reconnect Request")."""
        if self.state is not State.PUBLISHING or not self._caps & CAPS_RECONNECT:
            return False
        self._send(replies.reconnect_request(text))
        return True

    def end(self, text: str | None) -> None:
        """End the session, and send ``text`` to a peer that publishes or has asked to."""
        if text is not None and self.state in (State.AUTHORIZING, State.PUBLISHING):
            self._send(replies.status(self._publish_stream, "NetStream.Publish.Rejected", text, level="error"))
        self._advance(Input.END)

    def _connect(self, command: Command, before: State) -> None:
        properties = command.command_object if isinstance(command.command_object, dict) else {}
        app, software = properties.get("app"), properties.get("flashVer")
        self._app = app if isinstance(app, str) else ""
        self._software = software[:MAX_SOFTWARE_LENGTH] if isinstance(software, str) and software else None
        caps = properties.get("capsEx")
        self._caps = int(caps) if isinstance(caps, float) and 0 <= caps <= CAPS_MAX else 0
        self._send(*replies.connected(command))

    def _create_stream(self, command: Command, before: State) -> None:
        self._message_streams += 1
        if self._message_streams > self._max_message_streams:
            raise TooManyMessageStreams(f"more than {self._max_message_streams} message streams")
        self._send(replies.result(command, None, float(self._message_streams)))

    def _publish(self, command: Command, before: State) -> Event:
        self._publish_stream = command.stream_id
        name = command.argument(0)
        return PublishRequested(self._app, name if isinstance(name, str) else "", self._software)

    def _unpublish(self, command: Command, before: State) -> Event | None:
        if command.name == "FCUnpublish":
            self._acknowledge(command, before)
        if before is not State.PUBLISHING:
            return None
        self._send(replies.status(self._publish_stream, "NetStream.Unpublish.Success", "Publishing has ended."))
        return Unpublished()

    def _play(self, command: Command, before: State) -> Event:
        self._send(replies.status(command.stream_id, "NetStream.Play.Failed", PLAY_REFUSAL, level="error"))
        return PlayRefused()

    def _acknowledge(self, command: Command, before: State) -> None:
        if command.transaction:
            self._send(replies.result(command, None, UNDEFINED))

    def _stream_length(self, command: Command, before: State) -> None:
        self._send(replies.result(command, None, 0.0))

    def _unknown(self, command: Command, before: State) -> None:
        if command.transaction:
            self._send(replies.failed(command, "This server does not support the command."))

    def _answer_publish(self, answer: Input) -> None:
        if answer not in TRANSITIONS[self.state]:
            raise LocalError(f"no publish request is open while {self.state.value}")
        self._advance(answer)

    def _advance(self, state_input: Input) -> None:
        self.state = TRANSITIONS[self.state][state_input]


COMMANDS: Mapping[str, Callable[[CommandSession, Command, State], Event | None]] = MappingProxyType(
    {
        "connect": CommandSession._connect,
        "createStream": CommandSession._create_stream,
        "publish": CommandSession._publish,
        "FCUnpublish": CommandSession._unpublish,
        "closeStream": CommandSession._unpublish,
        "deleteStream": CommandSession._unpublish,
        "play": CommandSession._play,
        "play2": CommandSession._play,
        "releaseStream": CommandSession._acknowledge,
        "FCPublish": CommandSession._acknowledge,
        "_checkbw": CommandSession._acknowledge,
        "getStreamLength": CommandSession._stream_length,
    }
)
