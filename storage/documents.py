"""Small JSON objects in the store, each of one pydantic model."""

from typing import ClassVar, TypeVar

from pydantic import BaseModel, ValidationError

from storage.content import cache_control, content_type
from storage.interface import ObjectStore, StorageError

M = TypeVar("M", bound=BaseModel)


class CorruptRecord(StorageError):
    """An object of the catalogue that is not what Headwater wrote."""

    code: ClassVar[str] = "corrupt-record"


class Documents:
    """Reads give the ETag too, for a conditional ``replace``. Errors are the store's, and CorruptRecord."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def read(self, key: str, model: type[M]) -> tuple[M, str]:
        found = await self._store.get(key)
        try:
            return model.model_validate_json(found.body), found.info.etag
        except ValidationError as error:
            raise CorruptRecord(f"the object {key} is damaged, restore or delete it: {error}") from error

    async def put(self, key: str, value: BaseModel) -> None:
        await self._put(key, value)

    async def create(self, key: str, value: BaseModel) -> None:
        """Raises PreconditionFailed where there is one."""
        await self._put(key, value, if_none_match=True)

    async def replace(self, key: str, value: BaseModel, etag: str) -> None:
        """Raises PreconditionFailed where it is another by now, or gone."""
        await self._put(key, value, if_match=etag)

    async def _put(
        self, key: str, value: BaseModel, *, if_none_match: bool = False, if_match: str | None = None
    ) -> None:
        await self._store.put(
            key,
            value.model_dump_json(indent=2).encode() + b"\n",
            content_type=content_type(key),
            cache_control=cache_control(key),
            if_none_match=if_none_match,
            if_match=if_match,
        )
