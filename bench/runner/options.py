"""Parses a section's command line from its declared options, and formats the command that repeats a row."""

import argparse
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
KEEP = object()


@dataclass(frozen=True, slots=True)
class Option:
    """``smoke`` replaces the value in a smoke run. ``repeats`` is False for an option that the commands in tables
    omit. ``off`` is a flag that sets an empty list."""

    flag: str
    default: Any
    parse: Callable[[str], Any]
    help: str
    smoke: Any = KEEP
    repeats: bool = True
    off: str | None = None

    @property
    def name(self) -> str:
        return self.flag.lstrip("-").replace("-", "_")

    def written(self, value: Any) -> str:
        if value == () and self.off is not None:
            return self.off
        text = ",".join(map(_text, value)) if isinstance(value, tuple) else _text(value)
        return f'{self.flag} "{text}"' if " " in text else f"{self.flag} {text or 'none'}"


CLIP = Option("--clip", None, Path, "an FLV file to publish instead of the prepared one", repeats=False)


def parse_options(
    section: str, description: str, options: Iterable[Option], arguments: Sequence[str] | None = None
) -> argparse.Namespace:
    """Exits with a message if the arguments are invalid."""
    parser = argparse.ArgumentParser(f"bench.{section}", description=description)
    for option in options:
        shown = option.written(option.default).partition(" ")[2] if option.default is not None else "all"
        parser.add_argument(
            option.flag, type=option.parse, default=option.default, help=f"{option.help} (default: {shown})"
        )
        if option.off is not None:
            parser.add_argument(option.off, action="store_const", dest=option.name, const=())
    parser.add_argument(
        "--smoke", action="store_true", help="run for a few seconds, only to test that the benchmark works"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="where the result goes instead of bench/results")
    values = parser.parse_args(arguments)
    for option in options:
        if values.smoke and option.smoke is not KEEP:
            setattr(values, option.name, option.smoke)
    return values


def command_line(section: str, options: Iterable[Option], values: argparse.Namespace, **changed: Any) -> str:
    """The command that repeats a run with the options ``changed``; options that are None are omitted."""
    chosen = {**vars(values), **changed}
    words = (each.written(chosen[each.name]) for each in options if each.repeats and chosen[each.name] is not None)
    return " ".join((f"python -m bench.{section}", *words))


def number(*, at_least: float | None = None, above: float | None = None, at_most: float | None = None) -> Any:
    """A parser of numbers within bounds."""

    def parse(text: str) -> float:
        value = float(text)
        if (at_least is not None and value < at_least) or (above is not None and value <= above):
            raise argparse.ArgumentTypeError(f"{text} is too small")
        if at_most is not None and value > at_most:
            raise argparse.ArgumentTypeError(f"{text} is more than {at_most:g}")
        return value

    return parse


def count(*, at_least: int = 1, at_most: int | None = None) -> Callable[[str], int]:
    """A parser of whole numbers within bounds."""
    bounded = number(at_least=at_least, at_most=at_most)
    return lambda text: int(bounded(str(int(text))))


def choice(*choices: T) -> Callable[[str], T]:
    """A parser of one of ``choices``, by its text."""

    def parse(text: str) -> T:
        known = {_text(each): each for each in choices}
        if text not in known:
            raise argparse.ArgumentTypeError(f"{text} is not one of {', '.join(known)}")
        return known[text]

    return parse


def listed(parse: Callable[[str], T]) -> Callable[[str], tuple[T, ...]]:
    """A parser of values between commas; ``none`` is an empty list."""
    return lambda text: () if text == "none" else tuple(map(parse, text.split(",")))


def _text(value: Any) -> str:
    if isinstance(value, Enum):
        return str(value.value)
    return f"{value:g}" if isinstance(value, float) else str(value)
