"""The version of Headwater."""

from importlib import metadata


def version() -> str:
    """The version of the installed distribution, ``0+unknown`` if it is not installed."""
    try:
        return metadata.version("headwater")
    except metadata.PackageNotFoundError:
        return "0+unknown"
