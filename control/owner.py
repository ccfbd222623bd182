"""Keeps root's files out of directories of another user: the server runs as that user, and could not use them."""

import os
import pwd
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import structlog

log = structlog.get_logger("data")

ROOT = 0


@dataclass(frozen=True, slots=True)
class Owner:
    """The user that ``directory`` belongs to."""

    directory: Path
    uid: int
    gid: int

    @property
    def name(self) -> str:
        entry = self._entry()
        return entry.pw_name if entry is not None else str(self.uid)

    def become(self) -> None:
        """Go on as this user for the rest of the process, with its groups and its home directory."""
        entry = self._entry()
        os.setgroups(os.getgrouplist(entry.pw_name, self.gid) if entry is not None else [self.gid])
        os.setgid(self.gid)
        os.setuid(self.uid)
        if entry is not None:
            os.environ["HOME"] = entry.pw_dir

    def _entry(self) -> pwd.struct_passwd | None:
        try:
            return pwd.getpwuid(self.uid)
        except KeyError:
            return None


def other_owner(directories: Iterable[Path]) -> Owner | None:
    """If root runs this process: the owner of the first of ``directories`` that exists and is not root's."""
    if os.geteuid() != ROOT:
        return None
    for directory in directories:
        try:
            found = directory.stat()
        except OSError:
            continue
        if found.st_uid != ROOT:
            return Owner(directory, found.st_uid, found.st_gid)
    return None


def act_as_owner(directories: Iterable[Path]) -> None:
    """For a command that root runs and that opens ``directories``: go on as their owner."""
    owner = other_owner(directories)
    if owner is not None:
        owner.become()


def warn_of_root(directories: Iterable[Path]) -> None:
    """For the server: its way in may need root's rights, so it goes on as root."""
    owner = other_owner(directories)
    if owner is not None:
        log.warning(
            "root runs the server in a directory of another user, who cannot use the files that it creates; "
            f"run it as {owner.name}",
            directory=str(owner.directory),
        )
