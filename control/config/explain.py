"""Converts pydantic's errors to lines for people: the place, the key, the fault and what to write instead."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from control.config.errors import ConfigError
from control.config.model import Config, StreamConfig
from control.config.toml_places import KeyPath
from media.suggest import closest, did_you_mean
from storage.catalogue.ladder import TAGS, RungFields

PLAIN_TYPES = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "string": "text in quotes",
    "tuple": "a list",
    "list": "a list",
    "path": "a path in quotes",
}

SECTIONS = frozenset(Config.model_fields) - {"data"}


@dataclass(frozen=True, slots=True)
class Sources:
    """The origin of each value, strongest first: the command line, the environment, the file with its lines."""

    overrides: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    document: Mapping[str, Any] = field(default_factory=dict)
    file: Path | None = None
    lines: Mapping[KeyPath, int] = field(default_factory=dict)

    def place(self, path: KeyPath) -> str:
        """``headwater.toml:12: [rtmp] listen``, or the environment variable, or the key from the command line. The
        empty path, of a fault that concerns several sections, is the file."""
        if not path:
            return str(self.file or "together")
        key = _set_key(self.overrides, path)
        if key:
            return f"{render_path(key, sections=False)} (command line)"
        key = _set_key(self.environment, path)
        if key:
            return f"{environment_name(key)} (environment)"
        inner = path
        while inner and inner not in self.lines:
            inner = inner[:-1]
        line = f":{self.lines[inner]}" if inner else ""
        return f"{self.file}{line}: {render_path(path)}"


def faults(lines: Iterable[str]) -> ConfigError:
    texts = list(lines)
    head = "the configuration has a fault:" if len(texts) == 1 else f"the configuration has {len(texts)} faults:"
    return ConfigError("\n  ".join([head, *texts]))


def explain(error: ValidationError, sources: Sources) -> ConfigError:
    return faults(
        f"{sources.place(path)}: {_text(details, path)}"
        for details in error.errors()
        for path in [_path(details["loc"])]
    )


def environment_name(path: Iterable[str | int]) -> str:
    return "HEADWATER_" + "__".join(str(part).upper() for part in path)


def render_path(path: KeyPath, *, sections: bool = True) -> str:
    """``[transcoder] ladder[1].bitrate``, or without ``sections`` ``transcoder.ladder[1].bitrate``."""
    parts = list(path)
    head = ""
    if sections and parts and parts[0] in SECTIONS:
        depth = 2 if parts[0] == "streams" and len(parts) > 1 else 1
        head, parts = f"[{'.'.join(map(str, parts[:depth]))}] ", parts[depth:]
    text = ""
    for part in parts:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return (head + text).rstrip()


def _path(location: tuple[str | int, ...]) -> KeyPath:
    """The path of a pydantic location, without the tags of the ladder's forms and the marker of a key."""
    return tuple(
        part
        for index, part in enumerate(location)
        if part != "[key]" and not (part in TAGS and index and location[index - 1] == "ladder")
    )


def _set_key(source: Mapping[str, Any], path: KeyPath) -> KeyPath:
    """The part of ``path`` that ``source`` sets, down to a value; empty if ``source`` does not set the key."""
    value: Any = source
    for index, part in enumerate(path):
        if not isinstance(value, Mapping):
            return path[:index]
        if part not in value:
            return ()
        value = value[part]
    return path


def _text(details: ErrorDetails, path: KeyPath) -> str:
    kind, value = details["type"], details["input"]
    match kind:
        case "extra_forbidden":
            return "unknown key" + _key_hint(str(path[-1]), path[:-1])
        case "missing":
            return "is missing"
        case "value_error":
            return str(details["ctx"]["error"])
        case "literal_error" | "enum":
            return f"{_quoted(value)} is not one of {details['ctx']['expected']}{_choice_hint(value, details)}"
        case "model_type" | "model_attributes_type" | "dict_type":
            return f"is a section with keys of its own, not {_quoted(value)}"
    expected = PLAIN_TYPES.get(kind.partition("_")[0])
    if expected is not None and kind.partition("_")[2] in ("type", "parsing", "from_float"):
        return f"{_quoted(value)} is not {expected}"
    return f"{_quoted(value)}: {details['msg'].removeprefix('Input ')}"


def _quoted(value: object) -> str:
    text = f'"{value}"' if isinstance(value, str) else repr(value)
    return text if len(text) <= 80 else text[:77] + "…"


def _choice_hint(value: object, details: ErrorDetails) -> str:
    choices = [word.strip("' ") for part in details["ctx"]["expected"].split(",") for word in part.split(" or ")]
    match = closest(str(value), choices)
    return f'; did you mean "{match}"?' if match else ""


def _key_hint(key: str, parent: KeyPath) -> str:
    """A hint for an unknown key of ``parent``: the section it belongs in, or a similar key of this one."""
    keys = _allowed_keys(parent)
    if closest(key, keys) is None:
        homes = [section for section in Config.model_fields if key in _allowed_keys((section,))]
        if homes:
            return f"; it belongs in {' or '.join(f'[{home}]' for home in homes)}"
    return did_you_mean(key, keys)


def _allowed_keys(path: KeyPath) -> list[str]:
    if not path:
        return list(Config.model_fields)
    if isinstance(path[-1], int):
        return list(RungFields.model_fields)
    if path[0] == "streams":
        return list(StreamConfig.model_fields) if len(path) == 2 else []
    section = Config.model_fields[str(path[0])].annotation
    return list(section.model_fields) if isinstance(section, type) and issubclass(section, BaseModel) else []
