"""The ladder in a configuration: a word, a list of rungs, or that list as JSON in an environment variable."""

import json
from typing import Annotated, Any

from pydantic import BeforeValidator

from media.ladder import WORDS
from media.suggest import closest
from storage.catalogue.ladder import LadderField

FORM = 'write "auto", "source" or [ {height = 720, bitrate = "2500k"}, … ]'


def _decode(value: Any) -> Any:
    """An environment variable has no lists, so it holds a JSON array."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except ValueError as error:
            raise ValueError(f"not a JSON list of rungs ({error}); {FORM}") from None
    if isinstance(value, str):
        if value not in WORDS:
            match = closest(value, WORDS)
            raise ValueError(f'"{value}" is not a ladder; ' + (f'did you mean "{match}"?' if match else FORM))
    elif not isinstance(value, list | tuple):
        raise ValueError(f"{value!r} is not a ladder; {FORM}")
    return value


ConfiguredLadder = Annotated[LadderField, BeforeValidator(_decode)]
