"""Bends of how the publisher leaves, and how it returns."""

from dataclasses import replace
from random import Random

from tests.torture.bends.tools import pictures
from tests.torture.script import Bent, Ending, Message, Script, Session

# Before the server's reconnect window ends.
SHORT_PAUSE_S, LONG_PAUSE_S = 0.2, 1.5


def leaves(script: Script, random: Random) -> Bent:
    """The publisher leaves without a word, or in the middle of a message."""
    ending = random.choice([Ending.GONE, Ending.CUT, Ending.FC_UNPUBLISH])
    gone = pictures(script)[-1:] if ending is Ending.CUT else []
    damaged = script.damage(m.picture for m in gone if m.picture is not None)
    return replace(damaged, ending=ending), f"in the end, {ending.value}"


def returns(script: Script, random: Random) -> Bent:
    """The publisher is lost and returns, with timestamps that continue, restart or are others."""
    keys = [m for m in pictures(script) if m.is_key][1:]
    if not keys:
        return leaves(script, random)
    at = random.choice(keys).at
    first = [m for m in script.messages if m.at < at]
    headers = [m for m in first if m.is_header or m.is_metadata]
    ending, pause = random.choice([Ending.GONE, Ending.CUT]), random.choice([SHORT_PAUSE_S, LONG_PAUSE_S])
    shift = random.choice([0, -at, 1_000_000, -at + 500])
    rest = [m for m in script.messages if m.at >= at]
    second: list[Message] = [m._replace(at=0, timestamp=at + shift) for m in headers]
    second += [m._replace(at=m.at - at, timestamp=m.timestamp + shift) for m in rest]
    damaged = script
    if ending is Ending.CUT:
        number = [m.picture for m in first if m.picture is not None][-1]
        damaged = script.damage([number])
    sessions = (Session(tuple(first), ending), Session(tuple(second), Ending.POLITE, pause))
    text = f"at {at} ms {ending.value}; it returns after {pause} s with timestamps from {at + shift}"
    return replace(damaged, sessions=sessions, loose=True), text


BENDS = (leaves, returns)
