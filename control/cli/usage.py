"""Wrong usage in our own words: what is wrong, and what to write instead.

Typer's parser defines the kinds of errors, but does not export them.
"""

import re
from ast import literal_eval
from collections.abc import Iterable, Sequence

from typer._click.core import Parameter
from typer._click.exceptions import BadOptionUsage, BadParameter, MissingParameter, NoSuchOption, UsageError

from control.cli.text import clean
from media.suggest import closest

__all__ = ["UsageError", "explain", "how_to_call"]

UNKNOWN_COMMAND = re.compile(r"No such command (.*)\.", re.DOTALL)
EXTRA_ARGUMENTS = re.compile(r"Got unexpected extra argument\(s\) \((.*)\)", re.DOTALL)


def explain(error: UsageError) -> str:
    """A sentence for the user."""
    match error:
        case NoSuchOption():
            return _unknown("option", error.option_name, _options(error))
        case MissingParameter():
            return f"{_name(error.param)} is missing: write `{how_to_call(error)}`"
        case BadParameter():
            name = error.param_hint or _name(error.param)
            return f"{name}: {error.message}" if name else error.message
        case BadOptionUsage():
            takes_none = "does not take" in error.message
            return f"{error.option_name} {'takes no value: write it alone' if takes_none else 'needs a value'}"
    if found := UNKNOWN_COMMAND.fullmatch(error.message):
        return _unknown("command", literal_eval(found[1]), _commands(error))
    if found := EXTRA_ARGUMENTS.fullmatch(error.message):
        return f"{clean(found[1])} is too much: write `{how_to_call(error)}`"
    return error.message


def how_to_call(error: UsageError) -> str:
    """``headwater show STREAM``, without options."""
    if error.ctx is None:
        return "headwater COMMAND"
    if _commands(error):
        return f"{error.ctx.command_path} COMMAND"
    arguments = [_name(each) for each in _parameters(error) if each.param_type_name == "argument"]
    return " ".join([error.ctx.command_path, *arguments])


def _unknown(kind: str, name: str, known: Iterable[str]) -> str:
    match = closest(name, known)
    return f"there is no {kind} {clean(name)}" + (f"; did you mean {match}?" if match else "")


def _name(parameter: Parameter | None) -> str:
    """``STREAM`` or ``--ban``; empty without a parameter."""
    if parameter is None:
        return ""
    return (
        str(parameter.metavar or parameter.name) if parameter.param_type_name == "argument" else parameter.opts[0]
    )


def _parameters(error: UsageError) -> Sequence[Parameter]:
    return error.ctx.command.get_params(error.ctx) if error.ctx is not None else ()


def _options(error: UsageError) -> list[str]:
    return [name for each in _parameters(error) for name in (*each.opts, *each.secondary_opts) if name[0] == "-"]


def _commands(error: UsageError) -> list[str]:
    return list(getattr(error.ctx.command, "commands", ())) if error.ctx is not None else []
