"""AMF0 values in Python. A number is a float, an object a dict, a strict array a list, and null is None."""

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Final, Literal, TypeAlias


class Marker(IntEnum):
    """Type markers (section 2.1). MovieClip and RecordSet are reserved and never sent."""

    NUMBER = 0x00
    BOOLEAN = 0x01
    STRING = 0x02
    OBJECT = 0x03
    NULL = 0x05
    UNDEFINED = 0x06
    REFERENCE = 0x07
    ECMA_ARRAY = 0x08
    OBJECT_END = 0x09
    STRICT_ARRAY = 0x0A
    DATE = 0x0B
    LONG_STRING = 0x0C
    UNSUPPORTED = 0x0D
    XML_DOCUMENT = 0x0F
    TYPED_OBJECT = 0x10


class Undefined(Enum):
    """The undefined value, which differs from null (section 2.8)."""

    UNDEFINED = "undefined"


UNDEFINED: Final[Literal[Undefined.UNDEFINED]] = Undefined.UNDEFINED


@dataclass(frozen=True, slots=True)
class Date:
    """``milliseconds`` since the Unix epoch, UTC; ``timezone`` is reserved and 0 (section 2.13)."""

    milliseconds: float
    timezone: int = 0


@dataclass(frozen=True, slots=True)
class XmlDocument:
    text: str


class EcmaArray(dict[str, "Value"]):
    """An ECMA array: an object with a count, which readers ignore (section 2.10)."""


@dataclass(frozen=True, slots=True)
class TypedObject:
    class_name: str
    properties: "dict[str, Value]"


Value: TypeAlias = (
    "float | bool | str | Undefined | Date | XmlDocument | TypedObject | EcmaArray"
    " | dict[str, Value] | list[Value] | None"
)
