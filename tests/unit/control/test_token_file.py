"""The token in the data directory, replaced while the server runs."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from control.datadir import DataDir
from control.token_file import TokenFile


class Replacements:
    def __init__(self, path: Path) -> None:
        self.data = DataDir(path)
        self.data.create()
        self.count = 0
        self.file = TokenFile(self.data, on_replaced=self._add)

    def _add(self) -> None:
        self.count += 1


@pytest.fixture
def replacements(tmp_path: Path) -> Replacements:
    return Replacements(tmp_path / "data")


def test_another_token_in_the_file_is_used_at_once(replacements: Replacements) -> None:
    first = replacements.file.token()
    assert (replacements.file.token(), replacements.count) == (first, 0)
    second = replacements.data.replace_token()
    assert (replacements.file.token(), replacements.count) == (second, 1)
    replacements.data.token_file.write_text("chosen by hand\n")
    assert (replacements.file.token(), replacements.count) == ("chosen by hand", 2)


def test_a_deleted_file_is_created_with_another_token(replacements: Replacements) -> None:
    first = replacements.file.token()
    replacements.data.token_file.unlink()
    second = replacements.file.token()
    assert second != first and replacements.data.stored_token() == second
    assert (replacements.file.token(), replacements.count) == (second, 1)


def test_a_damaged_file_leaves_the_last_token_valid(replacements: Replacements) -> None:
    first = replacements.file.token()
    replacements.data.token_file.write_text("\n")
    with capture_logs() as lines:
        assert replacements.file.token() == replacements.file.token() == first
    assert len(lines) == 1 and "is empty" in lines[0]["error"]


def test_the_file_is_not_read_for_each_request(replacements: Replacements, monkeypatch: pytest.MonkeyPatch) -> None:
    first = replacements.file.token()
    monkeypatch.setattr(DataDir, "api_token", lambda self: pytest.fail("read again"))
    assert replacements.file.token() == first
