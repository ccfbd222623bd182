from bench.machine import machine


def test_the_machine_is_described() -> None:
    found = machine()
    assert {"processor", "system", "Python", "av"} <= found.keys()
    assert all(found.values())
