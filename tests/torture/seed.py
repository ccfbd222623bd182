"""From a seed to a bad publisher."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from random import Random

from tests.torture import footage
from tests.torture.bends import changes, framing, leaving, metadata, order, timestamps, units
from tests.torture.footage import Clip
from tests.torture.script import Bend, Message, Script, Unsuitable

Clips = Mapping[Clip, tuple[Message, ...]]


# How often each family is chosen.
WEIGHTS = (15, 3, 6, 20, 15, 9, 6)


# Every so many seeds, one has an encoded rendition beside the source.
ENCODED_EVERY, ENCODED = 10, 7
SMALL_RUNG = {"height": 96, "bitrate": 150_000}


@dataclass(frozen=True, slots=True)
class Case:
    """``texts`` describes each bend in words."""

    seed: int
    clip: Clip
    names: tuple[str, ...]
    texts: tuple[str, ...]
    script: Script

    @property
    def ladder(self) -> "str | list[dict[str, int]]":
        """The ladder of its stream, as the API takes it."""
        return [SMALL_RUNG] if self.seed % ENCODED_EVERY == ENCODED else "source"


def make_case(seed: int, clips: Clips) -> Case:
    """The case of ``seed``, always the same. ``clips`` has every clip of :mod:`tests.torture.footage`."""
    random = Random(seed)
    families: list[dict[str, Bend]] = [
        _named(units.BENDS),
        {
            "other_size": partial(changes.other_size, other=clips[footage.TALLER]),
            "other_rate": partial(changes.other_rate, other=clips[footage.LOW_RATE]),
        },
        _named(metadata.BENDS),
        _named(timestamps.BENDS),
        _named(order.BENDS),
        _named(framing.BENDS),
        _named(leaving.BENDS),
    ]
    while True:
        # The places of the chosen families, in the order in which they are applied.
        chosen = sorted(set(random.choices(range(len(families)), WEIGHTS, k=random.choice([1, 1, 2, 3]))))
        bends = [random.choice(sorted(families[place].items())) for place in chosen]
        clip = _clip([name for name, _ in bends], random)
        script = Script(clips[clip])
        names, texts = [], []
        for name, bend in bends:
            with suppress(Unsuitable):
                script, text = bend(script, random)
                names.append(name)
                texts.append(text)
        if names:
            return Case(seed, clip, tuple(names), tuple(texts), script)


def _clip(names: list[str], random: Random) -> Clip:
    clip = random.choice([footage.PLAIN, footage.PLAIN, footage.B_FRAMES, footage.LOW_RATE, footage.SLICES])
    if "slices_alone" in names:
        clip = footage.SLICES
    elif random.random() < 0.04:
        clip = footage.ONE_KEYFRAME
    if "other_size" in names or "other_rate" in names:
        clip = footage.PLAIN
    return clip


def _named(bends: tuple[Bend, ...]) -> dict[str, Bend]:
    return {getattr(bend, "__name__", ""): bend for bend in bends}
