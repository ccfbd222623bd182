"""Which subscribers receive a message, in which order, and that no subscriber can disturb others."""

import logging

import pytest

from live.bus import MAX_CACHED, Bus
from live.messages import PartFetched
from live.topics import FEEDBACK, MEDIA, BroadcastRef, Topic

WORDS: Topic[str] = Topic("words")
A, B = BroadcastRef("a", "1"), BroadcastRef("b", "2")


def test_subscribers_to_one_broadcast_receive_a_message_before_those_to_all() -> None:
    bus = Bus()
    seen: list[tuple[str, BroadcastRef, str]] = []
    bus.subscribe(WORDS, lambda ref, word: seen.append(("all", ref, word)))
    bus.subscribe(WORDS, lambda ref, word: seen.append(("one", ref, word)), A)
    bus.publish(WORDS, A, "first")
    bus.publish(WORDS, B, "second")
    bus.publish(WORDS, A, "third")
    assert seen == [
        ("one", A, "first"),
        ("all", A, "first"),
        ("all", B, "second"),
        ("one", A, "third"),
        ("all", A, "third"),
    ]


def test_a_broadcast_is_addressed_by_its_value() -> None:
    bus = Bus()
    seen: list[str] = []
    bus.subscribe(WORDS, lambda _, word: seen.append(word), BroadcastRef("a", "1"))
    for ref in (BroadcastRef("a", "1"), BroadcastRef("b", "1"), BroadcastRef("a", "2")):
        bus.publish(WORDS, ref, f"{ref.stream}/{ref.broadcast}")
    assert seen == ["a/1"]


def test_topics_are_separate_even_if_their_names_are_not() -> None:
    bus = Bus()
    other: Topic[str] = Topic("words")
    seen: list[str] = []
    bus.subscribe(WORDS, lambda _, word: seen.append(word))
    bus.publish(other, A, "other")
    bus.publish(WORDS, A, "word")
    assert seen == ["word"]


def test_feedback_does_not_reach_the_subscribers_to_media() -> None:
    bus = Bus()
    media: list[object] = []
    feedback: list[object] = []
    bus.subscribe(MEDIA, lambda _, message: media.append(message))
    bus.subscribe(FEEDBACK, lambda _, message: feedback.append(message))
    fetched = PartFetched("v720p", 3, 1)
    bus.publish(FEEDBACK, A, fetched)
    assert (media, feedback) == ([], [fetched])


def test_a_subscription_can_begin_and_end_between_messages() -> None:
    bus = Bus()
    seen: list[str] = []
    for ref in (A, None):
        bus.publish(WORDS, A, "before")
        subscription = bus.subscribe(WORDS, lambda _, word: seen.append(word), ref)
        bus.publish(WORDS, A, "while")
        subscription.close()
        subscription.close()
        bus.publish(WORDS, A, "after")
    assert seen == ["while", "while"]


def test_the_end_of_one_subscription_leaves_an_equal_one() -> None:
    bus = Bus()
    seen: list[str] = []

    def receive(ref: BroadcastRef, word: str) -> None:
        seen.append(word)

    first, _ = bus.subscribe(WORDS, receive), bus.subscribe(WORDS, receive)
    first.close()
    first.close()
    bus.publish(WORDS, A, "once")
    assert seen == ["once"]


def test_a_subscriber_that_fails_does_not_disturb_the_publisher_or_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bus = Bus()
    seen: list[str] = []

    def fail(ref: BroadcastRef, word: str) -> None:
        raise RuntimeError("broken")

    bus.subscribe(WORDS, fail)
    bus.subscribe(WORDS, lambda _, word: seen.append(word))
    with caplog.at_level(logging.CRITICAL):
        bus.publish(WORDS, A, "word")
    assert seen == ["word"]


def test_a_subscriber_may_publish_and_subscribe_while_it_receives() -> None:
    bus = Bus()
    seen: list[tuple[str, str]] = []

    def receive(ref: BroadcastRef, word: str) -> None:
        seen.append(("first", word))
        if word == "one":
            bus.subscribe(WORDS, lambda _, word: seen.append(("second", word)))
            bus.publish(WORDS, B, "two")

    bus.subscribe(WORDS, receive)
    bus.publish(WORDS, A, "one")
    assert seen == [("first", "one"), ("first", "two"), ("second", "two")]


def test_any_number_of_broadcasts_can_come_and_go() -> None:
    bus = Bus()
    seen: list[str] = []
    bus.subscribe(WORDS, lambda ref, _: seen.append(ref.broadcast))
    for number in range(MAX_CACHED + 2):
        bus.publish(WORDS, BroadcastRef("a", str(number)), "word")
    assert len(seen) == MAX_CACHED + 2
