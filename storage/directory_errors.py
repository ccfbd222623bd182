"""Translates file system errors to the store's errors, each with a sentence about what to change."""

import errno
from pathlib import Path

from storage.interface import StorageError, StoreMisconfigured, StoreUnavailable

_MISCONFIGURED = {
    errno.EACCES: "permission denied: give the user that runs Headwater read and write access to it",
    errno.EPERM: "not permitted: give the user that runs Headwater read and write access to it",
    errno.EROFS: "the file system is mounted read-only",
    errno.ENOTDIR: "a file is where a directory is needed: move it away",
    errno.EISDIR: "a directory is where a file is needed: move it away",
    errno.EXDEV: "a subdirectory is on another file system: use one file system for the whole store",
    errno.ENOSYS: "its file system lacks a call that the store needs, such as rename: use another file system",
    errno.EOPNOTSUPP: "its file system lacks a call that the store needs, such as rename: use another file system",
    errno.ENAMETOOLONG: "the path is too long for the file system: use a store directory with a shorter path",
}
_UNAVAILABLE = {
    errno.ENOENT: "it does not exist any more: mount its disk, or make the directory",
    errno.ENOTCONN: "the file system is not mounted properly: mount it again",
    errno.ESTALE: "the network file system has changed: mount it again",
    errno.EIO: "the disk fails (input/output error): see the kernel's log",
    errno.EHOSTDOWN: "the server of the network file system does not answer",
    errno.ETIMEDOUT: "the server of the network file system does not answer",
    errno.ENOLCK: "the file system has no locks at the moment: is its lock server running?",
    errno.ENOSPC: "the disk is full: free some space or delete old broadcasts",
    errno.EDQUOT: "the disk quota is used up: raise it or delete old broadcasts",
    errno.EMFILE: "too many open files: raise the process's limit (ulimit -n)",
    errno.ENFILE: "too many open files on this machine",
}


def translated(error: OSError, path: Path) -> StorageError:
    """The store's error for ``error``. ``path`` is for errors that do not name a file."""
    place = error.filename or path
    if error.errno in _MISCONFIGURED:
        return StoreMisconfigured(f"cannot use {place}: {_MISCONFIGURED[error.errno]}")
    reason = _UNAVAILABLE.get(error.errno or 0, error.strerror or str(error))
    return StoreUnavailable(f"cannot use {place}: {reason}")
