"""Small JSON objects in the store, each the JSON of a pydantic model."""

from typing import ClassVar, TypeVar

from pydantic import BaseModel, ValidationError

from storage.interface import ObjectStore, StorageError

M = TypeVar("M", bound=BaseModel)


class CorruptRecord(StorageError):
    """An object of the catalogue cannot be parsed as its record."""

    code: ClassVar[str] = "corrupt-record"


class Documents:
    """Raises the errors of the store, and CorruptRecord. Reads return the ETag for a conditional ``replace``."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def read(self, key: str, model: type[M]) -> tuple[M, str]:
        stored = await self._store.get(key)
        try:
            return model.model_validate_json(stored.body), stored.info.etag
        except ValidationError as error:
            raise CorruptRecord(f"the object {key} is damaged, restore or delete it: {error}") from error

    async def put(self, key: str, value: BaseModel) -> None:
        await self._store.put(key, _encode(value))

    async def create(self, key: str, value: BaseModel) -> None:
        """Raises PreconditionFailed if the object exists."""
        await self._store.put(key, _encode(value), if_none_match=True)

    async def replace(self, key: str, value: BaseModel, etag: str) -> None:
        """Raises PreconditionFailed if the object has changed or does not exist any more."""
        await self._store.put(key, _encode(value), if_match=etag)


def _encode(value: BaseModel) -> bytes:
    return value.model_dump_json(indent=2).encode() + b"\n"
