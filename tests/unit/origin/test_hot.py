"""Which requests are shared, and which answers are kept, for how long and how many."""

import asyncio
from collections.abc import Callable

import pytest
from starlette.types import Message, Receive, Scope, Send

from origin.hot import BATCH, MAX_AGE_S, SHARED, HotAnswer, HotAnswers, Key, SharedAnswers, SharedRequest

KEY: Key = (b"/live/a/b/v/1.m4s", False)
ACCEPTS = [(b"host", b"a"), (b"accept-encoding", b"gzip, br")]


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Client:
    def __init__(self) -> None:
        self.got: list[HotAnswer | None] = []

    def resolve(self, answer: HotAnswer | None) -> None:
        self.got.append(answer)


def answers(**options: object) -> HotAnswers:
    return HotAnswers(**{"any_origin": True, "on_served": lambda *_: None, **options})  # type: ignore[arg-type]


def answer(size: int = 3) -> HotAnswer:
    return HotAnswer(200, b"HTTP/1.1 200 OK\r\n", (memoryview(bytes(size)),), size, "segment")


def kept(hot: HotAnswers, key: Key = KEY, size: int = 3) -> SharedRequest:
    request = hot.begin(key)
    assert request is not None
    request.keep()
    hot.settle(request, answer(size))
    return request


@pytest.mark.parametrize(
    "target",
    [
        b"/live/a/b/v/1.m4s",
        b"/live/a/b/v/1.2.m4s",
        b"/live/a/b/v/init-0.mp4",
        b"/live/a/b/manifest.mpd",
        b"/live/a/b/v/media.m3u8",
        b"/live/a/b/v/media.m3u8?_HLS_msn=7",
        b"/live/a/b/v/media.m3u8?_HLS_msn=7&_HLS_part=2&_HLS_skip=YES",
    ],
)
def test_media_and_playlists_are_shared(target: bytes) -> None:
    assert answers().key(target, gzips=False) == (target, False)
    assert answers(prefix="/tv").key(b"/tv" + target, gzips=False) == (b"/tv" + target, False)


@pytest.mark.parametrize(
    "target",
    [
        b"/api/v1/watch/a.m4s",
        b"/live/a/master.m3u8?token=secret",
        b"/live/a/b/v/1.m4s?x=1",
        b"/live/a/b/v/media.m3u8?_HLS_part=2&_HLS_msn=7",
        b"/live/a/b/v/media.m3u8?_HLS_msn=7&x=1",
        b"http://a/live/a/b/v/1.m4s",
        b"/tv/live/a/b/v/1.m4s",
    ],
)
def test_other_requests_are_not(target: bytes) -> None:
    assert answers().key(target, gzips=False) is None


def test_compression_distinguishes_playlists_and_not_media() -> None:
    hot = answers()
    assert hot.gzips(ACCEPTS) is True
    assert hot.gzips([(b"accept-encoding", b"gzip;q=0")]) is False
    assert hot.key(b"/live/a/b/v/media.m3u8", gzips=True) == (b"/live/a/b/v/media.m3u8", True)
    assert hot.key(b"/live/a/b/v/1.m4s", gzips=True) == (b"/live/a/b/v/1.m4s", False)


@pytest.mark.parametrize(
    "name", [b"range", b"if-none-match", b"if-range", b"content-length", b"transfer-encoding", b"authorization"]
)
def test_a_field_on_which_the_answer_depends(name: bytes) -> None:
    assert answers().gzips([*ACCEPTS, (name, b"1")]) is None


def test_the_origin_of_a_page_counts_if_origins_are_listed() -> None:
    fields = [(b"origin", b"https://a.example")]
    assert answers().gzips(fields) is False
    assert answers(any_origin=False).gzips(fields) is None


def test_an_answer_is_kept_for_its_age() -> None:
    clock = Clock()
    hot = answers(clock=clock)
    kept(hot)
    assert hot.find(KEY) is not None
    clock.now = MAX_AGE_S
    assert hot.find(KEY) is None


def test_an_answer_is_not_kept_unless_the_application_says_so() -> None:
    hot = answers()
    request = hot.begin(KEY)
    assert request is not None
    hot.settle(request, answer())
    assert hot.find(KEY) is None


def test_an_answer_that_may_change_is_kept_until_it_does() -> None:
    hot, is_right = answers(), True
    request = hot.begin(KEY)
    assert request is not None
    request.keep(lambda: is_right)
    hot.settle(request, answer())
    assert hot.find(KEY) is not None
    is_right = False
    assert hot.find(KEY) is None


