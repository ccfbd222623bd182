"""Encodes values as AMF0."""

from collections.abc import Iterable, Mapping
from struct import pack

from ingest.rtmp.amf0.values import Date, EcmaArray, Marker, TypedObject, Undefined, Value, XmlDocument

MAX_SHORT_STRING = 0xFFFF


def encode(*values: Value) -> bytes:
    """The concatenated encodings of ``values``. References are never used."""
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
            return _string(value)
        case EcmaArray():
            return pack(">BI", Marker.ECMA_ARRAY, len(value)) + _properties(value)
        case dict():
            return bytes((Marker.OBJECT,)) + _properties(value)
        case list():
            return pack(">BI", Marker.STRICT_ARRAY, len(value)) + encode(*value)
        case Date():
            return pack(">Bdh", Marker.DATE, value.milliseconds, value.timezone)
        case XmlDocument():
            text = value.text.encode()
            return pack(">BI", Marker.XML_DOCUMENT, len(text)) + text
        case TypedObject():
            return bytes((Marker.TYPED_OBJECT,)) + _short_string(value.class_name) + _properties(value.properties)
        case Undefined():
            return bytes((Marker.UNDEFINED,))


def _string(text: str) -> bytes:
    encoded = text.encode()
    if len(encoded) > MAX_SHORT_STRING:
        return pack(">BI", Marker.LONG_STRING, len(encoded)) + encoded
    return pack(">BH", Marker.STRING, len(encoded)) + encoded


def _short_string(text: str) -> bytes:
    encoded = text.encode()
    return pack(">H", len(encoded)) + encoded


def _properties(values: Mapping[str, Value]) -> bytes:
    return b"".join(_property_items(values)) + bytes((0, 0, Marker.OBJECT_END))


def _property_items(values: Mapping[str, Value]) -> Iterable[bytes]:
    for name, value in values.items():
        yield _short_string(name)
        yield encode_value(value)
