"""Command messages (RTMP 1.0, section 7.1.1): a name, a transaction id, a command object, arguments."""

from dataclasses import dataclass, field

from ingest.rtmp.amf0 import Value, ValueBudget, decode, encode
from ingest.rtmp.errors import MalformedMessage
from ingest.rtmp.limits import Limits
from ingest.rtmp.message import Message, MessageType


@dataclass(frozen=True, slots=True)
class Command:
    """A command. ``stream_id`` is its message stream. The repr leaves out ``arguments``: they may contain the
    stream key."""

    name: str
    transaction: float = 0.0
    command_object: Value = None
    arguments: tuple[Value, ...] = field(default=(), repr=False)
    stream_id: int = 0

    def argument(self, index: int) -> Value:
        """The argument at ``index``, or None if absent."""
        return self.arguments[index] if index < len(self.arguments) else None

    def encode(self) -> Message:
        payload = encode(self.name, self.transaction, self.command_object, *self.arguments)
        return Message(MessageType.COMMAND_AMF0, self.stream_id, 0, payload)


def parse_command(message: Message, limits: Limits, budget: ValueBudget | None = None) -> Command:
    """Its values are taken from ``budget``. Raises MalformedMessage, MalformedAmf, AmfLimit."""
    values = decode(amf0_payload(message), limits, budget)
    match values:
        case [str(name), float(transaction), command_object, *arguments]:
            return Command(name, transaction, command_object, tuple(arguments), message.stream_id)
        case [str(name), float(transaction)]:
            return Command(name, transaction, stream_id=message.stream_id)
    raise MalformedMessage("a command does not start with a name and a transaction id")


def amf0_payload(message: Message) -> bytes:
    """The AMF0 part of a message. Messages of AMF3 types contain AMF0 after one zero byte."""
    wrapped = message.type_id in (MessageType.COMMAND_AMF3, MessageType.DATA_AMF3)
    return message.payload[1:] if wrapped and message.payload[:1] == b"\0" else message.payload
