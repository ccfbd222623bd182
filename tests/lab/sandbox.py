"""Runs a command under the limits of deploy/headwater.service that the kernel can set for any process:
``python -m tests.lab.sandbox COMMAND``.

These are NoNewPrivileges, MemoryDenyWriteExecute, UMask, LimitCORE, and SystemCallFilter with its error.
"""

import ctypes
import ctypes.util
import errno
import os
import resource
import subprocess
import sys

from tests.lab.service_unit import settings

PR_SET_NO_NEW_PRIVS, PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN = 38, 65, 1
SCMP_ACT_ALLOW, SCMP_ACT_ERRNO = 0x7FFF0000, 0x00050000


def confine() -> None:
    """Raises OSError."""
    service = settings("Service")
    os.umask(int(service["UMask"], 8))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    allowed = system_calls(service["SystemCallFilter"])
    _prctl(PR_SET_NO_NEW_PRIVS, 1)
    _prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN)
    _filter(allowed)


def system_calls(setting: str) -> set[str]:
    """The names that SystemCallFilter allows. execve and a few others are always allowed (systemd.exec(5))."""
    allowed = _group("@default")
    for word in setting.split():
        if word.startswith("~"):
            allowed -= _group(word[1:])
        else:
            allowed |= _group(word)
    return allowed | _group("@default")


def _group(name: str) -> set[str]:
    """The system calls of a group, and of the groups in it."""
    listed = subprocess.run(
        ["systemd-analyze", "syscall-filter", name], capture_output=True, text=True, check=True
    ).stdout
    words = {line.strip() for line in listed.splitlines() if line.startswith(" ") and "#" not in line}
    groups = {word for word in words if word.startswith("@")}
    return (words - groups).union(*map(_group, groups))


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0):
        raise OSError(ctypes.get_errno(), f"prctl({option})")


def _filter(allowed: set[str]) -> None:
    """seccomp(2). Names that this machine's kernel does not know are left out."""
    found = ctypes.util.find_library("seccomp")
    if found is None:
        raise OSError(errno.ENOENT, "libseccomp is not installed")
    seccomp = ctypes.CDLL(found)
    seccomp.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(seccomp.seccomp_init(SCMP_ACT_ERRNO | errno.EPERM))
    for name in sorted(allowed):
        number = seccomp.seccomp_syscall_resolve_name(name.encode())
        if number >= 0 and (failed := seccomp.seccomp_rule_add_array(context, SCMP_ACT_ALLOW, number, 0, None)):
            raise OSError(-failed, f"seccomp_rule_add({name})")
    if failed := seccomp.seccomp_load(context):
        raise OSError(-failed, "seccomp_load")


if __name__ == "__main__":
    confine()
    os.execvp(sys.argv[1], sys.argv[1:])
