"""Bends of the timestamps. The messages are sent when they would be without the bend."""

from itertools import pairwise
from random import Random

from tests.lab.rtmp.flv import AUDIO, SCRIPT, VIDEO
from tests.torture.bends.tools import (
    MEDIA,
    composition,
    in_words,
    key_from,
    pictures,
    retime,
    some_time,
    some_tracks,
    with_composition,
)
from tests.torture.script import Bent, Script

WRAP = 1 << 32
# A shorter step back begins no new base: each picture keeps its time, so those that are reordered overlap.
SHORT_STEP = 1000


def jump(script: Script, random: Random) -> Bent:
    """The timestamps of one track or both jump, forwards or backwards."""
    at, tracks = some_time(script, random), some_tracks(random)
    size = random.choice([700, 1500, 3000, 8000, 9990, 11_000, 60_000, 3_600_000, 2_000_000_000])
    by = size * random.choice([1, 1, -1])
    bent = retime(script, tracks, lambda m: m.timestamp + (by if m.at >= at else 0))
    text = f"the timestamps of {in_words(tracks)} jump by {by} ms at {at} ms"
    unordered = -SHORT_STEP <= by < 0 and VIDEO in tracks and _reorders(script)
    return script.bent(bent, loose=tracks != MEDIA, unordered=unordered), text


def jump_and_return(script: Script, random: Random) -> Bent:
    """The timestamps are wrong for a while."""
    first, second = sorted((some_time(script, random), some_time(script, random)))
    tracks, by = some_tracks(random), random.choice([-5000, -700, 400, 2000, 30_000, 1 << 31])
    bent = retime(script, tracks, lambda m: m.timestamp + (by if first <= m.at < second else 0))
    text = f"the timestamps of {in_words(tracks)} are {by} ms off from {first} ms to {second} ms"
    # A small difference could be meant.
    unordered = abs(by) <= SHORT_STEP and VIDEO in tracks and _reorders(script)
    return script.bent(bent, loose=tracks != MEDIA and -1000 <= by <= 10_000, unordered=unordered), text


def one_wild(script: Script, random: Random) -> Bent:
    """A single message has a wild timestamp."""
    wild = random.choice([m for m in script.messages if m.at > 1000 and m.type_id != SCRIPT])
    value = random.choice([0, 1, 5000, 1 << 31, WRAP - 1, 123_456_789])
    bent = (m._replace(timestamp=value) if m == wild else m for m in script.messages)
    return script.bent(bent), f"the message at {wild.at} ms has the timestamp {value}"


def wrap(script: Script, random: Random) -> Bent:
    """The timestamps wrap at 2^32, or pass 2^24 or 2^31."""
    edge = random.choice([WRAP, WRAP, 1 << 31, 1 << 24])
    start = edge - some_time(script, random)
    bent = retime(script, (*MEDIA, SCRIPT), lambda m: m.timestamp + start)
    return script.bent(bent), f"the timestamps start at {start}"


def big_start(script: Script, random: Random) -> Bent:
    """The timestamps start at a large value."""
    start = random.choice([1, 999, 3_600_000, 86_400_000, 0xFFFFFF, 0x7FFFFFFF, 0xF0000000])
    return script.bent(retime(script, MEDIA, lambda m: m.timestamp + start)), f"the timestamps start at {start}"


def still(script: Script, random: Random) -> Bent:
    """The timestamps of one track or both stand still."""
    tracks, at = some_tracks(random), random.choice([0, 0, some_time(script, random)])
    bent = retime(script, tracks, lambda m: min(m.timestamp, at))
    unordered = _reorders(script)
    return script.bent(
        bent, loose=True, unordered=unordered
    ), f"the timestamps of {in_words(tracks)} stand still from {at} ms on"


