"""The data directory's files, their modes and their failures."""

import os
import stat
from pathlib import Path

import pytest

from control.datadir import DataDir, DataDirError, ServerInfo

SERVER = ServerInfo(http="http://127.0.0.1:8080", rtmp="rtmp://127.0.0.1:1935/live", pid=7)


@pytest.fixture
def directory(tmp_path: Path) -> DataDir:
    directory = DataDir(tmp_path / "deep" / "data")
    directory.create()
    return directory


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_files_are_accessible_only_to_their_owner(directory: DataDir) -> None:
    directory.create()
    directory.api_token()
    directory.keep_stream_key("live", "k")
    directory.announce(SERVER)
    assert mode(directory.path) == mode(directory.path / "keys") == 0o700
    files = [file for file in directory.path.rglob("*") if file.is_file()]
    assert {file.name: mode(file) for file in files} == {"api-token": 0o600, "live": 0o600, "server.json": 0o600}


def test_the_token_is_created_once(directory: DataDir) -> None:
    assert directory.stored_token() is None
    token = directory.api_token()
    assert len(token) >= 40
    assert directory.api_token() == DataDir(directory.path).stored_token() == token


def test_of_two_concurrent_tokens_the_first_is_kept(directory: DataDir, monkeypatch: pytest.MonkeyPatch) -> None:
    link = os.link

    def late(source: Path, target: Path) -> None:
        target.write_text("first\n")
        link(source, target)

    monkeypatch.setattr(os, "link", late)
    assert directory.api_token() == "first"
    assert [file.name for file in directory.path.iterdir() if file.is_file()] == ["api-token"]


def test_an_empty_token_file_is_refused(directory: DataDir) -> None:
    (directory.path / "api-token").write_text("\n")
    with pytest.raises(DataDirError, match="is empty; delete it"):
        directory.api_token()


def test_a_server_announces_itself_and_withdraws(directory: DataDir) -> None:
    assert directory.server() is None
    directory.announce(SERVER)
    assert directory.server() == SERVER
    directory.withdraw(8)
    assert directory.server() == SERVER
    directory.withdraw(7)
    assert directory.server() is None


def test_a_rotated_key_is_saved_only_if_a_key_was_kept(directory: DataDir) -> None:
    directory.key_changed("other", "k")
    assert directory.stream_key("other") is None
    directory.keep_stream_key("live", "one")
    directory.key_changed("live", "two")
    assert directory.stream_key("live") == "two"
    directory.key_changed("live", None)
    assert directory.stream_key("live") is None


def test_failing_to_save_a_rotated_key_is_not_an_error(directory: DataDir) -> None:
    directory.keep_stream_key("live", "one")
    directory.path.joinpath("keys", "live").unlink()
    directory.path.joinpath("keys", "live").mkdir()
    directory.key_changed("live", "two")


def test_key_files_are_named_by_valid_stream_names_only(directory: DataDir) -> None:
    for name in ("../api-token", "", "A"):
        with pytest.raises(DataDirError, match="is not a stream name"):
            directory.keep_stream_key(name, "k")


def test_failures_name_the_file_and_the_reason(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(DataDirError, match=r"file cannot be created: file exists"):
        DataDir(file).create()
    with pytest.raises(DataDirError, match=r"api-token cannot be written: no such file or directory"):
        DataDir(tmp_path / "none").api_token()
    (tmp_path / "server.json").write_text('{"http": 3}')
    with pytest.raises(DataDirError, match=r"server.json is damaged; delete it"):
        DataDir(tmp_path).server()
