"""The report names the S3 server that the end-to-end tests use."""

from tests.lab.s3server import s3_report_header


def pytest_report_collectionfinish() -> str:
    """After the collection, because pytest loads this file only when it collects these tests."""
    return s3_report_header()
