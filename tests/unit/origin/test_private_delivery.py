"""A private stream over ASGI: what viewers with and without a token can fetch."""

from collections.abc import AsyncIterator
from urllib.parse import urljoin

import httpx
import pytest

from origin.playback import ViewerToken, make_path_token, sign_viewer_token
from origin.playback.gate import BUCKET_S, capped
from storage.interface import StoreUnavailable
from tests.unit.origin.test_delivery import NOW, Origin
from tests.unit.worker.test_recorder import BROADCAST, PREFIX, STREAM

TOPS = [
    f"/{PREFIX}/master.m3u8",
    f"/live/{STREAM}/master.m3u8",
    f"/{PREFIX}/manifest.mpd",
    f"/live/{STREAM}/manifest.mpd",
]
BELOW = ["vsource/media.m3u8", "vsource/init-0.mp4", "vsource/1.m4s", "vsource/1.2.m4s"]


@pytest.fixture
async def origin() -> AsyncIterator[Origin]:
    origin = Origin()
    origin.private.add(STREAM)
    await origin.bench.feed(7)
    yield origin
    await origin.bench.end()
    await origin.client.aclose()


async def viewer_token(
    origin: Origin, *, stream: str = STREAM, seconds: int = 60, address: str | None = None
) -> str:
    return sign_viewer_token(ViewerToken(stream, int(NOW) + seconds, address), await origin.secret.keys())


async def path_token(origin: Origin, stream: str = STREAM) -> str:
    return make_path_token(await origin.secret.keys(), stream, now=NOW, bucket_s=BUCKET_S)


def references(playlist: str) -> list[str]:
    return [line for line in playlist.splitlines() if line and not line.startswith("#")]


def assert_refused(answer: httpx.Response, code: str) -> None:
    assert (answer.status_code, answer.headers["cache-control"]) == (403, "no-store")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["access-control-allow-origin"] == "*"
    refusal = answer.json()
    assert refusal["code"] == code and len(refusal["detail"].split()) > 5


@pytest.mark.parametrize("path", TOPS + [f"/{PREFIX}/{name}" for name in BELOW])
async def test_everything_is_refused_without_a_token(origin: Origin, path: str) -> None:
    assert_refused(await origin.get(path), "token-missing")
    assert origin.served[-1][:2] == ("refused", 403)


@pytest.mark.parametrize("name", BELOW)
async def test_a_viewer_token_opens_only_the_top_level_playlists(origin: Origin, name: str) -> None:
    assert_refused(await origin.get(f"{name}?token={await viewer_token(origin)}"), "token-missing")


@pytest.mark.parametrize("path", TOPS)
async def test_a_viewer_token_redirects_below_the_path_token(origin: Origin, path: str) -> None:
    answer = await origin.get(f"{path}?token={await viewer_token(origin)}")
    assert (answer.status_code, answer.headers["cache-control"]) == (302, "no-store")
    location = urljoin(path, answer.headers["location"])
    assert location == path.replace(f"/{STREAM}/", f"/{STREAM}~{await path_token(origin)}/", 1)
    shared = await origin.get(location)
    origin.private.clear()
    assert shared.status_code == 200
    assert shared.content == (await origin.get(path)).content


async def test_everything_can_be_reached_through_the_playlists(origin: Origin) -> None:
    start = f"http://origin/live/{STREAM}/master.m3u8?token={await viewer_token(origin)}"
    master = await origin.client.get(start, follow_redirects=True)
    tracks = [urljoin(str(master.url), uri) for uri in references(master.text)]
    assert tracks
    for track in tracks:
        playlist = await origin.client.get(track)
        segments = [urljoin(track, uri) for uri in references(playlist.text)]
        assert segments
        for segment in segments:
            assert (await origin.client.get(segment)).status_code == 200
            assert_refused(
                await origin.client.get(segment.replace(f"~{await path_token(origin)}", "")), "token-missing"
            )


@pytest.mark.parametrize("name", BELOW)
async def test_what_a_path_token_opens_is_not_kept(origin: Origin, name: str) -> None:
    shared = await origin.share(f"/live/{STREAM}~{await path_token(origin)}/{BROADCAST}/{name}")
    assert origin.served[-1][1] == 200
    assert shared.is_current is None


