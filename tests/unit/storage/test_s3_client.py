import pytest

from storage.s3_client import S3Options


@pytest.mark.parametrize(
    ("endpoint", "path_style", "style"),
    [
        (None, None, "auto"),
        ("http://127.0.0.1:9000", None, "path"),
        ("http://127.0.0.1:9000", False, "virtual"),
        (None, False, "virtual"),
        (None, True, "path"),
    ],
)
def test_the_addressing_style_follows_the_endpoint_unless_set(
    endpoint: str | None, path_style: bool | None, style: str
) -> None:
    assert S3Options(endpoint=endpoint, path_style=path_style).addressing_style == style