def speed(script: Script, random: Random) -> Bent:
    """The timestamps run at another speed than the pictures arrive."""
    percent = random.choice([50, 90, 98, 102, 110, 200])
    tracks = some_tracks(random)
    bent = list(retime(script, tracks, lambda m: m.timestamp * percent // 100))
    if VIDEO in tracks:
        bent = [with_composition(m, composition(m) * percent // 100) if m.picture is not None else m for m in bent]
    text = f"the timestamps of {in_words(tracks)} run at {percent} % of the real speed"
    return script.bent(bent, loose=True), text


def jitter(script: Script, random: Random) -> Bent:
    """The timestamps are imprecise, up to so much that they run backwards."""
    tracks, by = some_tracks(random), random.choice([2, 10, 19, 45])
    shifts = {m: random.randint(-by, by) for m in script.messages}
    bent = retime(script, tracks, lambda m: max(0, m.timestamp + shifts[m]))
    backwards = 2 * by > 40 and VIDEO in tracks and _reorders(script)
    text = f"the timestamps of {in_words(tracks)} are up to {by} ms off"
    return script.bent(bent, unordered=backwards), text


def offset(script: Script, random: Random) -> Bent:
    """One track's timestamps are ahead of the other's from the start."""
    track, by = random.choice(MEDIA), random.choice([150, 900, 2500, 8000, 15_000, 3_600_000])
    bent = retime(script, (track,), lambda m: m.timestamp + by)
    return script.bent(bent, loose=True), f"the timestamps of {in_words((track,))} are {by} ms ahead"


def late_zero(script: Script, random: Random) -> Bent:
    """One track begins later than the other, with the timestamp zero."""
    track, by = random.choice(MEDIA), random.choice([500, 1500, 2500])
    kept = [m for m in script.messages if m.type_id != track or m.is_header or m.at >= by]
    if track == VIDEO:
        first = key_from(script.bent(kept), 0)
        kept = [m for m in kept if m.type_id != VIDEO or m.is_header or m.at >= first]
        by = first
    gone = {m.picture for m in script.messages if m.picture is not None} - {m.picture for m in kept}
    bent = script.bent(kept, loose=True)
    text = f"{in_words((track,))} begins {by} ms after the other track, with the timestamp 0"
    shifted = retime(bent, (track,), lambda m: max(0, m.timestamp - by))
    return script.damage(n for n in gone if n is not None).bent(shifted, loose=True), text


def variable_rate(script: Script, random: Random) -> Bent:
    """The intervals between pictures vary, but the time of each is right."""
    times = sorted(random.sample(range(script.messages[-1].at), len(pictures(script))))
    mapped = dict(zip((m.timestamp for m in pictures(script)), times, strict=False))
    bent = retime(script, (VIDEO,), lambda m: mapped.get(m.timestamp, m.timestamp))
    flat = (with_composition(m, 80) if m.picture is not None else m for m in bent)
    loose_order = _reorders(script)
    return script.bent(flat, unordered=loose_order, loose=True), "the frame rate varies wildly"


def pauses(script: Script, random: Random) -> Bent:
    """Pictures come in pairs: a short interval, then a long one."""
    short = random.choice([1, 5, 15])

    def paired(timestamp: int) -> int:
        return timestamp - timestamp % 80 + min(timestamp % 80, short)

    bent = retime(script, (VIDEO,), lambda m: paired(m.timestamp))
    unordered = _reorders(script)
    return script.bent(bent, unordered=unordered), f"each second picture follows the one before it after {short} ms"


def equal(script: Script, random: Random) -> Bent:
    """Several pictures have one timestamp."""
    count = random.choice([2, 3, 5])
    bent = retime(script, (VIDEO,), lambda m: m.timestamp // (40 * count) * 40 * count)
    loose_order = _reorders(script)
    text = f"{count} pictures each have one timestamp"
    return script.bent(bent, unordered=loose_order), text


def backwards(script: Script, random: Random) -> Bent:
    """Now and then a picture's timestamp is earlier than the one before it."""
    by, every = random.choice([41, 90, 300, 900]), random.choice([7, 15, 50])
    late = {m for place, m in enumerate(pictures(script)) if place % every == every - 1}
    bent = retime(script, (VIDEO,), lambda m: max(0, m.timestamp - by) if m in late else m.timestamp)
    text = f"the timestamp of every {every}th picture is {by} ms too early"
    return script.bent(bent, unordered=_reorders(script)), text


def drift(script: Script, random: Random) -> Bent:
    """The audio's timestamps run faster or slower than the video's."""
    permille = random.choice([-50, -20, -5, 5, 20, 50])
    bent = retime(script, (AUDIO,), lambda m: m.timestamp + m.timestamp * permille // 1000)
    return script.bent(bent, loose=True), f"audio drifts by {permille} per mille"


def huge_offset(script: Script, random: Random) -> Bent:
    """Composition offsets that no encoder has."""
    by, every = random.choice([3000, 9999, 10_001, 30_000, 8_388_607, -8_388_608]), random.choice([1, 10, 60])
    late = [m for place, m in enumerate(pictures(script)) if place % every == every - 1]
    numbers = {m for m in late if m.picture is not None}
    bent = script.bent(with_composition(m, by) if m in numbers else m for m in script.messages)
    if abs(by) > 10_000:
        bent = bent.damage(m.picture for m in late if m.picture is not None)
    text = f"every {every}th picture has a composition offset of {by} ms"
    return bent.bent(bent.messages, unordered=every > 1 or _reorders(script), loose=True), text


def negative_offset(script: Script, random: Random) -> Bent:
    """Decoding times are later than presentation times, as of encoders that use edit lists."""
    by = random.choice([40, 80, 200, 1000])
    bent = script.bent(
        with_composition(m._replace(timestamp=m.timestamp + by), composition(m) - by)
        if m.picture is not None
        else m
        for m in script.messages
    )
    return bent, f"decoding times are {by} ms late, and composition offsets that much less"


def stop(script: Script, random: Random) -> Bent:
    """One track ends while the other goes on."""
    track, at = random.choice(MEDIA), some_time(script, random)
    kept = [m for m in script.messages if m.type_id != track or m.at < at]
    gone = {m.picture for m in script.messages if m.picture is not None} - {m.picture for m in kept}
    return script.damage(n for n in gone if n is not None).bent(kept), f"{in_words((track,))} ends at {at} ms"


def camera_off(script: Script, random: Random) -> Bent:
    """One track pauses while the other goes on; video continues with a keyframe."""
    track, at = random.choice(MEDIA), some_time(script, random)
    keys = [m.at for m in pictures(script) if m.is_key and m.at > at] or [script.messages[-1].at + 1]
    until = random.choice(keys)
    kept = [m for m in script.messages if m.type_id != track or m.is_header or not at <= m.at < until]
    gone = {m.picture for m in script.messages if m.picture is not None} - {m.picture for m in kept}
    text = f"{in_words((track,))} pauses from {at} ms to {until} ms"
    return script.damage(n for n in gone if n is not None).bent(kept), text


def _reorders(script: Script) -> bool:
    """Whether pictures are presented in another order than they are sent in."""
    numbers = [m.picture for m in pictures(script) if m.picture is not None]
    return any(before > after for before, after in pairwise(numbers))


BENDS = (
    jump,
    jump_and_return,
    one_wild,
    wrap,
    big_start,
    still,
    speed,
    jitter,
    offset,
    late_zero,
    variable_rate,
    pauses,
    equal,
    backwards,
    drift,
    huge_offset,
    negative_offset,
    stop,
    camera_off,
)
