"""The PROXY protocol's two forms, whole and byte by byte (haproxy.org, proxy-protocol.txt, 2.1 and 2.2)."""

import struct
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.proxy_protocol import LOCAL, PROXY, TCP4, TCP6, V2_START, BadProxyHeader, Preface, ProxyHeader

RTMP = b"\x03" + bytes(1536)


def version_2(command: int, protocol: int, addresses: bytes, *, length: int | None = None) -> bytes:
    return (
        V2_START + struct.pack("!BBH", command, protocol, len(addresses) if length is None else length) + addresses
    )


def addresses(source: str, port: int) -> bytes:
    packed = ip_address(source).packed
    return packed + packed + struct.pack("!HH", port, 1935)


HEADERS = [
    (b"PROXY TCP4 203.0.113.7 10.0.0.1 51000 1935\r\n", ("203.0.113.7", 51000)),
    (b"PROXY TCP6 2001:db8::7 2001:db8::1 51000 1935\r\n", ("2001:db8::7", 51000)),
    (b"PROXY UNKNOWN\r\n", None),
    (b"PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n", None),
    (version_2(PROXY, TCP4, addresses("203.0.113.7", 51000)), ("203.0.113.7", 51000)),
    (version_2(PROXY, TCP6, addresses("2001:db8::7", 51000)), ("2001:db8::7", 51000)),
    (version_2(PROXY, TCP4, addresses("203.0.113.7", 51000) + b"\x04\0\x03abc"), ("203.0.113.7", 51000)),
    (version_2(PROXY, 0, b""), None),
    (version_2(LOCAL, 0, b""), None),
]


def read(*pieces: bytes) -> tuple[ProxyHeader | None, bytes] | None:
    preface, result = Preface(), None
    for index, piece in enumerate(pieces):
        buffer = preface.get_buffer()
        taken = min(len(piece), len(buffer))
        buffer[:taken] = piece[:taken]
        result = preface.buffer_updated(taken)
        if result is not None:
            header, rest = result
            return header, rest + piece[taken:] + b"".join(pieces[index + 1 :])
    return result


@pytest.mark.parametrize(("header", "client"), HEADERS)
def test_a_header_names_the_client_and_is_removed(header: bytes, client: tuple[str, int] | None) -> None:
    expected = (ProxyHeader(client, len(header)), RTMP)
    assert read(header + RTMP) == expected
    assert read(*(bytes([byte]) for byte in header + RTMP)) == expected


@pytest.mark.parametrize("start", [RTMP, b"GET / HTTP/1.1\r\n", b"P\x03", b"\r\n\r\nQUIT", b"\x03"])
def test_other_bytes_pass_through(start: bytes) -> None:
    assert read(start) == (None, start)
    assert read(*(bytes([byte]) for byte in start)) == (None, start)


@pytest.mark.parametrize(
    "header",
    [
        b"PROXY TCP4 203.0.113.7 10.0.0.1 51000\r\n",
        b"PROXY TCP4 203.0.113.777 10.0.0.1 51000 1935\r\n",
        b"PROXY TCP6 203.0.113.7 10.0.0.1 51000 1935\r\n",
        b"PROXY TCP4 203.0.113.7 10.0.0.1 70000 1935\r\n",
        b"PROXY TCP4 " + b"1" * 200,
        version_2(0x31, TCP4, addresses("203.0.113.7", 1)),
        version_2(0x22, TCP4, addresses("203.0.113.7", 1)),
        version_2(PROXY, TCP4, bytes(4)),
        version_2(PROXY, TCP6, addresses("203.0.113.7", 1)),
        version_2(PROXY, TCP4, b"", length=60_000),
    ],
)
def test_a_malformed_header_is_refused(header: bytes) -> None:
    with pytest.raises(BadProxyHeader, match=r"."):
        read(header)
    with pytest.raises(BadProxyHeader, match=r"."):
        read(*(bytes([byte]) for byte in header))


@given(
    st.sampled_from([b"", b"PROXY ", b"PROXY TCP4 ", V2_START, V2_START + b"\x21\x11"]), st.binary(max_size=3000)
)
def test_any_bytes_end_in_a_header_a_pass_or_the_declared_error(start: bytes, rest: bytes) -> None:
    data = start + rest
    try:
        result = read(data)
    except BadProxyHeader:
        return
    if result is not None:
        header, left = result
        assert data.endswith(left)
        assert header is None or len(left) == len(data) - header.size
