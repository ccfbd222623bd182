"""What the holder of an API token may do."""

from enum import StrEnum


class Scope(StrEnum):
    """Each includes those before it."""

    READ = "read"
    OPERATE = "operate"
    ADMIN = "admin"

    def includes(self, other: "Scope") -> bool:
        order = list(Scope)
        return order.index(self) >= order.index(other)
