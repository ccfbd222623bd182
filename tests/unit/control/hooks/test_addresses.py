import asyncio
import threading
from ipaddress import ip_address

import pytest

from control.hooks.addresses import HookTarget, NameLookUp, checked_addresses, is_public, parse_target
from origin.api.errors import BadHookTarget

PRIVATE = [
    "127.0.0.1",
    "127.8.8.8",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.100.100.200",
    "192.0.0.192",
    "168.63.129.16",
    "0.0.0.0",
    "255.255.255.255",
    "224.0.0.1",
    "198.18.0.1",
    "::",
    "::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::10.0.0.1",
    "2002:7f00:1::",
    "2001:db8::1",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_that_are_not_of_the_public_internet(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "2606:4700::1111", "::ffff:93.184.215.14", "64:ff9b::8.8.8.8"]
)
def test_addresses_of_the_public_internet(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    ("url", "target", "authority"),
    [
        ("https://example.org", HookTarget("https", "example.org", 443, "/"), "example.org"),
        (
            "http://Example.org:8080/a/b?c=d",
            HookTarget("http", "example.org", 8080, "/a/b?c=d"),
            "example.org:8080",
        ),
        ("https://[2606:4700::1]:444/", HookTarget("https", "2606:4700::1", 444, "/"), "[2606:4700::1]:444"),
        ("https://example.org.:443/%20", HookTarget("https", "example.org", 443, "/%20"), "example.org"),
    ],
)
def test_a_url_is_parsed(url: str, target: HookTarget, authority: str) -> None:
    assert parse_target(url) == target
    assert target.authority == authority


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "write it in full"),
        ("example.org/hook", "write it in full"),
        ("file:///etc/passwd", "write it in full"),
        ("gopher://example.org/", "write it in full"),
        ("https://", "write it in full"),
        ("https://example.org/a b", "write it in full"),
        ("https://example.org\\@10.0.0.1/", "write it in full"),
        ("https://exämple.org/", "write it in full"),
        ("https://example.org/\r\nX: y", "write it in full"),
        ("https://user:word@example.org/", "user name or password"),
        ("https://user@example.org/", "user name or password"),
        ("https://example.org/#top", "fragment"),
        ("https://example.org:0/", "port 0"),
        ("https://example.org:99999/", "is not a URL"),
        ("https://[::1/", "is not a URL"),
        ("https://example.org/" + "a" * 2048, "more than 2048"),
    ],
)
def test_a_url_that_cannot_be_called_is_refused_in_words(url: str, reason: str) -> None:
    with pytest.raises(BadHookTarget, match=reason):
        parse_target(url)


class Names:
    """A resolver that answers with ``addresses``."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses

    async def __call__(self, host: str, port: int) -> tuple[str, ...]:
        if not self.addresses:
            raise OSError(-2, "Name or service not known")
        return self.addresses


TARGET = HookTarget("https", "hooks.example.org", 443, "/")


async def test_a_name_with_a_private_address_is_refused() -> None:
    """Also if it has a public one, which may be meant for the check."""
    for addresses in (("10.0.0.5",), ("93.184.215.14", "10.0.0.5")):
        with pytest.raises(BadHookTarget, match=r"hooks.example.org resolves to 10.0.0.5, which is not a public"):
            await checked_addresses(TARGET, Names(*addresses), allow_private=False)
        found = await checked_addresses(TARGET, Names(*addresses), allow_private=True)
        assert tuple(map(str, found)) == addresses


async def test_a_name_without_an_address_is_refused() -> None:
    with pytest.raises(BadHookTarget, match=r"hooks.example.org cannot be resolved: Name or service not known"):
        await checked_addresses(TARGET, Names(), allow_private=True)


async def test_few_addresses_of_a_name_are_tried() -> None:
    names = Names(*(f"8.8.8.{number}" for number in range(20)))
    assert len(await checked_addresses(TARGET, names, allow_private=False)) == 4


async def test_a_name_that_is_looked_up_holds_up_no_other() -> None:
    release, calls = threading.Event(), []

    def resolve(host: str, port: int) -> tuple[str, ...]:
        calls.append(host)
        if host == "slow":
            release.wait()
        return ("8.8.8.8",)

    look_up = NameLookUp(resolve)
    slow = [asyncio.create_task(look_up("slow", 443)) for _ in range(3)]
    assert await look_up("fast", 443) == ("8.8.8.8",)
    slow[0].cancel()
    release.set()
    assert await asyncio.gather(*slow[1:]) == [("8.8.8.8",)] * 2
    assert sorted(calls) == ["fast", "slow"]


async def test_a_failed_look_up_is_raised_and_not_kept() -> None:
    answers: list[OSError | tuple[str, ...]] = [OSError(-3, "Temporary failure"), ("8.8.8.8",)]

    def resolve(host: str, port: int) -> tuple[str, ...]:
        answer = answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return answer

    look_up = NameLookUp(resolve)
    with pytest.raises(OSError, match="Temporary"):
        await look_up("a", 443)
    assert await look_up("a", 443) == ("8.8.8.8",)
