"""The settings of deploy/headwater.service (systemd.syntax(7))."""

from pathlib import Path

UNIT = Path(__file__).parents[2] / "deploy" / "headwater.service"


def settings(section: str) -> dict[str, str]:
    """The values of a setting that is given several times are joined by spaces."""
    found: dict[str, str] = {}
    current = ""
    for line in UNIT.read_text().splitlines():
        if line.startswith("["):
            current = line.strip("[]")
        elif current == section and line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found[key] = f"{found[key]} {value}" if key in found else value
    return found
