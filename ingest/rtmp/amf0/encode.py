"""Values to AMF0 bytes."""

from collections.abc import Iterable, Mapping
from struct import pack

from ingest.rtmp.amf0.values import Date, EcmaArray, Marker, TypedObject, Undefined, Value, XmlDocument

MAX_SHORT_STRING = 0xFFFF


def encode(*values: Value) -> bytes:
    """``values`` one behind the other; nothing is sent as a reference."""
    return b"".join(map(encode_value, values))


def encode_value(value: Value) -> bytes:
    match value:
        case None:
            return bytes((Marker.NULL,))
        case bool():
            return bytes((Marker.BOOLEAN, value))
        case float() | int():
            return pack(">Bd", Marker.NUMBER, value)
        case str():
            return string(value)
        case EcmaArray():
            return pack(">BI", Marker.ECMA_ARRAY, len(value)) + properties(value)
        case dict():
            return bytes((Marker.OBJECT,)) + properties(value)
        case list():
            return pack(">BI", Marker.STRICT_ARRAY, len(value)) + encode(*value)
        case Date():
            return pack(">Bdh", Marker.DATE, value.milliseconds, value.timezone)
        case XmlDocument():
            text = value.text.encode()
            return pack(">BI", Marker.XML_DOCUMENT, len(text)) + text
        case TypedObject():
            return bytes((Marker.TYPED_OBJECT,)) + short(value.class_name) + properties(value.properties)
        case Undefined():
            return bytes((Marker.UNDEFINED,))


def string(text: str) -> bytes:
    encoded = text.encode()
    if len(encoded) > MAX_SHORT_STRING:
        return pack(">BI", Marker.LONG_STRING, len(encoded)) + encoded
    return pack(">BH", Marker.STRING, len(encoded)) + encoded


def short(text: str) -> bytes:
    encoded = text.encode()
    return pack(">H", len(encoded)) + encoded


def properties(values: Mapping[str, Value]) -> bytes:
    return b"".join(pieces(values)) + bytes((0, 0, Marker.OBJECT_END))


def pieces(values: Mapping[str, Value]) -> Iterable[bytes]:
    for name, value in values.items():
        yield short(name)
        yield encode_value(value)
