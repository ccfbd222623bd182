"""The identity of a store: a random id in one of its objects.

Another id than before means that the store was emptied or made again, so what it had is gone.
"""

import secrets

from pydantic import BaseModel, ConfigDict

from storage.documents import Documents
from storage.interface import ObjectNotFound, ObjectStore, PreconditionFailed

KEY = "catalogue/store.json"


class StoreIdentity(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: str


async def read_or_create_identity(store: ObjectStore) -> str:
    """Raises the store's errors, and CorruptRecord."""
    documents = Documents(store)
    try:
        return (await documents.read(KEY, StoreIdentity))[0].id
    except ObjectNotFound:
        created = StoreIdentity(id=secrets.token_hex(16))
    try:
        await documents.create(KEY, created)
    except PreconditionFailed:
        return (await documents.read(KEY, StoreIdentity))[0].id
    return created.id