async def test_after_the_broadcast_the_stored_playlists_can_be_followed(origin: Origin) -> None:
    await origin.bench.end()
    for path in TOPS:
        answer = await origin.client.get(f"{path}?token={await viewer_token(origin)}", follow_redirects=True)
        assert answer.status_code == 200
        assert f"/{STREAM}~" in str(answer.url)
    track = f"/live/{STREAM}~{await path_token(origin)}/{BROADCAST}/vsource/media.m3u8"
    assert "#EXT-X-ENDLIST" in (await origin.get(track)).text


@pytest.mark.parametrize("path", TOPS)
async def test_an_invalid_viewer_token_is_refused(origin: Origin, path: str) -> None:
    for token, code in (
        ("x", "token-invalid"),
        (await viewer_token(origin, seconds=0), "token-expired"),
        (await viewer_token(origin, stream="other"), "token-wrong-stream"),
        (await viewer_token(origin, address="203.0.113.7"), "token-wrong-address"),
    ):
        assert_refused(await origin.get(f"{path}?token={token}"), code)


async def test_a_token_for_the_clients_own_address_is_accepted(origin: Origin) -> None:
    # The client address of httpx's ASGI transport.
    token = await viewer_token(origin, address="127.0.0.1")
    assert (await origin.get(f"master.m3u8?token={token}")).status_code == 302


@pytest.mark.parametrize("name", ["master.m3u8", *BELOW])
async def test_an_invalid_path_token_is_refused(origin: Origin, name: str) -> None:
    token = await path_token(origin)
    for wrong in (token[:-1], "", "x", await path_token(origin, "other")):
        assert_refused(await origin.get(f"/live/{STREAM}~{wrong}/{BROADCAST}/{name}"), "token-invalid")
    origin.now = NOW + 2 * BUCKET_S
    assert_refused(await origin.get(f"/live/{STREAM}~{token}/{BROADCAST}/{name}"), "token-expired")


async def test_caching_below_a_path_token_ends_with_the_token(origin: Origin) -> None:
    token = await path_token(origin)
    left = int(token.partition("-")[0]) - int(NOW)
    prefix = f"/live/{STREAM}~{token}/{BROADCAST}/vsource"
    segment = await origin.get(f"{prefix}/1.m4s")
    assert segment.headers["cache-control"] == f"public, max-age={left}, immutable"
    assert (await origin.get(f"{prefix}/media.m3u8")).headers["cache-control"] == "public, max-age=1"
    again = await origin.get(f"{prefix}/1.m4s", If_None_Match=segment.headers["etag"])
    assert (again.status_code, again.headers["cache-control"]) == (304, f"public, max-age={left}, immutable")


async def test_invalid_names_are_404_with_or_without_a_token(origin: Origin) -> None:
    for path in (f"/live/{STREAM}/x", f"/live/{STREAM}~x/y", "/live/~x/master.m3u8", f"/live/{STREAM}~x"):
        assert (await origin.get(path)).status_code == 404


async def test_a_public_stream_accepts_any_token_or_none(origin: Origin) -> None:
    origin.private.clear()
    assert (await origin.get("master.m3u8?token=x")).status_code == 200
    assert (
        await origin.get(f"/live/{STREAM}~{await path_token(origin)}/{BROADCAST}/master.m3u8")
    ).status_code == 200


async def test_a_store_that_is_down_admits_no_new_viewer(origin: Origin) -> None:
    origin.bench.store.failing = StoreUnavailable("down")
    answer = await origin.get(f"/live/{STREAM}~1-{'a' * 22}/master.m3u8")
    assert (answer.status_code, answer.headers["cache-control"]) == (503, "no-store")
    origin.bench.store.failing = None


@pytest.mark.parametrize(
    ("caching", "left", "expected"),
    [
        ("public, max-age=1", None, "public, max-age=1"),
        ("public, max-age=1", 60, "public, max-age=1"),
        ("public, max-age=31536000, immutable", 60, "public, max-age=60, immutable"),
        ("no-store", 60, "no-store"),
    ],
)
def test_caching_is_capped(caching: str, left: int | None, expected: str) -> None:
    assert capped(caching, left) == expected
