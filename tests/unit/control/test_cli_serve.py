"""``serve``: how its options become the configuration, before the server starts."""

from pathlib import Path

import pytest

from control import serve as server
from control.cli import main
from control.config import Address, Config
from media.errors import HeadwaterError
from storage.location import BucketLocation

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Config, bool]]:
    """The configurations with which the server was run; it ends at once with exit code 0."""
    seen: list[tuple[Config, bool]] = []

    def run(config: Config, *, load: object, json_output: bool) -> int:
        seen.append((config, json_output))
        return 0

    monkeypatch.setattr(server, "run", run)
    return seen


def test_options_override_the_file(tmp_path: Path, runs: list[tuple[Config, bool]]) -> None:
    file = tmp_path / "headwater.toml"
    file.write_text('data = "/one"\n[rtmp]\nlisten = "0.0.0.0:1"\napp = "studio"\n')
    arguments = ["serve", "--config", str(file), "--data", "/two", "--rtmp", "127.0.0.1:0", "--http", "[::1]:0"]
    arguments += ["--store", "s3://bucket/prefix", "--s3-endpoint", "http://127.0.0.1:9000", "--json"]
    assert main(arguments) == 0
    config, json_output = runs[0]
    assert json_output
    assert (config.data, config.rtmp.app, config.rtmp.listen) == (Path("/two"), "studio", Address("127.0.0.1", 0))
    assert config.http.listen == Address("::1", 0)
    assert config.store_location == BucketLocation("bucket", "prefix")
    assert config.store.s3_endpoint == "http://127.0.0.1:9000"


def test_without_options_the_defaults_apply(
    runs: list[tuple[Config, bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["serve"]) == 0
    monkeypatch.setenv("HEADWATER_DATA", "/elsewhere")
    assert main(["serve"]) == 0
    assert runs[0] == (Config(), False)
    assert runs[1][0].data == Path("/elsewhere")


@pytest.mark.parametrize("arguments", [["--rtmp", "1935"], ["--http", "here"], ["--rtmp", "a:70000"]])
def test_an_invalid_address_is_wrong_usage(
    arguments: list[str], capsys: Capture, runs: list[tuple[Config, bool]]
) -> None:
    assert main(["serve", *arguments]) == 2
    assert arguments[1] in capsys.readouterr().err
    assert runs == []


def test_a_bad_file_is_refused_with_file_and_line(tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "headwater.toml"
    file.write_text("[rtmp]\nlisen = 1\n")
    for check in ([], ["--check"]):
        assert main(["serve", "--config", str(file), *check]) == 1
        assert capsys.readouterr().err == (
            "headwater: the configuration has a fault:\n"
            f'  {file}:2: [rtmp] lisen: unknown key; did you mean "listen"?\n'
        )


def test_check_does_not_start_the_server(
    capsys: Capture, runs: list[tuple[Config, bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[Config] = []
    monkeypatch.setattr(server, "check", checked.append)
    assert main(["serve", "--check"]) == 0
    assert checked == [Config()]
    assert "The configuration is good" in capsys.readouterr().out

    def fail(config: Config) -> None:
        raise HeadwaterError("the bucket is not there")

    monkeypatch.setattr(server, "check", fail)
    assert main(["serve", "--check"]) == 1
    assert capsys.readouterr().err == "headwater: the bucket is not there\n"
    assert runs == []


def test_the_commands_exit_code_is_the_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "run", lambda config, *, load, json_output: 1)
    assert main(["serve"]) == 1
