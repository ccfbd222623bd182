"""The source's video since its last keyframe: a transcoder that starts between keyframes decodes it first."""

from collections.abc import Sequence

from media.units import AccessUnit

MAX_UNITS = 1500
MAX_BYTES = 32 << 20


class Preroll:
    """Keeps units in decoding order. If they are too many, it keeps none until the next keyframe."""

    def __init__(self) -> None:
        self._units: list[AccessUnit] = []
        self._bytes = 0

    def add(self, unit: AccessUnit) -> None:
        units = self._units
        if unit.key:
            units.clear()
            self._bytes = 0
        elif not units:
            return
        units.append(unit)
        self._bytes += len(unit.payload)
        if len(units) > MAX_UNITS or self._bytes > MAX_BYTES:
            units.clear()

    def take(self) -> Sequence[AccessUnit]:
        """The units since the last keyframe, which is the first of them. None are kept."""
        units, self._units = self._units, []
        return units
