"""Small JSON objects in the store, each the JSON of a pydantic model."""

import asyncio
from collections.abc import Iterable
from typing import ClassVar, TypeVar

import structlog
from pydantic import BaseModel, ValidationError

from storage.interface import ObjectNotFound, ObjectStore, StorageError

log = structlog.get_logger("storage")

M = TypeVar("M", bound=BaseModel)

PARALLEL_READS = 8


class CorruptRecord(StorageError):
    """An object of the catalogue cannot be parsed as its record."""

    code: ClassVar[str] = "corrupt-record"


class Documents:
    """Raises the errors of the store, and CorruptRecord. Reads and conditional writes return the ETag for the next
    ``replace``."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def read(self, key: str, model: type[M]) -> tuple[M, str]:
        stored = await self._store.get(key)
        try:
            return model.model_validate_json(stored.body), stored.info.etag
        except ValidationError as error:
            raise CorruptRecord(f"the object {key} is damaged, restore or delete it: {error}") from error

    async def read_all(self, keys: Iterable[str], model: type[M]) -> list[M]:
        """The documents in the order of ``keys``, a few read at once. Damaged ones are logged and left out."""
        gate = asyncio.Semaphore(PARALLEL_READS)

        async def read(key: str) -> M | None:
            async with gate:
                try:
                    return (await self.read(key, model))[0]
                except ObjectNotFound:
                    return None
                except CorruptRecord as error:
                    log.error("a damaged record is left out", key=key, error=str(error))
                    return None

        return [document for document in await asyncio.gather(*map(read, keys)) if document is not None]

    async def put(self, key: str, value: BaseModel) -> None:
        await self._store.put(key, encode_document(value))

    async def create(self, key: str, value: BaseModel) -> str:
        """Raises PreconditionFailed if the object exists."""
        return (await self._store.put(key, encode_document(value), if_none_match=True)).etag

    async def replace(self, key: str, value: BaseModel, etag: str) -> str:
        """Raises PreconditionFailed if the object has changed or does not exist any more."""
        return (await self._store.put(key, encode_document(value), if_match=etag)).etag


def encode_document(value: BaseModel) -> bytes:
    """The bytes of the object."""
    return value.model_dump_json(indent=2).encode() + b"\n"
