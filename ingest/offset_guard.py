"""Recognises single pictures whose composition offset is far from that of the others.

Such a picture would be presented seconds after its neighbours. Its offset is replaced by the usual one.
"""

# Reordering takes less than a second (milliseconds).
FURTHEST_MS = 1_000
# After this many such pictures in a row, the offset is the new usual one.
MANY = 8


class OffsetGuard:
    """An offset from ``least_ms`` to ``limit_ms`` is usual; :meth:`check` any other one. Set ``far``, the number of
    unusual offsets in a row, to 0 at each usual one."""

    __slots__ = ("far", "least_ms", "limit_ms")

    def __init__(self) -> None:
        self.far = 0
        # Nothing is usual before the first picture.
        self.least_ms, self.limit_ms = 1, 0

    def check(self, offset_ms: int) -> int:
        """The offset to use for a picture with an unusual one."""
        if self.least_ms <= self.limit_ms < offset_ms:
            self.far += 1
            if self.far < MANY:
                return self.least_ms
        self.least_ms, self.limit_ms, self.far = offset_ms, offset_ms + FURTHEST_MS, 0
        return offset_ms
