"""How playback is, as the players of viewers report it."""

from typing import Any

from fastapi import APIRouter

from origin.api.guard import GuardedRoute, needs
from origin.api.known_problems import STREAM_NOT_FOUND, responses
from origin.api.models import QoeSums, QoeView, RenditionQoe, SpreadView
from origin.api.parameters import StreamName
from origin.api.services import ApiServices
from origin.qoe.figures import Figures, Spread, Sums
from origin.qoe.streams import WINDOW_S
from storage.catalogue.scopes import Scope


def qoe_router(services: ApiServices) -> APIRouter:
    router = APIRouter(prefix="/streams/{stream}", tags=["live"], route_class=GuardedRoute)

    @router.get(
        "/qoe",
        summary="How playback is, as players report it",
        description="The figures are claims: anyone may send reports. They count what reached this server.",
        responses=responses(STREAM_NOT_FOUND),
    )
    @needs(Scope.READ)
    async def get_qoe(stream: StreamName) -> QoeView:
        view = services.reports.view(stream)
        if not view.renditions:
            await services.catalogue.find_stream(stream)
        return QoeView(
            stream=stream,
            window_s=WINDOW_S,
            renditions=tuple(
                RenditionQoe(rendition=name, **_fields(each)) for name, each in view.renditions.items()
            ),
            totals=QoeSums(**_sums(view.totals)),
            **_fields(view.whole),
        )

    return router


def _fields(figures: Figures) -> dict[str, Any]:
    """Of :class:`QoeFigures`."""
    ratio = figures.stalled_ratio
    return {
        "sessions": figures.sessions,
        "start_s": _spread(figures.start),
        "latency_s": _spread(figures.latency),
        "bitrate_bps": figures.bitrate_bps,
        "stalled_ratio": None if ratio is None else round(ratio, 6),
        **_sums(figures.sums),
    }


def _sums(sums: Sums) -> dict[str, Any]:
    """Of :class:`QoeSums`."""
    return {
        "starts": sums.starts,
        "stalls": sums.stalls,
        "stalled_s": round(sums.stalled_s, 3),
        "played_s": round(sums.played_s, 3),
        "errors": sums.errors,
    }


def _spread(spread: Spread | None) -> SpreadView | None:
    return None if spread is None else SpreadView(count=spread.count, median=spread.median, p95=spread.p95)
