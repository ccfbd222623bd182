"""AMF0 (AMF 0 specification, 2007), the encoding of commands and metadata."""

from ingest.rtmp.amf0.decode import ValueBudget, decode
from ingest.rtmp.amf0.encode import encode
from ingest.rtmp.amf0.values import UNDEFINED, Date, EcmaArray, TypedObject, Undefined, Value, XmlDocument

__all__ = [
    "UNDEFINED",
    "Date",
    "EcmaArray",
    "TypedObject",
    "Undefined",
    "Value",
    "ValueBudget",
    "XmlDocument",
    "decode",
    "encode",
]
