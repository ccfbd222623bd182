"""The operations on the server itself."""

import pytest

from origin.api.errors import BadConfiguration
from tests.unit.origin.api.conftest import Api


async def test_a_server_in_service_does_not_drain(api: Api) -> None:
    assert (await api.http.get("/drain")).json() == {"draining": None}


@pytest.mark.parametrize(("body", "asked"), [({}, None), ({"grace_s": 90}, 90.0)])
async def test_it_drains_for_the_given_or_the_configured_time(
    api: Api, body: dict[str, int], asked: float | None
) -> None:
    answer = (await api.http.post("/drain", json=body)).json()
    assert api.drain.asked == [asked]
    assert answer == {"on_air": 2, "grace_left_s": asked or 600.0}
    assert (await api.http.get("/drain")).json() == {"draining": answer}


@pytest.mark.parametrize("grace", [-1, 1e9, "90", True])
async def test_an_invalid_time_is_refused(api: Api, grace: object) -> None:
    assert (await api.http.post("/drain", json={"grace_s": grace})).status_code == 422
    assert api.drain.asked == []


async def test_a_reload_answers_what_has_changed(api: Api) -> None:
    answer = await api.http.post("/reload")
    assert answer.json() == {"applied": ["rtmp.max_bitrate"], "restart": ["http.listen"]}


async def test_a_fault_in_the_configuration_is_explained(api: Api) -> None:
    api.reload.failure = BadConfiguration("headwater.toml:4: [rtmp] lisen: unknown key")
    answer = await api.http.post("/reload")
    assert (answer.status_code, answer.json()["code"]) == (422, "bad-config")
    assert answer.json()["detail"] == "headwater.toml:4: [rtmp] lisen: unknown key"
