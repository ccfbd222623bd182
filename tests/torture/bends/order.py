"""Bends of the order in which messages are sent."""

from itertools import pairwise
from random import Random

from tests.lab.rtmp.flv import SCRIPT, VIDEO
from tests.torture.bends.tools import MEDIA, NAMES, header_of, key_from, pictures, resend, some_time
from tests.torture.script import Bent, Message, Script


def late_track(script: Script, random: Random) -> Bent:
    """One track is sent later than the other, with right timestamps."""
    track, by = random.choice(MEDIA), random.choice([200, 800, 1500, 3000, 5000])
    bent = resend(script, lambda m: m.at + (by if m.type_id == track and not m.is_header else 0))
    return script.bent(bent), f"{NAMES[track]} is sent {by} ms late"


def late_for_a_while(script: Script, random: Random) -> Bent:
    """One track is held up for a while and then sent at once."""
    track, at, by = random.choice(MEDIA), some_time(script, random), random.choice([400, 1200, 2500])
    bent = resend(script, lambda m: at + by if m.type_id == track and at <= m.at < at + by else m.at)
    return script.bent(bent), f"{NAMES[track]} from {at} ms on is sent {by} ms later, at once"


def blocks(script: Script, random: Random) -> Bent:
    """The tracks are not interleaved: a block of one, then a block of the other."""
    first, size = random.choice(MEDIA), random.choice([300, 1000, 2500, 4000])

    def key(message: Message) -> tuple[int, int]:
        place = -1 if message.is_header or message.is_metadata else message.at // size
        return place, message.type_id != first

    ordered = sorted(script.messages, key=key)
    at, bent = 0, []
    for message in ordered:
        at = max(at, message.at)
        bent.append(message._replace(at=at))
    return script.bent(bent), f"blocks of {size} ms of each track in turn, {NAMES[first]} first"


def late_header(script: Script, random: Random) -> Bent:
    """A sequence header comes late."""
    track = random.choice(MEDIA)
    header = header_of(script, track)
    at = random.choice([100, 700, 1500, 3000])
    bent = resend(script, lambda m: at if m == header else m.at)
    early = [m.picture for m in pictures(script) if m.at <= at and m.picture is not None]
    text = f"the sequence header of {NAMES[track]} comes at {at} ms"
    return (script.damage(early) if track == VIDEO else script).bent(bent), text


def missing_header(script: Script, random: Random) -> Bent:
    """A sequence header never comes."""
    track = random.choice(MEDIA)
    bent = [m for m in script.messages if not (m.is_header and m.type_id == track)]
    gone = [m.picture for m in pictures(script) if m.picture is not None] if track == VIDEO else []
    return script.damage(gone).bent(bent), f"there is no sequence header of {NAMES[track]}"


def repeated_header(script: Script, random: Random) -> Bent:
    """The sequence headers and the metadata come again and again."""
    track, every = random.choice([*MEDIA, SCRIPT]), random.choice([1, 5, 25])
    header = header_of(script, track)
    bent = []
    for place, message in enumerate(script.messages):
        if place and place % every == 0:
            bent.append(header._replace(at=message.at, timestamp=message.timestamp))
        bent.append(message)
    return script.bent(bent), f"the header of type {track} is repeated before every {every}th message"


def headers_after_media(script: Script, random: Random) -> Bent:
    """The metadata comes after media, or not before a second has passed."""
    at = random.choice([40, 300, 1000, 2500])
    bent = resend(script, lambda m: at if m.is_metadata else m.at)
    return script.bent(bent), f"the metadata comes at {at} ms"


def swapped(script: Script, random: Random) -> Bent:
    """Neighbouring messages of different tracks change places."""
    every = random.choice([2, 3, 10])
    bent = list(script.messages)
    for place in range(4, len(bent) - 1, every):
        first, second = bent[place : place + 2]
        if first.type_id != second.type_id:
            _swap(bent, place, place + 1)
    return script.bent(bent), f"at every {every}th place, audio and video change places"


def swapped_sound(script: Script, random: Random) -> Bent:
    """Audio frames arrive in another order than that of their timestamps."""
    every = random.choice([5, 20, 100])
    bent = list(script.messages)
    places = [place for place, message in enumerate(bent) if message.sound is not None]
    for first, second in list(pairwise(places))[::every]:
        _swap(bent, first, second)
    return script.bent(bent), f"at every {every}th place, two audio frames change places"


def swapped_pictures(script: Script, random: Random) -> Bent:
    """Pictures arrive in another order than they were encoded in."""
    times = {random.randrange(3, len(pictures(script)) - 3) for _ in range(random.choice([1, 3]))}
    bent, numbers = list(script.messages), []
    places = [place for place, message in enumerate(bent) if message.picture is not None]
    for time in times:
        first, second = places[time], places[time + 1]
        numbers += [bent[first].picture, bent[second].picture]
        _swap(bent, first, second)
    damaged = script.damage(number for number in numbers if number is not None)
    return damaged.bent(bent, unordered=True), f"{len(times)} times, two pictures change places"


def duplicated(script: Script, random: Random) -> Bent:
    """Messages are sent twice."""
    track, every = random.choice(MEDIA), random.choice([3, 25, 100])
    bent, count, numbers = [], 0, []
    for message in script.messages:
        bent.append(message)
        if message.type_id == track and not message.is_header:
            count += 1
            if count % every == 0:
                bent.append(message)
                numbers.append(message.picture)
    text = f"every {every}th message of {NAMES[track]} is sent twice"
    return script.damage(number for number in numbers if number is not None).bent(bent), text


def one_track(script: Script, random: Random) -> Bent:
    """There is only one track, though the metadata may announce two."""
    track = random.choice(MEDIA)
    kept = [m for m in script.messages if m.type_id != track]
    gone = [m.picture for m in pictures(script) if m.picture is not None] if track == VIDEO else []
    return script.damage(gone).bent(kept), f"there is no {NAMES[track]}"


def late_track_begins(script: Script, random: Random) -> Bent:
    """One track begins later, with right timestamps."""
    track, by = random.choice(MEDIA), random.choice([900, 2000, 4000])
    if track == VIDEO:
        by = key_from(script, min(by, 2000))
    kept = [m for m in script.messages if m.type_id != track or m.at >= by or m.is_header]
    header_at = random.choice([0, by])
    bent = resend(script.bent(kept), lambda m: header_at if m.is_header and m.type_id == track else m.at)
    gone = {m.picture for m in pictures(script)} - {m.picture for m in kept}
    text = f"{NAMES[track]} begins at {by} ms, and its sequence header comes at {header_at} ms"
    ordered = sorted(bent, key=lambda m: (m.at, not m.is_header))
    return script.damage(number for number in gone if number is not None).bent(ordered), text


def burst(script: Script, random: Random) -> Bent:
    """The network stalls, then everything that waited arrives at once."""
    at, by = some_time(script, random), random.choice([500, 2000, 5000])
    bent = resend(script, lambda m: at + by if at <= m.at < at + by else m.at)
    return script.bent(bent), f"nothing is sent from {at} ms on for {by} ms, then all of it at once"


def _swap(messages: list[Message], first: int, second: int) -> None:
    """Two messages change places; each place keeps its time of sending."""
    one, other = messages[first], messages[second]
    messages[first], messages[second] = other._replace(at=one.at), one._replace(at=other.at)


BENDS = (
    late_track,
    late_for_a_while,
    blocks,
    late_header,
    missing_header,
    repeated_header,
    headers_after_media,
    swapped,
    swapped_sound,
    swapped_pictures,
    duplicated,
    one_track,
    late_track_begins,
    burst,
)
