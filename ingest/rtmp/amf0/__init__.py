"""AMF0 whole (AMF 0 specification, 2007): what commands and metadata are written in."""

from ingest.rtmp.amf0.decode import decode
from ingest.rtmp.amf0.encode import encode
from ingest.rtmp.amf0.values import UNDEFINED, Date, EcmaArray, TypedObject, Undefined, Value, XmlDocument

__all__ = [
    "UNDEFINED",
    "Date",
    "EcmaArray",
    "TypedObject",
    "Undefined",
    "Value",
    "XmlDocument",
    "decode",
    "encode",
]
