"""Merges the configuration: the environment overrides the file, the command line overrides both."""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import EnvSettingsSource

from control.config.explain import Sources, environment_name, explain, faults
from control.config.model import Config
from control.config.toml_places import key_lines
from media.suggest import closest

MAX_FILE_BYTES = 2**20
PREFIX = "HEADWATER_"
TOML_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")

# Variables with this prefix that are not configuration: of the commands, and of the tests.
OTHER_VARIABLES = frozenset({"HEADWATER_CONFIG", "HEADWATER_KEY", "HEADWATER_SERVER", "HEADWATER_TOKEN"})
TEST_PREFIX = "HEADWATER_TEST_"


def load_config(file: Path | None = None, overrides: Mapping[str, Any] | None = None) -> Config:
    """The effective configuration.

    ``overrides`` has dotted keys (``"rtmp.listen"``) and values as in the file; None means that the key is not set.
    Raises ConfigError, whose text has a line for each fault.
    """
    text = "" if file is None else _read(file)
    sources = Sources(
        overrides=_nested(overrides or {}),
        environment=_environment(),
        document=_parse(text, file),
        file=file,
        lines=key_lines(text),
    )
    values = _merged(_merged(sources.document, sources.environment), sources.overrides)
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        raise explain(error, sources) from None


def _read(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            content = stream.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise faults([f"{file}: cannot be read: {(error.strerror or str(error)).lower()}"]) from None
    if len(content) > MAX_FILE_BYTES:
        raise faults([f"{file}: is larger than 1 MiB; this cannot be Headwater's configuration"])
    try:
        # A TOML line ends with \n or \r\n (TOML 1.0, "Spec").
        return content.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise faults([f"{file}:{line}: is not UTF-8; save the file as UTF-8 text"]) from None


def _parse(text: str, file: Path | None) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        place = TOML_PLACE.search(message)
        line = place[1] if place and place[1] else str(text.count("\n") + 1)
        fault = TOML_PLACE.sub("", message)
        raise faults([f"{file}:{line}: is not TOML: {fault[:1].lower()}{fault[1:]}"]) from None
    except RecursionError:
        raise faults([f"{file}: is nested too deeply"]) from None


def _environment() -> dict[str, Any]:
    variables = _config_variables()
    unknown = []
    for name in sorted(os.environ):
        upper = name.upper()
        if not upper.startswith(PREFIX) or upper.startswith(TEST_PREFIX) or upper in OTHER_VARIABLES:
            continue
        section = upper.removeprefix(PREFIX).partition("__")[0].lower()
        if section not in Config.model_fields and (similar := _similar(upper, variables)) is not None:
            unknown.append(f'{name} (environment): unknown variable; did you mean "{similar}"?')
        elif section not in Config.model_fields and "__" in upper:
            sections = ", ".join(f"HEADWATER_{key.upper()}" for key in Config.model_fields)
            unknown.append(f"{name} (environment): unknown variable; known variables begin with {sections}")
    if unknown:
        raise faults(unknown)
    return EnvSettingsSource(Config)()


def _similar(name: str, variables: list[str]) -> str | None:
    """The variable most similar to ``name``, or None if none is very similar: Kubernetes uses the prefix too."""
    bare = {variable.removeprefix(PREFIX).replace("_", "").lower(): variable for variable in variables}
    match = closest(name.removeprefix(PREFIX).replace("_", ""), bare, cutoff=0.85)
    return None if match is None else bare[match]


def _config_variables() -> list[str]:
    names = []
    for key, field in Config.model_fields.items():
        inner = getattr(field.annotation, "model_fields", None)
        names += [environment_name((key, name)) for name in inner] if inner else [environment_name((key,))]
    return names


def _nested(dotted: Mapping[str, Any]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for key, value in dotted.items():
        if value is not None:
            *parents, last = key.split(".")
            inner = nested
            for parent in parents:
                inner = inner.setdefault(parent, {})
            inner[last] = value
    return nested


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """``above`` over ``below``: tables are merged, any other value is replaced."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        both_tables = isinstance(under, Mapping) and isinstance(value, Mapping)
        merged[key] = _merged(under, value) if both_tables else value  # type: ignore[arg-type]
    return merged
