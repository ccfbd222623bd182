"""The images: their versions, and how they are pinned by digest."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

DOCKER = Path(__file__).parents[3] / "docker"
FILES = ("Dockerfile", "nginx.Dockerfile", "compose.yaml")
DIGESTS = {"python": "a" * 64, "node": "b" * 64}
NAMED = re.compile(r"^(?:FROM|\s+image:) (\S+)", re.MULTILINE)
FULL_VERSION = re.compile(r":(\d+\.\d+\.\d+|bookworm-\d{8}|RELEASE\.[\d-]+T[\d-]+Z)")
FAKE_DOCKER = """#!/bin/sh
[ "$1 $2 $3 $5 $6" = "buildx imagetools inspect --format {{.Manifest.Digest}}" ] || exit 1
case $4 in
python:*) echo sha256:%s ;;
node:*) echo sha256:%s ;;
*) echo "no such image" >&2; exit 1 ;;
esac
"""


@pytest.mark.parametrize("file", FILES)
def test_images_have_full_versions(file: str) -> None:
    images = [image for image in NAMED.findall((DOCKER / file).read_text()) if ":" in image]
    assert images
    for image in images:
        assert FULL_VERSION.search(image), image


@pytest.mark.parametrize(("file", "user"), [("Dockerfile", "headwater"), ("nginx.Dockerfile", "www-data")])
def test_no_image_runs_as_root(file: str, user: str) -> None:
    last_stage = (DOCKER / file).read_text().rpartition("\nFROM ")[2]
    assert re.findall(r"^USER (.*)$", last_stage, re.MULTILINE) == [user]


def test_health_checks_start_no_python() -> None:
    for file in ("Dockerfile", "nginx.Dockerfile"):
        found = re.search(r"^HEALTHCHECK (?:.*\\\n)?.*$", (DOCKER / file).read_text(), re.MULTILINE)
        assert found is not None and "python" not in found[0]
    assert (DOCKER / "healthcheck.bash").stat().st_mode & 0o111


def test_everything_that_the_dockerfile_copies_is_in_its_context() -> None:
    text = (DOCKER / "Dockerfile").read_text()
    context = {line[1:] for line in (DOCKER / "Dockerfile.dockerignore").read_text().splitlines() if line[0] == "!"}
    copied = {
        source for line in re.findall(r"^COPY (?!--from)(.*)$", text, re.MULTILINE) for source in line.split()[:-1]
    }
    assert copied == context
    assert all((DOCKER.parent / source).exists() for source in copied)


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the tool, beside files that name two images, with a docker that knows their digests."""
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text(FAKE_DOCKER % tuple(DIGESTS.values()))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    (tmp_path / "Dockerfile").write_text("FROM python:3.13.1-slim AS build\nFROM node:22.1.0\n")
    (tmp_path / "nginx.Dockerfile").write_text(f"FROM node:22.1.0@sha256:{'0' * 64} AS web\n")
    (tmp_path / "compose.yaml").write_text("services:\n  a:\n    image: python:3.13.1-slim\n  b:\n    image: own\n")
    return Path(shutil.copy(DOCKER / "pin_images.py", tmp_path))


def pin(tool: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, str(tool)], capture_output=True, text=True, check=False)


def test_make_images_pins_each_image_by_its_present_digest(tool: Path) -> None:
    python = f"python:3.13.1-slim@sha256:{DIGESTS['python']}"
    node = f"node:22.1.0@sha256:{DIGESTS['node']}"
    for _ in range(2):
        assert pin(tool).returncode == 0
        assert (tool.parent / "Dockerfile").read_text() == (f"FROM {python} AS build\nFROM {node}\n")
        assert (tool.parent / "nginx.Dockerfile").read_text() == f"FROM {node} AS web\n"
        assert (tool.parent / "compose.yaml").read_text() == (
            f"services:\n  a:\n    image: {python}\n  b:\n    image: own\n"
        )


def test_an_unknown_image_changes_no_file(tool: Path) -> None:
    text = "FROM debian:1.2.3\n"
    (tool.parent / "nginx.Dockerfile").write_text(text)
    before = {file: (tool.parent / file).read_text() for file in FILES}
    failed = pin(tool)
    assert failed.returncode == 1
    assert "docker cannot look up debian:1.2.3: no such image" in failed.stderr
    assert {file: (tool.parent / file).read_text() for file in FILES} == before


def test_every_image_of_the_real_files_is_found() -> None:
    spec = importlib.util.spec_from_file_location("pin_images", DOCKER / "pin_images.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for file in FILES:
        text = (DOCKER / file).read_text()
        named = [image.partition("@")[0] for image in NAMED.findall(text) if ":" in image]
        assert [match["name"] for match in module.IMAGE.finditer(text)] == named
