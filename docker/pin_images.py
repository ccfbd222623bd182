"""Pins every image that docker/ names with a tag by the digest that the tag has now: `make images`.

Needs docker with buildx, and a registry. A tag can move to another image, a digest cannot.
"""

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

FILES = ("Dockerfile", "nginx.Dockerfile", "compose.yaml")
# A FROM line or an `image:` key. Images without a tag are built here.
IMAGE = re.compile(
    r"^(?P<before>FROM |\s+image: )(?P<name>[\w./-]+:[\w.-]+)(?:@sha256:[0-9a-f]{64})?", re.MULTILINE
)
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@cache
def digest(name: str) -> str:
    """The digest of the index of all platforms. Raises SystemExit."""
    command = ["docker", "buildx", "imagetools", "inspect", name, "--format", "{{.Manifest.Digest}}"]
    try:
        asked = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        sys.exit("docker is not installed; run this on a machine that has it and reaches the registries")
    found = asked.stdout.strip()
    if asked.returncode or not DIGEST.fullmatch(found):
        sys.exit(f"docker cannot look up {name}: {asked.stderr.strip() or found}")
    return found


def pinned(text: str) -> str:
    return IMAGE.sub(lambda match: f"{match['before']}{match['name']}@{digest(match['name'])}", text)


def main() -> None:
    directory = Path(__file__).parent
    texts = {name: pinned((directory / name).read_text()) for name in FILES}
    for name, text in texts.items():
        (directory / name).write_text(text)


if __name__ == "__main__":
    main()