def test_everybody_who_waits_gets_the_answer_whatever_it_is() -> None:
    hot, clients = answers(), [Client(), Client()]
    request = hot.begin(KEY)
    assert request is not None and hot.begin(KEY) is None
    assert [hot.wait(KEY, client) for client in clients] == [True, True]
    hot.settle(request, found := answer())
    hot.settle(request, None)
    assert [client.got for client in clients] == [[found], [found]]
    assert hot.wait(KEY, Client()) is False


def test_an_earlier_request_that_ends_late_does_not_send_the_others_away() -> None:
    hot, client = answers(), Client()
    early = hot.begin(KEY)
    assert early is not None
    hot.settle(early, answer())
    late = hot.begin(KEY)
    assert late is not None
    hot.wait(KEY, client)
    hot.settle(early, None)
    assert (client.got, hot.waiting(KEY)) == ([], 1)
    hot.settle(late, found := answer())
    assert (client.got, hot.waiting(KEY)) == ([found], 0)


def test_who_left_gets_nothing() -> None:
    hot, client = answers(), Client()
    request = hot.begin(KEY)
    assert request is not None
    hot.wait(KEY, client)
    hot.leave(KEY, client)
    hot.leave((b"/live/never", False), client)
    hot.settle(request, answer())
    assert client.got == []


async def test_the_event_loop_does_other_work_between_many_answers() -> None:
    hot, clients = answers(), [Client() for _ in range(3 * BATCH)]
    request = hot.begin(KEY)
    assert request is not None
    for client in clients:
        hot.wait(KEY, client)
    hot.settle(request, answer())
    assert sum(len(client.got) for client in clients) == BATCH
    while not clients[-1].got:
        await asyncio.sleep(0)
    assert all(len(client.got) == 1 for client in clients)


def test_clear_drops_what_is_kept_and_what_is_on_its_way() -> None:
    hot = answers()
    kept(hot)
    request = hot.begin((b"/live/a/b/v/2.m4s", False))
    assert request is not None
    hot.clear()
    request.keep()
    hot.settle(request, answer())
    assert (hot.find(KEY), hot.find(request.key), hot.kept_bytes) == (None, None, 0)


def test_the_bytes_are_bounded_and_old_answers_give_way() -> None:
    clock = Clock()
    hot = answers(clock=clock, max_bytes=10)
    keys: list[Key] = [(b"/live/a/b/v/%d.m4s" % number, False) for number in range(4)]
    for key in keys[:3]:
        kept(hot, key, size=4)
    assert [hot.find(key) is not None for key in keys[:3]] == [False, True, True]
    assert hot.kept_bytes == 8
    clock.now = MAX_AGE_S
    kept(hot, keys[3], size=1)
    assert hot.kept_bytes == 1
    kept(hot, keys[0], size=11)
    assert hot.find(keys[0]) is None


async def run_shared(
    hot: HotAnswers, handle: Callable[[SharedRequest, Send], object], sent: Callable[[Message], object]
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await handle(scope[SHARED], send)  # type: ignore[misc]

    async def receive() -> Message:
        raise AssertionError

    async def send(message: Message) -> None:
        sent(message)

    await SharedAnswers(app, hot)({"type": "http", SHARED: hot.begin(KEY)}, receive, send)


async def test_the_answer_is_there_before_the_first_client_has_read_it() -> None:
    hot, client = answers(), Client()

    async def handle(request: SharedRequest, send: Send) -> None:
        hot.wait(KEY, client)
        request.answer(b"abc", "part")
        request.keep()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"etag", b'"3"')]})
        assert client.got == [hot.find(KEY)]
        await send({"type": "http.response.body", "body": b"abc"})

    await run_shared(hot, handle, lambda message: None)
    (found,) = client.got
    assert found is not None
    assert (found.head, b"".join(found.body)) == (b'HTTP/1.1 200 OK\r\netag: "3"\r\n', b"abc")
    assert (found.status, found.size, found.resource) == (200, 3, "part")


async def test_nobody_waits_for_a_body_that_grows() -> None:
    hot, client = answers(), Client()

    async def handle(request: SharedRequest, send: Send) -> None:
        hot.wait(KEY, client)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        assert client.got == [None]

    await run_shared(hot, handle, lambda message: None)
    assert client.got == [None]


async def test_nobody_waits_for_an_application_that_failed() -> None:
    hot, client = answers(), Client()

    async def handle(request: SharedRequest, send: Send) -> None:
        hot.wait(KEY, client)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await run_shared(hot, handle, lambda message: None)
    assert client.got == [None]
