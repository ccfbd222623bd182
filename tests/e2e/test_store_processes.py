"""Several processes with one directory: conditional writes work between them, and a killed process leaves no
partial object."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from storage import ObjectNotFound
from storage.directory import DirectoryStore

ROOT = Path(__file__).parents[2]

COUNT = """
import asyncio, sys
from pathlib import Path
from storage import PreconditionFailed
from storage.directory import DirectoryStore

async def main():
    store, done = DirectoryStore(Path(sys.argv[1]), fsync=False), 0
    print("ready", flush=True)
    sys.stdin.readline()
    while done < 50:
        found = await store.get("counter")
        try:
            body = b"%d" % (int(found.body) + 1)
            await store.put("counter", body, if_match=found.info.etag)
            done += 1
        except PreconditionFailed:
            pass

asyncio.run(main())
"""

WRITE = """
import asyncio, sys
from pathlib import Path
from storage.directory import DirectoryStore

async def main():
    store = DirectoryStore(Path(sys.argv[1]), fsync=False)
    for number in range(1_000_000):
        await store.put(f"live/{number % 7}.m4s", b"%d" % (number % 10) * (1 << 20))
        if number == 20:
            print("ready", flush=True)

asyncio.run(main())
"""


def run(program: str, directory: Path) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(directory)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


async def test_concurrent_counting_in_several_processes_loses_nothing(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path, fsync=False)
    await store.put("counter", b"0")
    processes = [run(COUNT, tmp_path) for _ in range(3)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        process.stdin.flush()
    for process in processes:
        await asyncio.to_thread(process.communicate)
        assert process.returncode == 0
    assert (await store.get("counter")).body == b"150"
    await store.close()


async def test_a_process_killed_while_writing_leaves_only_complete_objects(tmp_path: Path) -> None:
    process = run(WRITE, tmp_path)
    process.kill()
    await asyncio.to_thread(process.communicate)
    store = DirectoryStore(tmp_path, fsync=False)
    keys = [found.key async for found in store.list("")]
    assert keys
    for key in keys:
        found = await store.get(key)
        assert len(found.body) == 1 << 20 == found.info.size
        assert found.body == found.body[:1] * (1 << 20)
    # The locks of the killed process are free again.
    await store.put(keys[0], b"mine")
    await store.delete(keys[0])
    with pytest.raises(ObjectNotFound):
        await store.get(keys[0])
    await store.close()
