"""The refusals to delete a recording.

KeepingError
├── BroadcastInUse    it is on air, or its end is not completely stored
└── BroadcastKept     it is marked to be kept
"""

from typing import ClassVar

from storage.interface import StorageError


class KeepingError(StorageError):
    code: ClassVar[str] = "keeping"


class BroadcastInUse(KeepingError):
    code: ClassVar[str] = "broadcast-in-use"


class BroadcastKept(KeepingError):
    code: ClassVar[str] = "broadcast-kept"
