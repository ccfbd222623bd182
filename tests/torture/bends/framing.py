"""Bends of how messages become chunks, and chunks become writes (RTMP 1.0, section 5.3)."""

from dataclasses import replace
from random import Random

from tests.lab.rtmp.flv import AUDIO, SCRIPT, VIDEO
from tests.torture.script import Bent, Script, Write


def chunk_sizes(script: Script, random: Random) -> Bent:
    """The chunk size changes, also within a message."""
    sizes = tuple(random.choice([1, 2, 127, 128, 129, 1000, 4096, 65536, 0x7FFFFFFF]) for _ in range(3))
    every, within = random.choice([0, 1, 10]), random.random() < 0.5
    framing = replace(script.framing, chunk_sizes=sizes, change_every=every, within=within)
    place = "within messages" if within else "between messages"
    return replace(script, framing=framing), f"chunk sizes {sizes}, changed every {every} messages, {place}"


def aggregates(script: Script, random: Random) -> Bent:
    """Several messages are sent as one aggregate message."""
    count = random.choice([2, 5, 20])
    return replace(script, framing=replace(script.framing, aggregate=count)), f"{count} messages are one aggregate"


def small_writes(script: Script, random: Random) -> Bent:
    """The bytes arrive one by one, or in small pieces."""
    write = random.choice([Write.BYTES, Write.PIECES])
    return replace(script, framing=replace(script.framing, write=write)), f"the socket is written in {write.value}"


def chunk_streams(script: Script, random: Random) -> Bent:
    """Chunk streams are shared by all messages, or have large numbers."""
    choices = {
        "one chunk stream carries everything": ((AUDIO, 3), (VIDEO, 3), (SCRIPT, 3)),
        "each type has a chunk stream": ((AUDIO, 7), (VIDEO, 6), (SCRIPT, 5)),
        "the chunk streams have large numbers": ((AUDIO, 64), (VIDEO, 65599), (SCRIPT, 320)),
    }
    text = random.choice(sorted(choices))
    return replace(script, framing=replace(script.framing, streams=choices[text])), text


def short_headers(script: Script, random: Random) -> Bent:
    """Chunk headers are as short as possible, and the extended timestamp may not be repeated."""
    repeat = random.random() < 0.7
    framing = replace(script.framing, formats=True, repeat_extended=repeat)
    return replace(script, framing=framing), f"chunk headers are short; extended timestamps repeated: {repeat}"


def interleaved(script: Script, random: Random) -> Bent:
    """Chunks of audio are sent between the chunks of a picture."""
    framing = replace(script.framing, interleave=True, chunk_sizes=(random.choice([64, 128]),))
    if len(dict.fromkeys(number for _, number in framing.streams)) == 1:
        framing = replace(framing, streams=((AUDIO, 4), (VIDEO, 6), (SCRIPT, 4)))
    return replace(script, framing=framing), "chunks of audio are sent between those of video"


def aborted(script: Script, random: Random) -> Bent:
    """Messages are begun, aborted and sent again."""
    every = random.choice([5, 50])
    framing = replace(script.framing, abort_every=every, chunk_sizes=(128,))
    return replace(script, framing=framing), f"every {every}th message is begun, aborted and sent again"


BENDS = (chunk_sizes, aggregates, small_writes, chunk_streams, short_headers, interleaved, aborted)
