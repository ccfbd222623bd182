"""The server itself: taking it out of service, and reading its configuration again."""

from fastapi import APIRouter

from origin.api.guard import GuardedRoute, needs
from origin.api.known_problems import BAD_CONFIGURATION, OF_BODIES, responses
from origin.api.models import Draining, DrainRequest, Reloaded, ServiceState
from origin.api.operation import CurrentOperation
from origin.api.services import ApiServices
from storage.catalogue.scopes import Scope


def service_router(services: ApiServices) -> APIRouter:
    router = APIRouter(tags=["server"], route_class=GuardedRoute)

    @router.post(
        "/drain",
        summary="Take the server out of service",
        description="It accepts no new broadcasts, and stops when those on air have ended, or after `grace_s` "
        "seconds. A publisher that returns to its broadcast is accepted. A further request changes the time.",
        responses=responses(*OF_BODIES),
    )
    @needs(Scope.ADMIN, "drain")
    async def drain(body: DrainRequest, operation: CurrentOperation) -> Draining:
        operation.note(grace_s=body.grace_s)
        return services.drain.begin(body.grace_s)

    @router.get("/drain", summary="Whether the server is being taken out of service")
    @needs(Scope.READ)
    async def get_drain() -> ServiceState:
        return ServiceState(draining=services.drain.state)

    @router.post(
        "/reload",
        summary="Read the server's configuration again",
        description="What can change while the server runs applies to new publishers and broadcasts. If the "
        "configuration has a fault, nothing changes.",
        responses=responses(BAD_CONFIGURATION),
    )
    @needs(Scope.ADMIN, "reload")
    async def reload(operation: CurrentOperation) -> Reloaded:
        reloaded = await services.reload()
        operation.note(applied=list(reloaded.applied), restart=list(reloaded.restart))
        return reloaded

    return router
