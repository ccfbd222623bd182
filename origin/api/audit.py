"""The audit log. It needs a token with the scope admin."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from origin.api.guard import GuardedRoute, needs
from origin.api.known_problems import INVALID_REQUEST, responses
from origin.api.services import ApiServices
from storage.audit import AuditPage
from storage.catalogue.scopes import Scope

DEFAULT_S = 7 * 86_400
LONGEST_S = 366 * 86_400
LATEST = 4_000_000_000

Moment = Annotated[float | None, Field(ge=0, le=LATEST, allow_inf_nan=False, examples=[1795257665.0])]


def audit_router(services: ApiServices) -> APIRouter:
    router = APIRouter(prefix="/audit", tags=["audit"], route_class=GuardedRoute)

    @router.get(
        "",
        summary="Who changed what, newest first",
        description="Times are seconds since the Unix epoch. Without `since`, the last seven days.",
        responses=responses(INVALID_REQUEST),
    )
    @needs(Scope.ADMIN)
    async def get_audit_log(
        stream: Annotated[
            str | None, Query(max_length=63, description="only changes of this stream", examples=["studio-a"])
        ] = None,
        since: Annotated[Moment, Query(description="only changes at this time or later")] = None,
        before: Annotated[Moment, Query(description="only changes before this time; now, if omitted")] = None,
        limit: Annotated[
            int,
            Query(
                ge=1,
                le=1000,
                description="the number of entries; more if the last ones have one time",
                examples=[100],
            ),
        ] = 100,
    ) -> AuditPage:
        # A second more, so that an entry of this moment is included.
        before = services.clock() + 1 if before is None else before
        since = before - DEFAULT_S if since is None else since
        # A longer period is a further page, see AuditPage.
        since = max(0.0, since, before - LONGEST_S)
        return await services.audit.read(since=since, before=before, limit=limit, stream=stream)

    return router
