"""Standard streams that may be closed."""

import os
import sys


def open_standard_streams() -> None:
    """Open the null device in place of each standard stream that is closed.

    Otherwise the next file or connection would get the stream's descriptor, and error messages would go into it.
    """
    for descriptor, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(descriptor)
        except OSError:
            null = os.open(os.devnull, os.O_RDWR)
            if null != descriptor:
                os.dup2(null, descriptor)
                os.close(null)
            # It stays open until the process ends.
            setattr(sys, name, open(descriptor, mode, closefd=False))  # noqa: SIM115
