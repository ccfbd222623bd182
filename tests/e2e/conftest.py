"""Names the S3 server of the end-to-end tests in pytest's report."""

from tests.lab.s3server import s3_report_header


def pytest_report_collectionfinish() -> str:
    """Used instead of the header hook, because pytest loads this file only when it collects these tests."""
    return s3_report_header()
