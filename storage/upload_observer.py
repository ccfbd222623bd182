"""What may be noted of each upload."""

from typing import Protocol

from storage.interface import StorageError


class UploadObserver(Protocol):
    """Called on the event loop with the key of each object, text or media. No method may raise."""

    def trying(self, key: str) -> None:
        """An attempt begins; a text is rendered next."""

    def failed(self, key: str, error: StorageError) -> None:
        """The attempt failed."""

    def put(self, key: str) -> None:
        """The store has the object."""

    def spooled(self, key: str) -> None:
        """The spool has the object, because the store has not taken it in time."""
