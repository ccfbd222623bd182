from collections.abc import Iterator
from typing import get_args

import pytest
import structlog

from telemetry.logs import Format, set_up_logs


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    yield
    structlog.reset_defaults()


@pytest.mark.parametrize("form", get_args(Format))
def test_a_traceback_has_the_location_but_no_variable_values(
    capfd: pytest.CaptureFixture[str], form: Format
) -> None:
    writer = set_up_logs(form, "info")
    key = "-".join(("live", "key", "of", "operator"))
    try:
        raise ValueError(f"{len(key)} letters")
    except ValueError:
        structlog.get_logger("test").exception("it went wrong")
    writer.close()
    written = capfd.readouterr().err
    assert "it went wrong" in written and "test_logs.py" in written and "20 letters" in written
    assert key not in written
