from pathlib import Path

import pytest

from tests.lab.processes import TICKS, Cpu, Memory, cpu, descendants, memory, sample, tree, written

ROLLUP = """\
55d0c8a5b000-7ffd0b5fe000 ---p 00000000 00:00 0                          [rollup]
Rss:               20480 kB
Pss:               10240 kB
Pss_Dirty:          8192 kB
Shared_Clean:       9000 kB
Private_Clean:      1024 kB
Private_Dirty:      8192 kB
"""


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """Process 1 has started 2 and, from another thread, 3; 3 has started 4. Process 5 is unrelated."""
    for pid, threads in {1: {1: "2", 11: "3 "}, 2: {2: ""}, 3: {3: "4"}, 4: {}, 5: {5: ""}}.items():
        for thread, children in threads.items():
            task = tmp_path / str(pid) / "task" / str(thread)
            task.mkdir(parents=True)
            (task / "children").write_text(children)
        if threads:
            stat = f"{pid} (a) b (c) S 0 {pid} {pid} 0 -1 4194560 9 9 9 9 {10 * pid} {pid} 200 100 20 0 1 0"
            (tmp_path / str(pid) / "stat").write_text(stat)
            (tmp_path / str(pid) / "smaps_rollup").write_text(ROLLUP)
            (tmp_path / str(pid) / "io").write_text("rchar: 7\nwchar: 1000\nsyscr: 2\nwrite_bytes: 4096\n")
    return tmp_path


def test_a_tree_contains_the_children_of_all_threads(proc: Path) -> None:
    assert sorted(descendants(1, proc)) == [2, 3, 4]
    assert sorted(tree(3, proc)) == [3, 4]
    assert tree(9, proc) == (9,)


def test_cpu_includes_children_that_were_waited_for(proc: Path) -> None:
    found = cpu(tree(1, proc), proc)
    # Process 4 has ended: it does not count.
    assert (found.user, found.system) == pytest.approx(((60 + 600) / TICKS, (6 + 300) / TICKS))
    assert found.total == pytest.approx(966 / TICKS)
    assert found - found == Cpu()


def test_memory_is_the_proportional_set_size(proc: Path) -> None:
    assert memory((1, 2, 4), proc) == Memory(pss=2 * 10240 * 1024, private=2 * 9216 * 1024)


def test_written_bytes_are_counted(proc: Path) -> None:
    assert written((1, 2, 4), proc) == 2000


def test_an_ended_process_does_not_count() -> None:
    assert sample({"gone": (2**22 + 1,)}) == {"gone": 0.0}
