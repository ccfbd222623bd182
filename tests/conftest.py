"""What all tests share. Imports only the standard library, pytest and hypothesis, so that every test can start with
no more than these."""

import os
import shutil
from collections.abc import Generator

import pytest
from hypothesis import settings

# A machine that is busy with other work must not fail a test.
settings.register_profile("headwater", deadline=None)
settings.load_profile("headwater")

PROGRAMS = ("chromium", "nginx", "varnishd")
# A reason to skip that names one of these is the want of a program.
WANTED = (*PROGRAMS, "varnish", "MinIO")


def pytest_report_header() -> list[str]:
    found = {program: shutil.which(program) or "not found: its tests are skipped" for program in PROGRAMS}
    return [f"{program}: {place}" for program, place in found.items()]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With HEADWATER_TEST_REQUIRE_ALL set, a test that was skipped for want of a program has failed."""
    report = yield
    wanted = report.skipped and any(program in str(report.longrepr) for program in WANTED)
    if wanted and os.environ.get("HEADWATER_TEST_REQUIRE_ALL"):
        report.outcome = "failed"
    return report
