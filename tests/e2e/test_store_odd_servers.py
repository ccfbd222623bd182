"""S3 servers that misbehave, each in one way: the store works all the same, or explains what is wrong."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from storage import StorageError, StoreMisconfigured, StoreUnavailable
from storage.s3 import S3Store
from storage.s3_client import S3Options
from tests.lab.odd_s3 import BUCKET, DELETION, LISTING, Answer, Bend, OddS3, error, odd_s3, without_element

BODY = bytes(range(256)) * 64
KEYS = ("live/a/1.m4s", "live/a/2.m4s")
READS = ("GetObject", "HeadObject")


Perform = Callable[[], Answer]


def good(_: str, perform: Perform) -> Answer:
    return perform()


def without_header(name: str, *operations: str) -> Bend:
    def bend(operation: str, perform: Perform) -> Answer:
        answer = perform()
        if operation in operations:
            answer.headers.pop(name, None)
        return answer

    return bend


def without(name: str) -> Bend:
    """Listings without an element."""
    return listing(without_element(name))


def listing(change: Callable[[bytes], bytes]) -> Bend:
    def bend(operation: str, perform: Perform) -> Answer:
        answer = perform()
        return replace(answer, body=change(answer.body)) if operation == LISTING else answer

    return bend


def sent(*operations: str, **how: Any) -> Bend:
    """Successful answers that are sent in another way."""

    def bend(operation: str, perform: Perform) -> Answer:
        answer = perform()
        return replace(answer, **how) if operation in operations and answer.status < 300 else answer

    return bend


def always(refused: str, answer: Answer) -> Bend:
    return lambda operation, perform: answer if operation == refused else perform()


def every_second(answer: Answer, *, performed: bool = False) -> Bend:
    """Every second request gets this answer, whether or not it is ``performed``."""
    numbers = count()

    def bend(_: str, perform: Perform) -> Answer:
        if next(numbers) % 2:
            return perform()
        if performed:
            perform()
        return answer

    return bend


def page(status: int) -> Answer:
    return Answer(status, b"<html>Welcome<br>", {"Content-Type": "text/html; charset=utf-8"})


LOST = Answer(lost=True)


async def use(store: S3Store) -> None:
    """What the server does with a store, first its check at the start."""
    await store.check()
    for key in KEYS:
        await store.put(key, BODY)
        assert (await store.get(key)).body == BODY
        info = await store.head(key)
        assert (info.key, info.size) == (key, len(BODY))
    assert [info.key async for info in store.list("live/")] == list(KEYS)
    first = await store.get(KEYS[0])
    await store.put(KEYS[0], b"2", if_match=first.info.etag)
    for key in KEYS:
        await store.delete(key)
    assert [info.key async for info in store.list("live/")] == []


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKID")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[OddS3]:
    with odd_s3(request.param) as server:
        yield server


def opened(server: OddS3) -> S3Store:
    options = S3Options(endpoint=server.account.endpoint, connect_timeout=2.0, read_timeout=0.5)
    return S3Store(BUCKET, "some/prefix", options)


@pytest.mark.parametrize(
    "server",
    [
        pytest.param(good, id="none"),
        pytest.param(without_header("ETag", "PutObject"), id="no ETag of a PUT"),
        pytest.param(without_header("ETag", "HeadObject"), id="no ETag of a HEAD"),
        pytest.param(without_header("Last-Modified", *READS), id="no Last-Modified"),
        pytest.param(without_header("Content-Type", *READS), id="no Content-Type"),
        pytest.param(sent(*READS, chunked=True), id="no Content-Length of an object"),
        pytest.param(sent(LISTING, chunked=True), id="no Content-Length of a listing"),
        pytest.param(sent("PutObject", "DeleteObject", chunked=True), id="no Content-Length of a write"),
        pytest.param(without("IsTruncated"), id="no IsTruncated"),
        pytest.param(without("ETag"), id="no ETag in a listing"),
        pytest.param(without("Size"), id="no Size in a listing"),
        pytest.param(without("LastModified"), id="no LastModified in a listing"),
        pytest.param(sent(LISTING, *READS, "PutObject", "DeleteObject", closing=True), id="closes silently"),
        pytest.param(every_second(error(503, "SlowDown", "slow down")), id="SlowDown now and then"),
        pytest.param(every_second(LOST), id="resets now and then"),
        pytest.param(sent("DeleteObject", status=404, body=b""), id="404 for a DELETE"),
    ],
    indirect=True,
)
async def test_the_store_works(server: OddS3) -> None:
    store = opened(server)
    try:
        await use(store)
    finally:
        await store.close()


@pytest.mark.parametrize(
    ("server", "kind", "text"),
    [
        (without_header("ETag", *READS, "PutObject"), StoreMisconfigured, "sends no ETag"),
        (
            listing(lambda body: body.replace(b">false<", b">true<")),
            StoreUnavailable,
            "does not continue a listing",
        ),
        (always("PutObject", error(503, "SlowDown", "reduce")), StoreUnavailable, r"reduce \(SlowDown\)"),
        (
            always("PutObject", error(200, "InternalError", "We broke")),
            StoreUnavailable,
            r"We broke \(InternalError\)",
        ),
        (
            always("GetObject", error(200, "InternalError", "We broke")),
            StoreUnavailable,
            r"We broke \(InternalError\)",
        ),
        (always(LISTING, error(200, "InternalError", "We broke")), StoreUnavailable, "We broke"),
        (
            always("PutObject", error(403, "RequestTimeTooSkewed", "The difference is too large.")),
            StoreMisconfigured,
            r"set the time \(The difference is too large. \(RequestTimeTooSkewed\)\)",
        ),
        (
            always("PutObject", error(403, "AccessDenied", "storage cap exceeded")),
            StoreMisconfigured,
            r"storage cap exceeded \(AccessDenied\)$",
        ),
        (
            always("PutObject", error(403, "AccessDenied", "Access Denied")),
            StoreMisconfigured,
            "allow s3:PutObject",
        ),
        (always("PutObject", page(502)), StoreUnavailable, r"\(502\); the answer is a web page"),
        (always("PutObject", page(404)), StoreMisconfigured, r"\(404\); the answer is a web page"),
        (always(LISTING, page(404)), StoreMisconfigured, r"\(404\); the answer is a web page"),
        (always(LISTING, page(200)), StoreUnavailable, "the answer is a web page: is the endpoint right"),
        (sent("GetObject", cut_at=5), StoreUnavailable, "failed"),
        (sent("GetObject", cut_at=5, stalled=True), StoreUnavailable, "failed"),
        (sent(LISTING, cut_at=5), StoreUnavailable, "fail"),
        (sent("PutObject", body=b"x", cut_at=0, stalled=True), StoreUnavailable, "failed"),
    ],
    indirect=["server"],
)
async def test_the_reason_is_explained(server: OddS3, kind: type[StorageError], text: str) -> None:
    store = opened(server)
    try:
        with pytest.raises(kind, match=text) as raised:
            await use(store)
        assert type(raised.value) is kind
    finally:
        await store.close()


@pytest.mark.parametrize("server", [without_header("ETag", "PutObject")], indirect=True)
async def test_a_put_without_an_etag_is_sent_once(server: OddS3) -> None:
    store = opened(server)
    await store.put(KEYS[0], BODY)
    await store.close()
    assert server.requests == ["PutObject"]


@pytest.mark.parametrize("server", [good, without("NextContinuationToken"), without("IsTruncated")], indirect=True)
async def test_a_listing_of_several_pages_is_complete(server: OddS3) -> None:
    server.page = 2
    store = opened(server)
    keys = [f"live/a/{number}.m4s" for number in range(7)]
    for key in keys:
        await store.put(key, b"x")
    assert [info.key async for info in store.list("")] == keys
    await store.close()
    assert server.requests.count(LISTING) == 4


@pytest.mark.parametrize("server", [every_second(LOST, performed=True)], indirect=True)
async def test_lost_answers_do_not_prevent_the_start(server: OddS3) -> None:
    store = opened(server)
    await store.check()
    for key in KEYS:
        await store.put(key, BODY)
        assert (await store.get(key)).body == BODY
    await store.close()


@pytest.mark.parametrize(
    "refusal",
    [
        error(501, "NotImplemented", "A header you provided implies functionality that is not implemented"),
        error(400, "MissingContentMD5", "Missing required header for this request: Content-Md5"),
        Answer(405),
    ],
)
async def test_a_server_without_deletions_of_many_gets_one_for_each(refusal: Answer) -> None:
    with odd_s3(always(DELETION, refusal)) as server:
        store = opened(server)
        server.objects = dict.fromkeys((f"some/prefix/{key}" for key in (*KEYS, "live/a/3.m4s")), BODY)
        await store.delete_many(KEYS)
        assert list(server.objects) == ["some/prefix/live/a/3.m4s"]
        assert server.requests == [DELETION, "DeleteObject", "DeleteObject"]
        await store.close()


@pytest.mark.parametrize(
    ("code", "expected", "words"),
    [
        ("AccessDenied", StoreMisconfigured, "allow s3:DeleteObject"),
        ("InternalError", StoreUnavailable, "is failing"),
        ("NoSuchKey", None, ""),
    ],
)
async def test_a_deletion_of_many_that_leaves_objects_fails(
    code: str, expected: type[StorageError] | None, words: str
) -> None:
    failure = f"<DeleteResult><Error><Key>{KEYS[0]}</Key><Code>{code}</Code></Error></DeleteResult>"
    answer = Answer(body=failure.encode(), headers={"Content-Type": "application/xml"})
    with odd_s3(always(DELETION, answer)) as server:
        store = opened(server)
        if expected is None:
            await store.delete_many(KEYS)
        else:
            with pytest.raises(expected, match=words):
                await store.delete_many(KEYS)
        await store.close()
