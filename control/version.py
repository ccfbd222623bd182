"""Which Headwater this is."""

from importlib import metadata


def version() -> str:
    """The installed distribution's version, ``0+unknown`` where it runs without being installed."""
    try:
        return metadata.version("headwater")
    except metadata.PackageNotFoundError:
        return "0+unknown"
