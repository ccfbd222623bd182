"""The configuration: its sources, their precedence, and how invalid values are refused."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from control.config import Address, Config, ConfigError, load_config
from control.config.model import Section
from media.ladder import Rung
from media.slate import SlateMode
from storage.location import BucketLocation, DirectoryLocation

EXAMPLE = Path(__file__).parents[3] / "docs" / "headwater.example.toml"

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(text: str) -> Path:
        file = tmp_path / "headwater.toml"
        file.write_text(text, newline="")
        return file

    return write


def refusal(file: Path | None, overrides: dict[str, Any] | None = None) -> str:
    """The error's lines, without the file's directory."""
    with pytest.raises(ConfigError) as caught:
        load_config(file, overrides)
    text = str(caught.value)
    return text if file is None else text.replace(f"{file.parent}/", "")


def test_an_empty_configuration_has_the_defaults() -> None:
    config = load_config()
    assert config == Config()
    assert (str(config.rtmp.listen), str(config.http.listen)) == ("0.0.0.0:1935", "0.0.0.0:8080")
    assert (config.packager.segment_target, config.packager.part_target) == (2.0, 0.333)
    assert config.transcoder.ladder == "auto"
    assert config.store_location == DirectoryLocation(Path("data/store"))


def test_the_example_equals_the_defaults_and_has_every_key() -> None:
    assert load_config(EXAMPLE) == Config()
    text = EXAMPLE.read_text()
    for section, field in Config.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            assert f"[{section}]" in text
            for key in field.annotation.model_fields:
                assert re.search(rf"^(# )?{key} = ", text, re.MULTILINE), key
        else:
            assert section in text


def test_the_examples_commented_lines_are_valid(write: Write) -> None:
    """Each line has to work once an operator uncomments it."""
    text = re.sub(r"^# (?=[a-z_0-9]+ = |\[streams)", "", EXAMPLE.read_text(), flags=re.MULTILINE)
    config = load_config(write(text))
    assert config.store.location == BucketLocation("my-bucket", "headwater")
    assert config.ladder_of("studio-a") == "source"
    assert config.transcoder.low_audio_bitrate == 48_000


def test_every_section_is_read_from_a_file(write: Write) -> None:
    config = load_config(
        write(
            """
            data = "/var/lib/headwater"
            [rtmp]
            listen = "[::1]:0"
            idle_timeout = 5
            [store]
            location = "s3://bucket/some/prefix/"
            upload_buffer = "1GiB"
            [packager]
            segment_target = "4s"
            part_target = "500ms"
            dvr = "1h"
            [transcoder]
            low_audio_bitrate = "48k"
            ladder = [ {height = 720, bitrate = "2.5M"}, {height = 360, bitrate = 800_000} ]
            [streams.studio-a]
            ladder = "source"
            reconnect_window = "5m"
            slate = "last-frame"
            """
        )
    )
    assert (config.reconnect_window_of("studio-a"), config.reconnect_window_of("other")) == (300, 60)
    assert (config.slate_of("studio-a"), config.slate_of("other")) == (SlateMode.LAST_FRAME, SlateMode.OFF)
    assert config.rtmp.listen == Address("::1", 0)
    assert config.rtmp.idle_timeout == 5.0
    assert config.store_location == BucketLocation("bucket", "some/prefix")
    assert config.store.upload_buffer == 2**30
    assert config.packager.dvr == 3600.0
    assert config.packager.part_target == 0.5
    assert config.transcoder.low_audio_bitrate == 48_000
    assert config.ladder_of("other") == (Rung(height=720, bitrate=2_500_000), Rung(height=360, bitrate=800_000))
    assert config.ladder_of("studio-a") == "source"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 10.0),
        ('[store]\nlocation = "s3://bucket"', 0.0),
        ('[store]\nlocation = "s3://bucket"\nplaylist_every = "5s"', 5.0),
        ('[store]\nplaylist_every = "0s"', 0.0),
        ('[store]\nplaylist_every = "20s"\n[packager]\ndvr = "1h"', 0.0),
    ],
)
def test_how_often_playlists_are_stored(write: Write, text: str, expected: float) -> None:
    assert load_config(write(text)).playlist_every_s == expected


def test_the_environment_overrides_the_file_and_the_command_line_both(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write('[rtmp]\nlisten = "0.0.0.0:1"\napp = "one"\nmax_publishers = 1\n[log]\nlevel = "debug"')
    monkeypatch.setenv("HEADWATER_RTMP__APP", "two")
    monkeypatch.setenv("HEADWATER_RTMP__MAX_PUBLISHERS", "2")
    config = load_config(file, {"rtmp.max_publishers": 3, "rtmp.app": None})
    assert str(config.rtmp.listen) == "0.0.0.0:1"
    assert (config.rtmp.app, config.rtmp.max_publishers) == ("two", 3)
    assert config.log.level == "debug"


@pytest.mark.parametrize(
    ("name", "value", "read", "expected"),
    [
        ("HEADWATER_DATA", "/d", lambda config: config.data, Path("/d")),
        ("HEADWATER_PACKAGER__DVR", "10m", lambda config: config.packager.dvr, 600.0),
        ("HEADWATER_PACKAGER__SEGMENT_TARGET", "3", lambda config: config.packager.segment_target, 3.0),
        ("HEADWATER_STORE__S3_PATH_STYLE", "true", lambda config: config.store.s3_path_style, True),
        (
            "HEADWATER_HTTP__CORS_ORIGINS",
            "https://a.b, *",
            lambda config: config.http.cors_origins,
            ("https://a.b", "*"),
        ),
        ("HEADWATER_TRANSCODER__LADDER", "source", lambda config: config.transcoder.ladder, "source"),
        (
            "HEADWATER_TRANSCODER__LADDER",
            '[{"height": 480, "bitrate": "1M"}]',
            lambda config: config.transcoder.ladder,
            (Rung(height=480, bitrate=1_000_000),),
        ),
        ("HEADWATER_STREAMS__STUDIO-A__LADDER", "source", lambda config: config.ladder_of("studio-a"), "source"),
        ("headwater_log__format", "json", lambda config: config.log.format, "json"),
    ],
)
def test_environment_variables_take_every_form_of_value(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, read: Callable[[Config], Any], expected: Any
) -> None:
    monkeypatch.setenv(name, value)
    assert read(load_config()) == expected


def test_a_config_created_in_code_ignores_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWATER_RTMP__APP", "elsewhere")
    assert Config().rtmp.app == "live"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[rtmp]\nlisen = ":1935"', 'headwater.toml:2: [rtmp] lisen: unknown key; did you mean "listen"?'),
        ("\n[rtpm]\n", 'headwater.toml:2: rtpm: unknown key; did you mean "rtmp"?'),
        ("[rtmp]\nsegment_target = 2", "[rtmp] segment_target: unknown key; it belongs in [packager]"),
        ("zzz = 1", "headwater.toml:1: zzz: unknown key; known are: data, rtmp, rtmps, http, store"),
        ("rtmp = 3", "headwater.toml:1: [rtmp]: is a section with keys of its own, not 3"),
        ("[rtmp]\nlisten = 1935", '"1935" is not HOST:PORT; did you mean "0.0.0.0:1935"?'),
        ('[rtmp]\nlisten = "host"', '"host" has no port'),
        ('[rtmp]\nlisten = ":80"', 'has no host; did you mean "0.0.0.0:80"?'),
        ('[rtmp]\nlisten = "::1:80"', "write an IPv6 address in brackets"),
        ('[rtmp]\nlisten = "a:99999"', "a port is a number from 0 to 65535"),
        ('[rtmp]\napp = "a/b"', "headwater.toml:2: [rtmp] app:"),
        ('[rtmp]\npublic_host = "http://a"', "is not a host"),
        ('[rtmp]\nmax_publishers = "many"', '[rtmp] max_publishers: "many" is not a whole number'),
        ("[rtmp]\nmax_publishers = 0", "[rtmp] max_publishers: 0: should be greater than or equal to 1"),
        ('[on_publish]\nurl = "http://a/x?b=1"', "[on_publish]: url needs a secret"),
        ('[on_publish]\nurl = "a/x"', "write it in full"),
        ('[on_publish]\nsecret = "sesame"', "openssl rand -base64 32"),
        ("[on_publish]\ntimeout = 3", "from 100ms to 2s"),
        ('[rtmp]\nidle_timeout = "10sec"', '"10sec" has an unknown unit; did you mean "10s"?'),
        ('[rtmp]\nidle_timeout = "soon"', '"soon" is not a duration; write "2s", "333ms"'),
        ("[rtmp]\nidle_timeout = inf", "inf is not a duration"),
        ("[rtmp]\nidle_timeout = true", "True is not a duration"),
        ("[rtmp]\nidle_timeout = 0", "0 is out of range: from 1s to 300s"),
        ('[store]\nupload_buffer = "64Mib"', 'has an unknown unit; did you mean "64MiB"?'),
        ('[store]\nupload_buffer = "5"', "5 is out of range: from 1MiB"),
        ('[store]\nlocation = "s3://"', 'names no bucket; write "s3://BUCKET"'),
        ('[store]\nlocation = "gs://bucket"', 'a store is a directory or "s3://BUCKET/PREFIX"'),
        ('[store]\ns3_endpoint = "minio:9000"', '"minio:9000" is not a URL'),
        ('[store]\ns3_path_style = "sometimes"', '[store] s3_path_style: "sometimes" is not true or false'),
        ('[http]\ncors_origins = ["https://a.b/c"]', "headwater.toml:2: [http] cors_origins[0]:"),
        ('[http]\ncors_origins = ["https://a b"]', '"https://a b" is not an origin'),
        (f"[http]\ncors_origins = {[f'https://{n:030}.example' for n in range(100)]}", "at most 4096 fit"),
        ('[tracing]\nendpoint = "collector:4318"', "is not a URL; write it in full"),
        ("[tracing]\nsample = 1.5", "sample"),
        ('[tracing]\nservice_name = ""', "service_name"),
        ('[tracing]\nheaders = "authorization"', "is not one line of ASCII"),
        ("[tracing]\nheaders = 5", "is not a table of headers"),
        ('[tracing]\nheaders = { "a b" = "c" }', '"a b" is not the name of a header'),
        ('[tracing]\nheaders = { a = "c\\nd" }', 'the value of "a" is not one line of ASCII'),
        (f"[tracing]\nheaders = {{ {', '.join(f'h{n} = {chr(34)}v{chr(34)}' for n in range(17))} }}", "at most 16"),
        ('[http]\npublic_url = "video.example.org"', "is not a URL; write it in full"),
        ('[http]\npublic_url = "https://example.org/live"', "has the path /live, where Headwater has a page"),
        ('[http]\npublic_url = "https://example.org/api/tv"', "has the path /api, where Headwater has a page"),
        ('[http]\npublic_url = "https://example.org/a b"', "has a path with characters other than letters"),
        ('[http]\npublic_url = "https://example.org/a//b"', "has a path with characters other than letters"),
        ('[http]\npublic_url = "https://example.org/a/../b"', "has a path with characters other than letters"),
        ('[http]\nframe_ancestors = ["selv"]', '"selv" is not an origin'),
        ('[packager]\nsegment_target = "1m"', "1m is out of range: from 500ms to 20s"),
        ("[packager]\npart_target = 3", "[packager]: part_target (3s) is longer than segment_target (2s)"),
        ('[packager]\nsegment_target = 10\nplaylist_window = "20s"', "players need at least 30s"),
        ('[packager]\ndvr = "30s"', "dvr (30s) is shorter than playlist_window (60s)"),
        ('[packager]\ndvr = "al"', '"al" is not a duration'),
        ('[transcoder]\nencoder = "x264"', 'did you mean "libx264"?'),
        ('[transcoder]\npreset = "veryfats"', 'did you mean "veryfast"?'),
        ('[transcoder]\nladder = "sorce"', '"sorce" is not a ladder; did you mean "source"?'),
        ("[transcoder]\nladder = 3", '3 is not a ladder; write "auto", "source" or ['),
        ("[transcoder]\nladder = []", 'the ladder has no rung; for the source alone write "source"'),
        (
            '[transcoder]\nladder = [\n  {height = 720, bitrate = "2M"},\n  {height = 480, bitrate = 900},\n]',
            "headwater.toml:4: [transcoder] ladder[1].bitrate: 900 is out of range: from 50k to 100M; did",
        ),
        (
            "[transcoder]\nladder = [ {height = 720} ]",
            "headwater.toml:2: [transcoder] ladder[0].bitrate: is missing",
        ),
        (
            '[[transcoder.ladder]]\nheight = 720\nbitrate = "2M"\n[[transcoder.ladder]]\nheigth = 480',
            'headwater.toml:5: [transcoder] ladder[1].heigth: unknown key; did you mean "height"?',
        ),
        ('[transcoder]\nladder = [ {height = 721, bitrate = "2M"} ]', "height: 721: should be a multiple of 2"),
        (
            '[transcoder]\nladder = [ {height = 480, bitrate = "1M"}, {height = 720, bitrate = "2M"} ]',
            "rungs go from high to low, each height once: 720 does not come after 480",
        ),
        (
            '[transcoder]\nladder = [ {height = 720, bitrate = "1M"}, {height = 480, bitrate = "1M"} ]',
            "a lower rung needs a lower bitrate",
        ),
        ("[streams.Studio]\n", 'headwater.toml:1: [streams.Studio]: "Studio" is not a stream name'),
        ('[streams.a]\nlader = "auto"', 'headwater.toml:2: [streams.a] lader: unknown key; did you mean "ladder"?'),
        ('[log]\nlevel = "inof"', 'did you mean "info"?'),
        ("[log]\nformat = 3", "[log] format: 3 is not one of 'text' or 'json'"),
        ("a = [\n1,\n", "headwater.toml:3: is not TOML"),
        ("\n\nlisten: 3", "headwater.toml:3: is not TOML: expected '='"),
        ('[log]\nlevel = "info"\nlevel = "debug"', "headwater.toml:3: is not TOML: cannot overwrite a value"),
        ("a = " + "[" * 5000, "headwater.toml: is nested too deep"),
    ],
)
def test_an_invalid_file_is_refused_with_its_line_and_a_suggestion(write: Write, text: str, expected: str) -> None:
    assert expected in refusal(write(text))


def test_every_fault_is_reported_with_its_line(write: Write) -> None:
    assert refusal(write('[log]\nlevel = 1\nlevle = 2\n[rtmp]\napp = ""')).splitlines() == [
        "the configuration has 3 faults:",
        '  headwater.toml:5: [rtmp] app: "" cannot be an application name: letters, digits, - and _, at most 64',
        "  headwater.toml:2: [log] level: 1 is not one of 'debug', 'info', 'warning' or 'error'",
        '  headwater.toml:3: [log] levle: unknown key; did you mean "level"?',
    ]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        (
            "HEADWATER_RTMP__LISEN",
            "a:1",
            'HEADWATER_RTMP__LISEN (environment): unknown key; did you mean "listen"?',
        ),
        (
            "HEADWATER_RTMP_LISTEN",
            "a:1",
            'HEADWATER_RTMP_LISTEN (environment): unknown variable; did you mean "HEADWATER_RTMP__LISTEN"?',
        ),
        (
            "HEADWATER_FOO__BAR",
            "1",
            "HEADWATER_FOO__BAR (environment): unknown variable; known variables begin with",
        ),
        ("HEADWATER_PACKAGER__SEGMENT_TARGET", "2 parsec", "HEADWATER_PACKAGER__SEGMENT_TARGET (environment): "),
        ("HEADWATER_TRANSCODER__LADDER", "[{", "HEADWATER_TRANSCODER__LADDER (environment): not a JSON list"),
        (
            "HEADWATER_TRANSCODER__LADDER",
            '[{"height": 480, "bitrate": "1x"}]',
            'HEADWATER_TRANSCODER__LADDER (environment): "1x" has an unknown unit',
        ),
        ("HEADWATER_RTMP", "x", 'HEADWATER_RTMP (environment): is a section with keys of its own, not "x"'),
    ],
)
def test_a_fault_in_the_environment_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, expected: str
) -> None:
    monkeypatch.setenv(name, value)
    assert expected in refusal(None)


@pytest.mark.parametrize(
    "name", ["HEADWATER_PORT", "HEADWATER_SERVICE_HOST", "HEADWATER_TOKEN", "HEADWATER_TEST_S3__X"]
)
def test_variables_of_other_programs_are_ignored(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "tcp://10.0.0.1:8080")
    assert load_config() == Config()


def test_a_fault_on_the_command_line_names_the_key(write: Write) -> None:
    file = write('[rtmp]\nlisten = "0.0.0.0:1935"')
    assert 'rtmp.listen (command line): "x" has no port' in refusal(file, {"rtmp.listen": "x"})


def test_an_unreadable_file_is_reported(tmp_path: Path) -> None:
    assert "none.toml: cannot be read: no such file or directory" in refusal(tmp_path / "none.toml")
    assert "cannot be read: is a directory" in refusal(tmp_path)
    file = tmp_path / "big.toml"
    file.write_bytes(b"#" * (2**20 + 1))
    assert "is larger than 1 MiB" in refusal(file)
    file.write_bytes(b'data = "x"\n# \xff')
    assert "big.toml:2: is not UTF-8" in refusal(file)


@pytest.mark.parametrize("section", ["rtmp", "streams.studio-a"])
def test_an_image_as_slate_needs_a_file(write: Write, section: str) -> None:
    with pytest.raises(ConfigError, match=rf'\.toml: \[{section}\] slate is "image": set \[rtmp\] slate_image'):
        load_config(write(f'[{section}]\nslate = "image"\n'))
    config = load_config(write('[rtmp]\nslate_image = "a.png"\n[streams.b]\nslate = "image"\n'))
    assert config.slate_of("b") is SlateMode.IMAGE


def test_limits_of_recordings_may_be_off(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_config(write('[retention]\nmax_age = "off"\nmax_size = "off"\nmax_count = "off"')) == Config()
    monkeypatch.setenv("HEADWATER_RETENTION__MAX_COUNT", "5")
    monkeypatch.setenv("HEADWATER_CACHE__PURGE_URLS", "http://a:80/,http://b/tv")
    config = load_config(write('[retention]\nmax_age = "30d"\nmax_size = "1GB"'))
    assert (config.retention.max_age, config.retention.max_size, config.retention.max_count) == (
        2_592_000,
        10**9,
        5,
    )
    assert config.cache.purge_urls == ("http://a:80", "http://b/tv")
    monkeypatch.delenv("HEADWATER_CACHE__PURGE_URLS")
    text = refusal(
        write('[retention]\nmax_age = "1s"\nmax_size = -1\n[cache]\npurge_urls = ["b"]\npurge_method = "GET"')
    )
    assert "headwater.toml:2: [retention] max_age: 1s is out of range: from 60s" in text
    assert "headwater.toml:3: [retention] max_size" in text
    assert '[cache] purge_urls[0]: "b" is not a URL' in text
    assert '"GET" is not one of' in text


@pytest.mark.parametrize("value", ["Bearer hidden\n", "hidden\u20ac", "hidden" * 1000])
def test_the_value_of_a_header_of_traces_is_in_no_text(write: Write, value: str) -> None:
    assert "hidden" not in refusal(write(f"[tracing]\nheaders = {{ authorization = {json.dumps(value)} }}"))
    config = load_config(write('[tracing]\nheaders = { authorization = "Bearer hidden" }'))
    assert "hidden" not in repr(config) + str(config.model_dump())
    assert config.tracing.headers["authorization"].get_secret_value() == "Bearer hidden"


def test_the_headers_of_traces_in_the_environment_are_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWATER_TRACING__HEADERS", "authorization=Bearer a=b, x-tenant=one")
    monkeypatch.setenv("HEADWATER_TRACING__ENDPOINT", "")
    tracing = load_config().tracing
    assert {name: value.get_secret_value() for name, value in tracing.headers.items()} == {
        "authorization": "Bearer a=b",
        "x-tenant": "one",
    }
    assert tracing.endpoint is None
