"""The types of single fields. Each validator raises ValueError with a sentence about what to write instead."""

import re
from ipaddress import ip_network
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, PlainValidator

from media.names import is_stream_name
from media.quantities import Duration
from storage.location import FORMS, BadLocation, StoreLocation, parse_location

APP_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def _http_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f'"{value}" is not a URL; write it in full, as "https://video.example.org"')
    if parts.query or parts.fragment:
        raise ValueError(f'"{value}" has a query or fragment; only scheme, host and path go here')
    return value.rstrip("/")


def _origin(value: str) -> str:
    """An origin (RFC 6454) or ``*``."""
    parts = urlsplit(value)
    if value != "*" and (value != f"{parts.scheme}://{parts.netloc}" or parts.scheme not in ("http", "https")):
        raise ValueError(f'"{value}" is not an origin; write "*" or scheme and host, as "https://example.org"')
    return value


def _frame_ancestor(value: str) -> str:
    """A source of Content-Security-Policy's frame-ancestors. ``self`` and ``none`` may lack their quotes."""
    word = value.strip("'")
    return f"'{word}'" if word in ("self", "none") else _origin(value)


def _proxy(value: str) -> str:
    """An address, a network, or ``*``."""
    try:
        return value if value == "*" else str(ip_network(value)).removesuffix("/32").removesuffix("/128")
    except ValueError:
        raise ValueError(f'"{value}" is not an address or network; write "10.0.0.5", "10.0.0.0/8" or "*"') from None


def _app(value: str) -> str:
    if not APP_NAME.fullmatch(value):
        raise ValueError(f'"{value}" cannot be an application name: letters, digits, - and _, at most 64')
    return value


def _host(value: str) -> str:
    if not value or "/" in value or " " in value:
        raise ValueError(f'"{value}" is not a host; write a name or address alone, as "video.example.org"')
    return value


def _stream_name(value: str) -> str:
    if not is_stream_name(value):
        raise ValueError(
            f'"{value}" is not a stream name: lower-case letters, digits and inner hyphens, at most 63'
        )
    return value


def _public_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.path:
        raise ValueError(
            f'"{value}" has a path, but the pages and the media are only at the root of a host; '
            f'use a host name of its own, as "{parts.scheme}://video.example.org"'
        )
    return value


def _comma_separated(value: Any) -> Any:
    """An environment variable has no lists, so it holds ``a,b``."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _auto(value: Any) -> Any:
    return None if value == "auto" else value


def _dvr(value: object) -> Any:
    return value if value == "all" else Duration(at_least=10).parse(value)


def _location(value: object) -> StoreLocation:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a store; a store is {FORMS}")
    try:
        return parse_location(value)
    except BadLocation as error:
        raise ValueError(str(error)) from None


HttpUrl = Annotated[str, AfterValidator(_http_url)]
PublicUrl = Annotated[str, AfterValidator(_http_url), AfterValidator(_public_url)]
Origins = Annotated[tuple[Annotated[str, AfterValidator(_origin)], ...], BeforeValidator(_comma_separated)]
FrameAncestors = Annotated[
    tuple[Annotated[str, AfterValidator(_frame_ancestor)], ...], BeforeValidator(_comma_separated)
]
Proxies = Annotated[tuple[Annotated[str, AfterValidator(_proxy)], ...], BeforeValidator(_comma_separated)]
AppName = Annotated[str, AfterValidator(_app)]
Host = Annotated[str, AfterValidator(_host)]
StreamName = Annotated[str, AfterValidator(_stream_name)]
Location = Annotated[StoreLocation, PlainValidator(_location)]
AutoOrBool = Annotated[bool | None, BeforeValidator(_auto)]
Dvr = Annotated[float | Literal["all"], PlainValidator(_dvr)]
