"""The role of a publisher, which its stream key decides."""

from enum import StrEnum


class Role(StrEnum):
    PRIMARY = "primary"
    BACKUP = "backup"

    @property
    def other(self) -> "Role":
        return Role.BACKUP if self is Role.PRIMARY else Role.PRIMARY
