"""Durations, sizes and bitrates as people write them: ``"333ms"``, ``"64MiB"``, ``"2500k"``.

Each is an annotation for a pydantic field, ``Annotated[float, Duration(at_least=1)]``, and raises ValueError with
a sentence about what to write instead. A plain number is seconds, bytes or bits per second.
"""

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from media.suggest import closest

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema

NUMBER_AND_UNIT = re.compile(r"(\d{1,15}(?:\.\d{1,9})?)\s*([A-Za-z/]*)")


@dataclass(frozen=True, slots=True)
class Quantity(ABC):
    """A number with a unit; ``UNITS`` gives the size of each unit in the base unit."""

    at_least: float = 0
    at_most: float = math.inf

    KIND: ClassVar[str]
    EXAMPLES: ClassVar[str]
    UNITS: ClassVar[Mapping[str, float]]

    def parse(self, value: object) -> float | int:
        number = self._number(value)
        if not self.at_least <= number <= self.at_most:
            raise ValueError(f"{value} is out of range: {self._range()}{self._unit_hint(value)}")
        return self.result(number)

    @abstractmethod
    def result(self, number: float) -> float | int: ...

    @abstractmethod
    def render(self, number: float) -> str:
        """``number`` of base units, written with a unit."""

    def __get_pydantic_core_schema__(self, source: Any, handler: "GetCoreSchemaHandler") -> "CoreSchema":
        # Imported late, because the rest of this package does not need pydantic.
        from pydantic_core import core_schema

        return core_schema.no_info_before_validator_function(self.parse, handler(source))

    def _number(self, value: object) -> float:
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return value
        if not isinstance(value, str):
            raise ValueError(f"{value!r} is not a {self.KIND}; write {self.EXAMPLES}")
        match = NUMBER_AND_UNIT.fullmatch(value.strip())
        if match is None:
            raise ValueError(f'"{value}" is not a {self.KIND}; write {self.EXAMPLES}')
        digits, unit = match.groups()
        if unit and unit not in self.UNITS:
            raise ValueError(f'"{value}" has an unknown unit; {self._better_unit(digits, unit)}')
        return float(digits) * self.UNITS.get(unit, 1)

    def _better_unit(self, digits: str, unit: str) -> str:
        lower = {name.lower(): name for name in self.UNITS}
        match = closest(unit, lower, cutoff=0.4)
        if match is None:
            return f"a {self.KIND} is written as {self.EXAMPLES}"
        return f'did you mean "{digits}{lower[match]}"?'

    def _range(self) -> str:
        if math.isinf(self.at_most):
            return f"at least {self.render(self.at_least)}"
        return f"from {self.render(self.at_least)} to {self.render(self.at_most)}"

    def _unit_hint(self, value: object) -> str:
        """A hint for a missing unit: ``2500`` if ``"2500k"`` is in range."""
        text = str(value).strip()
        if not text.isdigit():
            return ""
        for unit, size in self.UNITS.items():
            if size != 1 and self.at_least <= float(text) * size <= self.at_most:
                return f'; did you mean "{text}{unit}"?'
        return ""


class Duration(Quantity):
    """Seconds, as a float."""

    KIND = "duration"
    EXAMPLES = '"2s", "333ms", "5m" or "1h"'
    UNITS: ClassVar[Mapping[str, float]] = {"ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}

    def result(self, number: float) -> float:
        return round(float(number), 9)

    def render(self, number: float) -> str:
        return f"{number * 1000:g}ms" if 0 < number < 1 else f"{number:g}s"


class Size(Quantity):
    """Bytes, as an integer."""

    KIND = "size"
    EXAMPLES = '"64MiB", "500MB" or "1GiB"'
    UNITS: ClassVar[Mapping[str, float]] = {
        "B": 1,
        "kB": 10**3,
        "MB": 10**6,
        "GB": 10**9,
        "KiB": 2**10,
        "MiB": 2**20,
        "GiB": 2**30,
    }

    def result(self, number: float) -> int:
        return round(number)

    def render(self, number: float) -> str:
        return f"{number / 2**20:g}MiB"


class Bitrate(Quantity):
    """Bits per second, as an integer."""

    KIND = "bitrate"
    EXAMPLES = '"2500k" or "6M" (bits per second)'
    UNITS: ClassVar[Mapping[str, float]] = {"k": 10**3, "M": 10**6, "kbps": 10**3, "Mbps": 10**6, "bps": 1}

    def result(self, number: float) -> int:
        return round(number)

    def render(self, number: float) -> str:
        return f"{number / 1e6:g}M" if number >= 1e6 else f"{number / 1e3:g}k"
