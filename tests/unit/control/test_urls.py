"""The addresses shown to operators."""

import pytest

from control.config import Address, Config, HttpConfig, RtmpConfig
from control.config.urls import clock_url, guess_host, local_url, public_url, server_line


@pytest.mark.parametrize("text", ["0.0.0.0:1935", "[::]:8080", "[fe80::1%eth0]:1", "video.example.org:0"])
def test_an_address_round_trips(text: str) -> None:
    assert str(Address.parse(text)) == text


def test_configured_names_are_shown() -> None:
    config = Config(
        rtmp=RtmpConfig(public_host="in.example.org", app="studio"),
        http=HttpConfig(public_url="https://video.example.org/"),
    )
    assert (
        server_line(config, Address("0.0.0.0", 1936), scheme="rtmp", host="other.example.org")
        == "rtmp://in.example.org:1936/studio"
    )
    assert public_url(config, Address("0.0.0.0", 8081)) == "https://video.example.org"
    assert clock_url(config) == "https://video.example.org/time"


@pytest.mark.parametrize("written", ["https://example.org/tv", "https://example.org/tv/"])
def test_a_public_url_may_have_a_path(written: str) -> None:
    config = Config(http=HttpConfig(public_url=written))
    assert public_url(config, Address("0.0.0.0", 8081)) == "https://example.org/tv"
    assert clock_url(config) == "https://example.org/tv/time"
    assert clock_url(Config(http=HttpConfig(public_url="http://example.org/a/b"))) == "/a/b/time"


def test_the_address_is_shown_if_no_name_is_configured() -> None:
    bound = Address("192.0.2.7", 1935)
    assert server_line(Config(), bound, scheme="rtmp") == "rtmp://192.0.2.7:1935/live"
    assert server_line(Config(), bound, scheme="rtmps", host="in.example.org") == "rtmps://in.example.org:1935/live"
    assert public_url(Config(), Address("::1", 8080)) == "http://[::1]:8080"


def test_without_a_public_url_the_clock_is_relative_to_the_manifest() -> None:
    """The server may be behind a proxy, and its own address is then unreachable for players."""
    assert clock_url(Config()) == "/time"


def test_pages_on_https_never_read_the_clock_over_http() -> None:
    assert clock_url(Config(http=HttpConfig(public_url="http://video.example.org"))) == "/time"


def test_a_host_is_guessed_for_a_wildcard_address() -> None:
    line = server_line(Config(), Address("0.0.0.0", 1935), scheme="rtmp")
    assert line == f"rtmp://{guess_host()}:1935/live"
    assert guess_host() not in ("", "0.0.0.0")


def test_programs_on_the_same_machine_use_loopback() -> None:
    assert local_url(Address("0.0.0.0", 8080)) == "http://127.0.0.1:8080"
    assert local_url(Address("::", 8080)) == "http://[::1]:8080"
    assert local_url(Address("192.0.2.7", 80)) == "http://192.0.2.7:80"
