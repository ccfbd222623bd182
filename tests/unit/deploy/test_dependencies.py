"""What is installed where: PyAV's versions, and the packages of the demo."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
OF_THE_DEMO = {"ffmpeg-python", "imageio-ffmpeg", "future"}
OF_TRACES = {"opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http", "protobuf", "requests"}
LOCKS = ("requirements.lock", "requirements-demo.lock", "requirements-dev.lock", "requirements-bench.lock")


def packages(lock: str) -> dict[str, str]:
    """Each package with its version and marker."""
    pinned = re.findall(r"^([\w.-]+)==(.+?) \\$", (ROOT / lock).read_text(), re.MULTILINE)
    return {f"{name}=={version}": name for name, version in pinned}


@pytest.mark.parametrize("lock", LOCKS)
def test_each_supported_python_gets_one_end_of_the_range_of_pyav(lock: str) -> None:
    assert "av>=18,<20" in PROJECT["dependencies"]
    found = [line.removeprefix("av==") for line, name in packages(lock).items() if name == "av"]
    assert [re.sub(r"\.[\d.]+ ;", " ;", each) for each in found] == [
        "18 ; python_full_version < '3.12'",
        "19 ; python_full_version >= '3.12'",
    ]


def test_the_demos_packages_are_an_extra() -> None:
    assert not OF_THE_DEMO & set(packages("requirements.lock").values())
    for lock in LOCKS[1:]:
        assert set(packages(lock).values()) >= OF_THE_DEMO
    assert any(each.startswith("ffmpeg-python") for each in PROJECT["optional-dependencies"]["demo"])


def test_the_packages_of_traces_are_an_extra_that_the_image_has() -> None:
    assert not OF_TRACES & set(packages("requirements.lock").values())
    with_traces = packages("requirements-tracing.lock")
    assert set(with_traces.values()) >= OF_TRACES and with_traces.keys() >= packages("requirements.lock").keys()
    assert set(packages("requirements-dev.lock").values()) >= OF_TRACES
    assert "-r requirements-tracing.lock" in (ROOT / "docker" / "Dockerfile").read_text()
    assert "!requirements-tracing.lock" in (ROOT / "docker" / "Dockerfile.dockerignore").read_text()


def test_the_image_ships_the_newest_pyav() -> None:
    text = (ROOT / "docker" / "Dockerfile").read_text()
    versions = {tuple(map(int, found)) for found in re.findall(r"^FROM python:(\d+)\.(\d+)\.", text, re.MULTILINE)}
    assert len(versions) == 1
    assert versions.pop() >= (3, 12)
    assert "install --require-hashes -r requirements.lock" in text
    assert not any(package in text for package in OF_THE_DEMO)
