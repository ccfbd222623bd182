"""Shared by all tests. Imports only the standard library, pytest and hypothesis, so that every test can run with
just these installed."""

import os
import shutil
from collections.abc import Generator

import pytest
from hypothesis import settings

# A busy machine must not make a test fail, and in CI, every run has the same examples.
settings.register_profile(
    "headwater", deadline=None, derandomize=bool(os.environ.get("HEADWATER_TEST_REQUIRE_ALL"))
)
settings.load_profile("headwater")

PROGRAMS = ("chromium", "nginx", "varnishd")
# If the reason of a skip names one of these, a program is missing.
PROGRAMS_IN_REASONS = (*PROGRAMS, "varnish", "MinIO", "is not installed")


def pytest_report_header() -> list[str]:
    found = {program: shutil.which(program) or "not found: its tests are skipped" for program in PROGRAMS}
    return [f"{program}: {place}" for program, place in found.items()]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """If HEADWATER_TEST_REQUIRE_ALL is set, a test that is skipped because a program is missing fails instead."""
    report = yield
    missing = report.skipped and any(program in str(report.longrepr) for program in PROGRAMS_IN_REASONS)
    if missing and os.environ.get("HEADWATER_TEST_REQUIRE_ALL"):
        report.outcome = "failed"
    return report
