"""The retention of a stream's recordings, as it is typed: ``age=30d,size=500GB,count=20``."""

from typing import Any

import typer

from control.cli.text import JsonObject, size
from media.quantities import Duration, Quantity, Size
from storage.catalogue.records import LARGEST_COUNT, LARGEST_SIZE, LONGEST_AGE_S

ALL = "all"
FORM = f"{ALL}, or limits such as age=30d,size=500GB,count=20"
FIELDS = {"age": "max_age_s", "size": "max_size", "count": "max_count"}
QUANTITIES: dict[str, Quantity] = {
    "age": Duration(at_least=60, at_most=LONGEST_AGE_S),
    "size": Size(at_most=LARGEST_SIZE),
}


def parse_retention(text: str, option: str) -> dict[str, Any]:
    """The API's value. Raises BadParameter."""
    if text == ALL:
        return {}
    limits: dict[str, Any] = {}
    for part in text.split(","):
        name, _, value = part.strip().partition("=")
        if name not in FIELDS or not value:
            raise typer.BadParameter(f'"{part}" is no limit; write {FORM}', param_hint=option)
        limits[FIELDS[name]] = _number(name, value, option)
    return limits


def retention_text(retention: JsonObject | None) -> str:
    """For people; the server's configuration is not known here."""
    if retention is None:
        return "as the server is configured"
    age, most, count = (retention[field] for field in FIELDS.values())
    parts = [
        f"{age / 86_400:g} days" if age is not None else "",
        size(most) if most is not None else "",
        f"{count} recordings" if count is not None else "",
    ]
    return ", ".join(filter(None, parts)) or "all recordings stay"


def _number(name: str, value: str, option: str) -> float:
    try:
        if name in QUANTITIES:
            return QUANTITIES[name].parse(value)
        if value.isdecimal() and int(value) <= LARGEST_COUNT:
            return int(value)
        raise ValueError(f"{value} is not a number of recordings, at most {LARGEST_COUNT}")
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None
