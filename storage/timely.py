"""A time limit on the answers of a store that may hang."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from storage.interface import StoreUnavailable

T = TypeVar("T")


async def within(seconds: float, answer: Awaitable[T]) -> T:
    """``answer``, if it comes in time. Raises StoreUnavailable."""
    try:
        async with asyncio.timeout(seconds):
            return await answer
    except TimeoutError as error:
        raise StoreUnavailable("the store does not answer") from error
