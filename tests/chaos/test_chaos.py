"""The short form of `make chaos`: a few faults on two streams, without browsers."""

from pathlib import Path

from tests.chaos.faults.catalogue import FAULTS
from tests.chaos.run import Plan, limits_missed, run

FEW = ("blip", "takeover", "kill-transcoder", "store-stops", "kill-server")
SEED = 7
# The machines of CI are busy with other tests.
PATIENCE = 2.0
DOWN_S = 3.0


async def test_viewers_and_recordings_survive_faults(tmp_path: Path) -> None:
    plan = Plan(SEED, 0, 2, pages=False, only=FEW, stalls_limited=False)
    outcome = await run(plan, tmp_path, once=True, verbose=False)
    assert sorted(blow.fault for blow in outcome.blows) == sorted(FEW)
    assert outcome.failures == []
    assert list(limits_missed(outcome.blows, PATIENCE)) == []
    assert all(down_s < PATIENCE * DOWN_S for down_s in outcome.down_s)
    assert outcome.recordings == 2
    assert outcome.late is not None
    assert outcome.late.children == 0
    assert outcome.compared > 0


def test_each_fault_has_a_description() -> None:
    assert all(fault.about.endswith(".") for fault in FAULTS.values())
