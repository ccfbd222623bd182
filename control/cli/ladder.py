"""``--ladder``: a word, or the rungs from high to low as ``720:2500k,360:800k``."""

import re
from collections.abc import Sequence

import typer

from media.quantities import Bitrate
from media.suggest import closest

FORM = "auto, source, or rungs from high to low such as 720:2500k,360:800k"
RUNG = re.compile(r"\s*([0-9]{1,4})p?:([^,]+)")

Ladder = str | list[dict[str, int]] | None


def parse_ladder(text: str, *, words: Sequence[str]) -> Ladder:
    """The ladder for the API, which checks sizes and order; ``default`` is None: the server's configuration.
    ``words`` are those to accept. Raises typer.BadParameter."""
    if text in words:
        return None if text == "default" else text
    rungs = [RUNG.fullmatch(rung) for rung in text.split(",")]
    if not all(rungs):
        match = closest(text, words)
        raise typer.BadParameter(
            f'"{text}" is not a ladder; ' + (f"did you mean {match}?" if match else f"write {FORM}"),
            param_hint="--ladder",
        )
    return [{"height": int(rung[1]), "bitrate": _bitrate(rung[2])} for rung in rungs if rung is not None]


def _bitrate(text: str) -> int:
    try:
        return int(Bitrate().parse(text))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--ladder") from None
