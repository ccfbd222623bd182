"""An attack on the viewers behind a cache."""

from tests.attack.target import Target, ask, repeat


async def poisoned_cache(target: Target, seconds: float) -> None:
    """Requests that a careless cache stores under the names of the stream's playlists and segments."""
    spellings = [spelling for path in target.paths for spelling in _spellings(path)]
    await repeat(seconds, 4, lambda number: ask(target, number, spellings[number % len(spellings)]))


def _spellings(path: str) -> list[str]:
    """Paths that normalize to ``path``, and queries that a cache may leave out of its key."""
    folder, _, name = path.rpartition("/")
    first = name[0]
    return [
        f"{folder}/./{name}",
        f"{folder}//{name}",
        f"{folder}/x/../{name}",
        f"{folder}/%{ord(first):02x}{name[1:]}",
        f"{path}?%5FHLS_msn=1",
        f"{path}?_HLS_msn=1&_HLS_msn=2",
        f"{path}?x=1",
        f"{path}%00",
        f"{path}/",
    ]
