"""Finding installed programs."""

import shutil

# Debian installs servers into directories that are not on an ordinary user's PATH.
DIRECTORIES = "/usr/local/sbin:/usr/sbin:/usr/local/bin:/usr/bin:/opt/homebrew/bin"


def find_program(name: str) -> str | None:
    """The path of the program ``name``, on PATH or in the usual directories of servers; None if not installed."""
    return shutil.which(name) or shutil.which(name, path=DIRECTORIES)
