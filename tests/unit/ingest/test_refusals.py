from ingest.refusals import MAX_REMEMBERED, Refusal, RefusalMemory


def test_refusal_is_remembered_per_publisher_until_it_expires() -> None:
    memory = RefusalMemory(5.0)
    memory.remember("203.0.113.7", "key", Refusal("unsupported-codec", "no HEVC"), 100.0)
    assert memory.recall("203.0.113.7", "key", 104.9) == ("unsupported-codec", "no HEVC")
    assert memory.recall("203.0.113.7", "key", 105.0) is None
    assert memory.recall("203.0.113.8", "key", 101.0) is None
    assert memory.recall("203.0.113.7", "other", 101.0) is None


def test_memory_has_a_limit_and_drops_the_oldest() -> None:
    memory = RefusalMemory(5.0)
    for number in range(MAX_REMEMBERED + 1):
        memory.remember("203.0.113.7", f"key{number}", Refusal("c", "no"), 100.0)
    assert memory.recall("203.0.113.7", "key0", 101.0) is None
    assert memory.recall("203.0.113.7", "key1", 101.0) == ("c", "no")
    assert memory.recall("203.0.113.7", f"key{MAX_REMEMBERED}", 101.0) == ("c", "no")


def test_keys_are_not_stored() -> None:
    memory = RefusalMemory(5.0)
    memory.remember("203.0.113.7", "s3cret", Refusal("c", "no"), 100.0)
    assert "s3cret" not in repr(vars(memory))
