import pytest

from control.hooks.schedule import Dead, Delivered, Gone, Retry, judge
from control.hooks.sender import Answer
from storage.hooks.deliveries import Delivery

NOW = 1_795_257_665.0
DAY = 86_400.0


def delivery(attempts: int = 1, *, left: float = DAY) -> Delivery:
    return Delivery(
        id="msg_01a1f2c3d4e5_9f86d081a1b2",
        hook="9f86d081",
        event="stream.live",
        body="{}",
        created_at=NOW,
        expires_at=NOW + left,
        owner="a",
        due_at=NOW,
        attempts=attempts,
    )


def failed(status: int | None, retry_after_s: float | None = None) -> Answer:
    return Answer(0.1, status, "failed", retry_after_s)


def test_success_and_gone_end_a_delivery() -> None:
    assert judge(Answer(0.1, 204), delivery(), now=NOW, random=0) == Delivered()
    assert judge(failed(410), delivery(), now=NOW, random=0) == Gone()


@pytest.mark.parametrize(("attempts", "delay"), [(1, 5), (2, 10), (3, 20), (10, 2560), (11, 3600), (90, 3600)])
def test_the_delay_doubles_up_to_an_hour_and_varies(attempts: int, delay: float) -> None:
    assert judge(failed(500), delivery(attempts), now=NOW, random=0) == Retry(NOW + delay)
    assert judge(failed(None), delivery(attempts), now=NOW, random=0.5) == Retry(NOW + delay * 0.75)


def test_a_busy_target_names_its_time() -> None:
    for status in (429, 503):
        answer = judge(failed(status, 120), delivery(), now=NOW, random=0)
        assert answer == Retry(NOW + 120, pause_until=NOW + 120)
    assert judge(failed(500, 120), delivery(), now=NOW, random=0) == Retry(NOW + 5)
    assert judge(failed(503, 1), delivery(), now=NOW, random=0) == Retry(NOW + 5, pause_until=NOW + 1)


def test_after_its_time_a_delivery_is_dead() -> None:
    assert judge(failed(500), delivery(20, left=3599), now=NOW, random=0) == Dead()
    assert judge(failed(429, 2 * DAY), delivery(), now=NOW, random=0) == Dead()


def test_a_day_has_about_forty_attempts() -> None:
    now, attempts, verdict = NOW, 0, None
    while not isinstance(verdict, Dead):
        attempts += 1
        verdict = judge(failed(500), delivery(attempts), now=now, random=0.5)
        now = verdict.due_at if isinstance(verdict, Retry) else now
    assert 35 < attempts < 50
