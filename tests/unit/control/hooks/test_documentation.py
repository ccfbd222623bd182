"""docs/hooks.md has an example of each message, with the fields that are sent."""

import json
import re
from pathlib import Path

from control.hooks.notices import Notice, of_milestone, of_test, of_trouble
from live.messages import BroadcastPlayable, BroadcastStored
from live.topics import BroadcastRef
from storage.catalogue.records import BroadcastRecord
from storage.hooks.event_types import TEST_EVENT, HookEvent
from storage.watch import StoreTrouble

TEXT = (Path(__file__).parents[4] / "docs" / "hooks.md").read_text()
EXAMPLES = [json.loads(text) for text in re.findall(r"^    (\{\"type\".*?\}\})$", TEXT, re.MULTILINE | re.DOTALL)]
REF = BroadcastRef("studio-a", "20261121t104105z-ab12cd")


def test_each_type_is_in_the_table_and_has_an_example() -> None:
    types = {*HookEvent, TEST_EVENT}
    assert {example["type"] for example in EXAMPLES} == types
    assert set(re.findall(r"^\| `([a-z]+\.[a-z]+)` \|", TEXT, re.MULTILINE)) == types


def test_the_fields_of_the_examples_are_those_that_are_sent() -> None:
    record = BroadcastRecord(**REF._asdict(), started_at=0.0, ended_at=1.0)
    sent: list[Notice] = [
        of_milestone(REF, BroadcastPlayable(), at=0.0, public_url=""),
        of_milestone(REF, BroadcastStored(record), at=0.0, public_url=""),
        of_trouble(StoreTrouble.AWAY, "", at=0.0, public_url=""),
        of_test("9f86d081", at=0.0),
    ]
    for notice in sent:
        (example,) = (example for example in EXAMPLES if example["type"] == notice.event)
        assert example["data"].keys() == notice.data.keys()
        assert example.keys() == json.loads(notice.body()).keys()
