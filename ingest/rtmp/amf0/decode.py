"""Decodes AMF0, with limits on depth and number of values. The message size limits the length."""

from collections.abc import Callable, Mapping
from struct import Struct
from types import MappingProxyType
from typing import TypeVar

from ingest.rtmp.amf0.values import UNDEFINED, Date, EcmaArray, Marker, TypedObject, Value, XmlDocument
from ingest.rtmp.errors import AmfLimit, MalformedAmf
from ingest.rtmp.limits import Limits

DOUBLE = Struct(">d")
INT16 = Struct(">h")
Properties = TypeVar("Properties", bound=dict[str, Value])
OBJECT_END = bytes((0, 0, Marker.OBJECT_END))


class ValueBudget:
    """How many values a peer may still send, in all its messages."""

    __slots__ = ("left",)

    def __init__(self, values: int) -> None:
        self.left = values


def decode(data: bytes, limits: Limits | None = None, budget: ValueBudget | None = None) -> list[Value]:
    """All values in ``data``, in order; they are taken from ``budget``. Raises MalformedAmf, AmfLimit."""
    limits = limits or Limits()
    allowed = limits.max_amf_values if budget is None else min(limits.max_amf_values, budget.left)
    decoder = Decoder(data, limits.max_amf_depth, allowed)
    values = []
    while not decoder.at_end:
        values.append(decoder.value())
    if budget is not None:
        budget.left -= allowed - decoder.values_left
    return values


class Decoder:
    """Reads one value at a time from ``data``. Every method raises MalformedAmf and AmfLimit."""

    def __init__(self, data: bytes, max_depth: int, max_values: int) -> None:
        self.values_left = max_values
        self._data = data
        self._at = 0
        self._depth_left = max_depth
        # Values that a reference (section 2.9) can point to, in order of appearance; None until complete.
        self._reference_table: list[Value] = []

    @property
    def at_end(self) -> bool:
        return self._at >= len(self._data)

    def value(self) -> Value:
        self.values_left -= 1
        if self.values_left < 0:
            raise AmfLimit("AMF data has too many values")
        marker = self._take(1)[0]
        read = READERS.get(marker)
        if read is None:
            raise MalformedAmf(f"AMF0 type marker {marker:#04x} is not allowed")
        return read(self)

    def number(self) -> float:
        value: float = DOUBLE.unpack(self._take(8))[0]
        return value

    def boolean(self) -> bool:
        return self._take(1) != b"\0"

    def string(self) -> str:
        return self._text(length_size=2)

    def long_string(self) -> str:
        return self._text(length_size=4)

    def reference(self) -> Value:
        index = self._uint(2)
        value = self._reference_table[index] if index < len(self._reference_table) else None
        if value is None:
            raise MalformedAmf(f"AMF0 reference {index} does not point to a complete value")
        return value

    def object(self) -> Value:
        return self._nested(lambda: self._properties({}))

    def ecma_array(self) -> Value:
        self._uint(4)
        return self._nested(lambda: self._properties(EcmaArray()))

    def strict_array(self) -> Value:
        count = self._uint(4)
        if count > self.values_left:
            raise AmfLimit("AMF data has too many values")
        return self._nested(lambda: [self.value() for _ in range(count)])

    def typed_object(self) -> Value:
        name = self.string()
        return self._nested(lambda: TypedObject(name, self._properties({})))

    def date(self) -> Date:
        milliseconds = self.number()
        timezone: int = INT16.unpack(self._take(2))[0]
        return Date(milliseconds, timezone)

    def xml_document(self) -> XmlDocument:
        return XmlDocument(self.long_string())

    def _nested(self, read: Callable[[], Value]) -> Value:
        if self._depth_left == 0:
            raise AmfLimit("AMF data is nested too deep")
        self._depth_left -= 1
        index = len(self._reference_table)
        self._reference_table.append(None)
        value = self._reference_table[index] = read()
        self._depth_left += 1
        return value

    def _properties(self, properties: Properties) -> Properties:
        while not self._data.startswith(OBJECT_END, self._at):
            name = self.string()
            properties[name] = self.value()
        self._at += len(OBJECT_END)
        return properties

    def _text(self, length_size: int) -> str:
        # Some encoders send device names in other encodings. A wrong letter must not end a broadcast.
        return self._take(self._uint(length_size)).decode("utf-8", "replace")

    def _uint(self, size: int) -> int:
        return int.from_bytes(self._take(size), "big")

    def _take(self, count: int) -> bytes:
        start = self._at
        stop = start + count
        if stop > len(self._data):
            raise MalformedAmf("an AMF0 value is truncated")
        self._at = stop
        return self._data[start:stop]


READERS: Mapping[int, Callable[[Decoder], Value]] = MappingProxyType(
    {
        Marker.NUMBER: Decoder.number,
        Marker.BOOLEAN: Decoder.boolean,
        Marker.STRING: Decoder.string,
        Marker.OBJECT: Decoder.object,
        Marker.NULL: lambda _: None,
        Marker.UNDEFINED: lambda _: UNDEFINED,
        Marker.REFERENCE: Decoder.reference,
        Marker.ECMA_ARRAY: Decoder.ecma_array,
        Marker.STRICT_ARRAY: Decoder.strict_array,
        Marker.DATE: Decoder.date,
        Marker.LONG_STRING: Decoder.long_string,
        Marker.UNSUPPORTED: lambda _: UNDEFINED,
        Marker.XML_DOCUMENT: Decoder.xml_document,
        Marker.TYPED_OBJECT: Decoder.typed_object,
    }
)
