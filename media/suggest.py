"""Suggestions for misspelt words."""

import difflib
from collections.abc import Iterable


def closest(word: str, choices: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    matches = difflib.get_close_matches(word.lower(), list(choices), n=1, cutoff=cutoff)
    return matches[0] if matches else None


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """``; did you mean "listen"?``, or ``; known are: …`` if no choice is similar."""
    names = list(choices)
    match = closest(word, names)
    if match is not None:
        return f'; did you mean "{match}"?'
    return f"; known are: {', '.join(names)}"
