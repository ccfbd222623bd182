"""The types of single fields. Each validator raises ValueError with a sentence about what to write instead."""

import re
from ipaddress import ip_network
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, PlainValidator, SecretStr

from control.config.address import Address
from media.names import is_stream_name
from media.quantities import Duration
from origin.prefix import RESERVED
from storage.hooks.secrets import secret_bytes
from storage.location import FORMS, BadLocation, StoreLocation, parse_location

# Parts of letters, digits and unreserved marks (RFC 3986, 2.3) that are not "." or "..".
PATH = re.compile(r"(/(?!\.{1,2}(/|$))[A-Za-z0-9._~-]+)*")
PICTURE_SIZE = re.compile(r"([0-9]{2,5})x([0-9]{2,5})")
SMALLEST_PICTURE, LARGEST_PICTURE = 640 * 360, 16384 * 8704
# Characters. Servers and caches bound the headers of an answer, Varnish to 8 KiB for each.
LONGEST_HEADER = 4096
APP_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
# A field's name (RFC 9110, 5.1), and a value of printable ASCII.
HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}")
HEADER_VALUE = re.compile(r"[!-~]([ -~]*[!-~])?")
MOST_HEADERS = 16


def _http_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f'"{value}" is not a URL; write it in full, as "https://video.example.org"')
    if parts.query or parts.fragment:
        raise ValueError(f'"{value}" has a query or fragment; only scheme, host and path go here')
    return value.rstrip("/")


def _hook_url(value: str) -> str:
    """The address of a service, which may have a query."""
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.fragment:
        raise ValueError(f'"{value}" is not a URL; write it in full, as "https://api.example.org/on-publish"')
    return value


def _hook_secret(value: SecretStr) -> SecretStr:
    secret_bytes(value.get_secret_value())
    return value


def _headers(value: Any) -> Any:
    """Header fields. An environment variable has no tables, so it holds ``name=value,name=value``. No text of a
    fault has a value: it may be a password."""
    if isinstance(value, str):
        pairs = [part.partition("=") for part in value.split(",") if part.strip()]
        value = {name.strip(): text.strip() for name, _, text in pairs}
    if not isinstance(value, dict):
        raise ValueError('is not a table of headers; write { authorization = "Bearer …" }')
    if len(value) > MOST_HEADERS:
        raise ValueError(f"{len(value)} headers; at most {MOST_HEADERS} are sent")
    for name, text in value.items():
        if not HEADER_NAME.fullmatch(name):
            raise ValueError(f'"{name[:40]}" is not the name of a header; write a name as "authorization"')
        if not isinstance(text, str) or len(text) > LONGEST_HEADER or not HEADER_VALUE.fullmatch(text):
            raise ValueError(
                f'the value of "{name}" is not one line of ASCII of at most {LONGEST_HEADER} characters'
            )
    return value


def _origin(value: str) -> str:
    """An origin (RFC 6454) or ``*``."""
    parts = urlsplit(value)
    is_bare = value == f"{parts.scheme}://{parts.netloc}" and not any(map(str.isspace, value))
    if value != "*" and not (is_bare and parts.scheme in ("http", "https")):
        raise ValueError(f'"{value}" is not an origin; write "*" or scheme and host, as "https://example.org"')
    return value


def _fits_a_header(values: tuple[str, ...]) -> tuple[str, ...]:
    """Answers to caches name all of them in one header (:mod:`origin.cors`)."""
    size = len(" ".join(values))
    if size > LONGEST_HEADER:
        raise ValueError(
            f'{len(values)} origins of {size} characters; at most {LONGEST_HEADER} fit, so list fewer, or "*"'
        )
    return values


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
    """With a path, the pages are below it (:mod:`origin.prefix`)."""
    path = urlsplit(value).path
    first = path.split("/")[1] if path else ""
    if first in RESERVED:
        raise ValueError(
            f'"{value}" has the path /{first}, where Headwater has a page of its own; use another path, as "/tv"'
        )
    if not PATH.fullmatch(path):
        raise ValueError(f'"{value}" has a path with characters other than letters, digits, ".", "-", "_" and "~"')
    return value


def _comma_separated(value: Any) -> Any:
    """An environment variable has no lists, so it holds ``a,b``."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def auto(value: Any) -> Any:
    return None if value == "auto" else value


def off(value: Any) -> Any:
    return None if value == "off" else value


def empty(value: Any) -> Any:
    return None if value == "" else value


def _dvr(value: object) -> Any:
    return value if value == "all" else Duration(at_least=10).parse(value)


def _picture_size(value: object) -> int:
    """``4096x2304`` as a number of pixels; which side is longer makes no difference."""
    match = PICTURE_SIZE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f'{value!r} is not a size of a picture; write width and height, as "3840x2160"')
    pixels = int(match[1]) * int(match[2])
    if not SMALLEST_PICTURE <= pixels <= LARGEST_PICTURE:
        raise ValueError(f'"{value}" is out of range: from 640x360 to 16384x8704')
    return pixels


def _location(value: object) -> StoreLocation:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a store; a store is {FORMS}")
    try:
        return parse_location(value)
    except BadLocation as error:
        raise ValueError(str(error)) from None


HttpUrl = Annotated[str, AfterValidator(_http_url)]
Headers = Annotated[dict[str, SecretStr], BeforeValidator(_headers)]
HookUrl = Annotated[str, AfterValidator(_hook_url)]
HookSecret = Annotated[SecretStr, AfterValidator(_hook_secret)]
Urls = Annotated[tuple[HttpUrl, ...], BeforeValidator(_comma_separated)]
PublicUrl = Annotated[str, AfterValidator(_http_url), AfterValidator(_public_url)]
Origins = Annotated[
    tuple[Annotated[str, AfterValidator(_origin)], ...],
    BeforeValidator(_comma_separated),
    AfterValidator(_fits_a_header),
]
FrameAncestors = Annotated[
    tuple[Annotated[str, AfterValidator(_frame_ancestor)], ...], BeforeValidator(_comma_separated)
]
Proxies = Annotated[tuple[Annotated[str, AfterValidator(_proxy)], ...], BeforeValidator(_comma_separated)]
AppName = Annotated[str, AfterValidator(_app)]
Host = Annotated[str, AfterValidator(_host)]
StreamName = Annotated[str, AfterValidator(_stream_name)]
Location = Annotated[StoreLocation, PlainValidator(_location)]
AddressOrOff = Annotated[Address | None, BeforeValidator(off)]
AutoOrBool = Annotated[bool | None, BeforeValidator(auto)]
PictureSize = Annotated[int, PlainValidator(_picture_size)]
Dvr = Annotated[float | Literal["all"], PlainValidator(_dvr)]
