"""Keys and a time that the tests of this package share."""

from hypothesis import strategies as st

from origin.playback import PlaybackKeys, derive_keys

KEYS = derive_keys(bytes(range(32)))
OTHERS = derive_keys(bytes(range(1, 33)))
NOW = 1_795_257_665.0

streams = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)


def swapped(keys: PlaybackKeys) -> PlaybackKeys:
    return PlaybackKeys(viewer=keys.path, path=keys.viewer)
