"""The ladder as configured: a word, or the rungs themselves from high to low."""

import json
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag

from control.config.quantities import Bitrate
from control.config.suggest import closest

WORDS = ("auto", "source")
MAX_RUNGS = 8
FORM = 'write "auto", "source" or [ {height = 720, bitrate = "2500k"}, … ]'

# Tags of the two forms; they stand in pydantic's error locations and are not part of the file's.
TAGS = frozenset({"a-word", "rungs"})


class Rung(BaseModel):
    """One encoded rendition; its width follows from the source's shape."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    height: int = Field(ge=64, le=4320, multiple_of=2)
    bitrate: Annotated[int, Bitrate(at_least=50_000, at_most=100_000_000)]


def _decode(value: Any) -> Any:
    """The environment has no lists: a JSON array stands for one."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except ValueError as error:
            raise ValueError(f"not a JSON list of rungs ({error}); {FORM}") from None
    if isinstance(value, str):
        if value not in WORDS:
            match = closest(value, WORDS)
            raise ValueError(f'"{value}" is no ladder; ' + (f'did you mean "{match}"?' if match else FORM))
    elif not isinstance(value, list | tuple):
        raise ValueError(f"{value!r} is no ladder; {FORM}")
    return value


def _form(value: Any) -> str:
    return "a-word" if isinstance(value, str) else "rungs"


def _descending(rungs: tuple[Rung, ...]) -> tuple[Rung, ...]:
    if not rungs:
        raise ValueError('the ladder has no rung; for the source alone write "source"')
    if len(rungs) > MAX_RUNGS:
        raise ValueError(f"the ladder has {len(rungs)} rungs; at most {MAX_RUNGS} are made")
    for upper, lower in pairwise(rungs):
        if lower.height >= upper.height:
            raise ValueError(
                f"rungs go from high to low, each height once: {lower.height} does not come after {upper.height}"
            )
        if lower.bitrate >= upper.bitrate:
            raise ValueError(
                f"the {lower.height} rung has {lower.bitrate // 1000}k, no less than the {upper.height} rung's "
                f"{upper.bitrate // 1000}k; a lower rung needs a lower bitrate"
            )
    return rungs


Ladder = Annotated[
    Annotated[Literal["auto", "source"], Tag("a-word")]
    | Annotated[tuple[Rung, ...], AfterValidator(_descending), Tag("rungs")],
    Discriminator(_form),
    BeforeValidator(_decode),
]
