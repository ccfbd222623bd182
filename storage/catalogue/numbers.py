"""Whole numbers in JSON, which has one type for all numbers."""

from typing import Any

from pydantic import BeforeValidator


def _without_fraction(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


# For strict integers: 720.0 is an integer as well (JSON Schema 2020-12, Core 4.2.3); true and "720" are none.
WHOLE = BeforeValidator(_without_fraction)
