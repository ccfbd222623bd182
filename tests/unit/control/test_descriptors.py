"""The division of the file descriptors."""

import resource
import subprocess
import sys

import pytest

from control.descriptors import PER_PUBLISHER, RESERVED, Connections, share

WANTED = Connections(http=10_000, publishers=1000, pending=256)


@pytest.mark.parametrize("descriptors", [256, 512, 1024, 4096, 20_000, 1 << 20])
def test_sockets_leave_descriptors_for_the_store(descriptors: int) -> None:
    shared = share(descriptors, WANTED)
    assert shared.http + shared.pending + shared.publishers * PER_PUBLISHER + RESERVED <= descriptors
    assert min(shared.http, shared.pending, shared.publishers) >= 1


def test_everything_is_granted_if_there_are_enough() -> None:
    assert share(1 << 16, WANTED) == WANTED


def test_a_tiny_limit_still_allows_one_of_each() -> None:
    assert share(10, WANTED) == Connections(http=1, publishers=1, pending=1)


def test_the_soft_limit_is_raised_to_the_hard_limit() -> None:
    hard = min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], 4096)
    program = f"""
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (256, {hard}))
from control.descriptors import raise_descriptor_limit
assert raise_descriptor_limit() == {hard}
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(hard)
