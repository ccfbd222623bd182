"""Command messages (RTMP 1.0, section 7.1.1): a name, a transaction id, a command object, arguments."""

from dataclasses import dataclass, field

from ingest.rtmp.amf0 import Value, decode, encode
from ingest.rtmp.errors import MalformedMessage
from ingest.rtmp.limits import Limits
from ingest.rtmp.message import Message, MessageType


@dataclass(frozen=True, slots=True)
class Command:
    """``stream_id`` is the message stream it came on. ``arguments`` may hold the stream key and stay unprinted."""

    name: str
    transaction: float = 0.0
    command_object: Value = None
    arguments: tuple[Value, ...] = field(default=(), repr=False)
    stream_id: int = 0

    def argument(self, index: int) -> Value:
        return self.arguments[index] if index < len(self.arguments) else None

    def encode(self) -> Message:
        payload = encode(self.name, self.transaction, self.command_object, *self.arguments)
        return Message(MessageType.COMMAND_AMF0, self.stream_id, 0, payload)


def parse_command(message: Message, limits: Limits) -> Command:
    """Raises MalformedMessage, MalformedAmf, AmfLimit."""
    values = decode(amf0_payload(message), limits)
    match values:
        case [str(name), float(transaction), command_object, *arguments]:
            return Command(name, transaction, command_object, tuple(arguments), message.stream_id)
        case [str(name), float(transaction)]:
            return Command(name, transaction, stream_id=message.stream_id)
    raise MalformedMessage("a command that does not begin with a name and a transaction id")


def amf0_payload(message: Message) -> bytes:
    """Messages of the AMF3 types are AMF0 behind one zero byte, as long as no value switches to AMF3."""
    wrapped = message.type_id in (MessageType.COMMAND_AMF3, MessageType.DATA_AMF3)
    return message.payload[1:] if wrapped and message.payload[:1] == b"\0" else message.payload
