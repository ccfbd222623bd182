"""Questions and answers round-trip through JSON, so that they can be sent to another node."""

import pytest
from pydantic import BaseModel, ValidationError

from cluster.questions import Done, HistoryQuery, KillCommand, LatencyQuery, StatusQuery, ThumbnailQuery
from live.status import History, Latencies, LatencyStatus, Sample, StreamState, Thumbnail
from tests.unit.origin.api.live import status


@pytest.mark.parametrize(
    "value",
    [
        StatusQuery(),
        HistoryQuery(),
        LatencyQuery(),
        ThumbnailQuery(),
        KillCommand(reason="wrong scene"),
        status("studio-a", StreamState.WAITING),
        History(samples=(Sample(at=1.5, bitrate_bps=2_500_000, fps=29.97),)),
        Latencies(stages=(LatencyStatus(track="v480p", stage="encoded", p50_ms=21.5, p95_ms=38.0),)),
        Thumbnail(jpeg=b"\xff\xd8\xff\xd9", at=7.5),
        Done(),
    ],
    ids=lambda value: type(value).__name__,
)
def test_questions_and_answers_round_trip(value: BaseModel) -> None:
    assert type(value).model_validate_json(value.model_dump_json()) == value


def test_the_reason_of_a_kill_is_bounded() -> None:
    with pytest.raises(ValidationError):
        KillCommand(reason="x" * 201)
