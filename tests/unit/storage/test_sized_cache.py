import pytest

from storage.sized_cache import SizedCache


def filled(*sizes: int, max_bytes: int = 100, max_values: int | None = None) -> SizedCache[int, str]:
    cache: SizedCache[int, str] = SizedCache(max_bytes, max_values=max_values)
    for key, size in enumerate(sizes):
        cache.put(key, f"value {key}", size)
    return cache


@pytest.mark.parametrize(
    ("cache", "kept", "size"),
    [
        (filled(40, 40), [0, 1], 80),
        (filled(40, 40, 40), [1, 2], 80),
        (filled(10, 10, 90), [2, 1], 100),
        (filled(10, 101), [0], 10),
        (filled(10, 10, 10, max_values=2), [1, 2], 20),
    ],
)
def test_the_cache_is_bounded_by_bytes_and_values(cache: SizedCache[int, str], kept: list[int], size: int) -> None:
    assert [key for key in range(5) if cache.get(key) is not None] == sorted(kept)
    assert (len(cache), cache.bytes) == (len(kept), size)


def test_recently_used_values_are_kept() -> None:
    cache = filled(40, 40)
    assert cache.get(0) == "value 0"
    cache.put(2, "value 2", 40)
    assert (cache.get(0), cache.get(1)) == ("value 0", None)


def test_a_value_is_replaced_and_dropped() -> None:
    cache = filled(40, 40)
    cache.put(0, "another", 10)
    assert (cache.get(0), cache.bytes) == ("another", 50)
    cache.put(0, "too large", 101)
    assert (cache.get(0), cache.bytes) == (None, 40)
    cache.drop(1)
    cache.drop(1)
    assert (len(cache), cache.bytes) == (0, 0)
