"""A changed configuration of a running server."""

from pathlib import Path

import pytest

from control.config import Config, load_config
from control.reload import Settings, changes, is_running, running
from origin.api.errors import BadConfiguration


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "headwater.toml"


def settings_of(file: Path) -> Settings:
    return Settings(load_config(file), None, lambda: load_config(file))


async def test_values_that_can_change_are_in_force_and_others_are_named(file: Path) -> None:
    file.write_text('[rtmp]\nmax_bitrate = "20M"\n')
    settings = settings_of(file)
    told: list[int] = []
    settings.on_changed = lambda: told.append(settings.config.rtmp.max_bitrate)
    file.write_text(
        '[rtmp]\nmax_bitrate = "30M"\nlisten = "0.0.0.0:1940"\n[packager]\nsegment_target = 4\n'
        '[http]\ncors_origins = ["https://example.org"]\n[streams.studio]\nslate = "last-frame"\n'
    )
    reloaded = await settings.reload()
    assert reloaded.applied == ("packager.segment_target", "rtmp.max_bitrate", "streams.studio")
    assert reloaded.restart == ("http.cors_origins", "rtmp.listen")
    assert told == [30_000_000]
    assert (settings.config.packager.segment_target, str(settings.config.rtmp.listen)) == (4.0, "0.0.0.0:1935")


async def test_what_needs_a_restart_is_named_each_time(file: Path) -> None:
    file.write_text("")
    settings = settings_of(file)
    file.write_text('data = "elsewhere"\n')
    for _ in range(2):
        assert (await settings.reload()).restart == ("data",)


async def test_without_a_change_nothing_is_reported(file: Path) -> None:
    file.write_text("")
    reloaded = await settings_of(file).reload()
    assert (reloaded.applied, reloaded.restart) == ((), ())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('[rtmp]\nidle_timeout = "10sec"\n', 'did you mean "10s"'),
        ('[rtmp]\nslate_image = "/no/such.png"\n', "such.png"),
    ],
)
async def test_a_fault_changes_nothing(file: Path, text: str, reason: str) -> None:
    file.write_text('[rtmp]\nmax_bitrate = "20M"\n')
    settings = settings_of(file)
    file.write_text(f'{text}max_bitrate = "30M"\n')
    with pytest.raises(BadConfiguration, match=reason):
        await settings.reload()
    assert settings.config.rtmp.max_bitrate == 20_000_000
    await settings.reload_on_signal()


def test_every_setting_is_either_applied_or_kept() -> None:
    before = Config()
    after = Config.model_validate(
        {
            "rtmp": {"max_publishers": 5, "switch_after": 2},
            "packager": {"part_target": 1},
            "qoe": {"enabled": False},
            "log": {"level": "debug"},
        }
    )
    applied = list(changes(before, running(before, after)))
    assert "qoe.enabled" in applied
    assert all(map(is_running, applied))
    assert all(not is_running(name) for name in changes(running(before, after), after))


def test_the_documentation_lists_what_can_change() -> None:
    text = (Path(__file__).parents[3] / "docs" / "configuration.md").read_text()
    section = text.partition("## Changing it while the server runs")[2].partition("\n## ")[0]
    rtmp = {f"rtmp.{name}" for name in Config().rtmp.model_dump()}
    for name in filter(is_running, rtmp):
        assert f"`{name.removeprefix('rtmp.')}`" in section
