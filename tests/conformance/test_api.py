"""Schemathesis generates requests from the OpenAPI document and checks each answer against it."""

import asyncio
import itertools
from typing import Any

import schemathesis
from hypothesis import settings
from schemathesis import Case, HookContext, Response
from schemathesis.checks import negative_data_rejection, positive_data_acceptance
from schemathesis.config import SchemathesisConfig

from cluster.memory import MemoryState
from live.status import History, Latencies, LatencyStatus, Sample, Thumbnail
from media.ladder import Rung, require_descending
from media.names import is_broadcast_id, is_stream_name
from media.quantities import Bitrate
from origin.api import cmcd
from storage.catalogue import Catalogue
from storage.catalogue.events import Event, EventRecord
from storage.catalogue.records import BroadcastRecord
from tests.lab.memory_store import MemoryStore
from tests.unit.cluster.fake_owner import FakeOwner
from tests.unit.cluster.joining import node
from tests.unit.origin.api.live import BROADCAST, status
from tests.unit.origin.whole import NOW, TOKEN, whole_origin

LIVE = "studio-a"
EXAMPLES = 50

store, cluster = MemoryStore(), MemoryState().join(node("a"))
config = SchemathesisConfig.from_dict(
    {
        "seed": 1,
        "headers": {"Authorization": f"Bearer {TOKEN}"},
        "generation": {"max-examples": EXAMPLES, "deterministic": True},
    }
)
schemathesis.serializer.alias("application/cmcd", "text/plain")
# A minute passes with each request, because wrong tokens are among them and more than a few a minute get 429.
app = whole_origin(store, cluster=cluster, monotonic=itertools.count(step=60).__next__)
# An answer without an end cannot be checked here; tests/e2e/test_server_events.py reads it.
schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", app, config=config).exclude(path="/api/v1/events")


def owner() -> FakeOwner:
    owner = FakeOwner(status(LIVE))
    owner.samples = History(samples=(Sample(at=NOW, bitrate_bps=2_500_000, fps=30.0),))
    owner.stages = Latencies(stages=(LatencyStatus(track="vsource", stage="in a part", p50_ms=9.5, p95_ms=20.0),))
    owner.picture = Thumbnail(jpeg=b"\xff\xd8\xff\xd9", at=NOW)
    lost = Event(number=1, at=NOW, code="publisher-lost", text="gone", fields={"reason": "lost", "away_s": 4.2})
    owner.log = EventRecord(stream=LIVE, broadcast=BROADCAST, events=(lost,))
    return owner


async def put_on_air() -> None:
    """Leave one stream, which is live and has a past broadcast."""
    store.objects.clear()
    catalogue = Catalogue(store)
    await catalogue.create_stream(LIVE, now=NOW)
    await catalogue.rotate_backup_key(LIVE, now=NOW)
    record = BroadcastRecord(stream=LIVE, broadcast=BROADCAST, started_at=NOW, ended_at=NOW + 60, duration_s=60)
    await catalogue.put_broadcast(record)
    if await cluster.owner_of(LIVE) is None:
        await cluster.claim(LIVE, BROADCAST, owner())


def has_wrong_order(body: Any) -> bool:
    """Rungs go from high to low, which JSON Schema cannot express."""
    try:
        require_descending(tuple(Rung(rung["height"], bits(rung["bitrate"])) for rung in body["ladder"]))
    except (TypeError, KeyError):
        return False
    except ValueError:
        return True
    return False


def is_impossible_key(case: Case[Any]) -> bool:
    """A key expires in the future, and primary and backup have no limits, which JSON Schema cannot express."""
    if "/keys" not in case.operation.path or not isinstance(case.body, dict):
        return False
    expires_at, addresses = case.body.get("expires_at"), case.body.get("addresses")
    name = case.body.get("name", case.path_parameters.get("name"))
    is_past = isinstance(expires_at, int | float) and expires_at <= NOW
    return is_past or (name in ("primary", "backup") and bool(expires_at or addresses))


def bits(bitrate: Any) -> int:
    return round(Bitrate().parse(bitrate))


@schema.hook
def map_path_parameters(context: HookContext, values: dict[str, Any] | None) -> dict[str, Any] | None:
    """Half of the requests are for the live stream and its broadcast. Names that cannot exist stay as they are,
    because their requests have to be refused."""
    if values is None or not is_broadcast_id(str(values.get("broadcast", BROADCAST))):
        return values
    stream = str(values.get("stream"))
    if is_stream_name(stream) and len(stream) % 2 == 0:
        values["stream"] = LIVE
        if "broadcast" in values:
            values["broadcast"] = BROADCAST
    return values


def validate(case: Case[Any], response: Response, **options: Any) -> None:
    """Run all checks. A ladder in the wrong order and an impossible key are refused, although they follow the
    schema. Reports of players are left out if they cannot be read, and never refused for that."""
    excluded = []
    if has_wrong_order(case.body) or is_impossible_key(case):
        excluded.append(positive_data_acceptance)
    if case.operation.path == cmcd.PATH:
        excluded.append(negative_data_rejection)
    case.validate_response(response, excluded_checks=excluded, **options)


@schema.parametrize()
def test_every_answer_is_as_documented(case: Case[Any]) -> None:
    asyncio.run(put_on_air())
    validate(case, case.call())


class Sequences(schema.as_state_machine()):  # type: ignore[misc]
    def setup(self) -> None:
        asyncio.run(put_on_air())

    def validate_response(self, response: Response, case: Case[Any], *unused: object, **options: object) -> None:
        validate(case, response, recorder=self.recorder)


def test_sequences_of_requests_are_as_documented() -> None:
    """Create a stream, then use it, change it and delete it."""
    Sequences.run(
        settings=settings(
            max_examples=EXAMPLES, stateful_step_count=6, deadline=None, derandomize=True, database=None
        )
    )
