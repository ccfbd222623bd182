"""A change that a request makes, for the audit log."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Request
from pydantic import JsonValue

from origin.api.auth import Caller
from storage.audit import AuditLog, new_entry


class Operation:
    """``action`` names the change in the audit log; None for a request that only reads. The handler may set
    ``stream``, and :meth:`note` what changes."""

    def __init__(
        self, caller: Caller, action: str | None, stream: str | None, audit: AuditLog, clock: Callable[[], float]
    ) -> None:
        self.caller = caller
        self.stream = stream
        self._action = action
        self._audit = audit
        self._clock = clock
        self._details: dict[str, JsonValue] = {}

    def note(self, **details: JsonValue) -> None:
        """Details for the audit log: bounded, and never a secret."""
        self._details |= details

    def end(self, result: str) -> None:
        """Record the change with its ``result``: ``done`` or an error's code."""
        if self._action is None:
            return
        entry = new_entry(
            self._action,
            at=self._clock(),
            result=result,
            stream=self.stream,
            token=self.caller.token,
            address=self.caller.address,
            client=self.caller.client,
            details=self._details,
        )
        self._audit.record(entry)


def operation_of(request: Request) -> Operation | None:
    """None if no guard has admitted the request."""
    operation = getattr(request.state, "operation", None)
    return operation if isinstance(operation, Operation) else None


def _admitted(request: Request) -> Operation:
    operation = operation_of(request)
    assert operation is not None, "the route has no guard"
    return operation


CurrentOperation = Annotated[Operation, Depends(_admitted)]
