"""Reads the address that a publisher was given: the app of its connect command and the name of its publish command.

Encoders divide ``rtmp://host/live/KEY`` differently: some send the key as the last part of the app, some the app as
the first part of the name. Slashes, a query, spaces and percent-encoding do not change the meaning: a stream key
contains none of their characters.
"""

from urllib.parse import unquote

from ingest.errors import PublishRefused

WRONG_APP = "The server's address must end in /{app}; in OBS: Settings, Stream, Server"
NO_KEY = "The stream key is missing; in OBS: Settings, Stream, Stream Key"
LONG_KEY = "The stream key is too long to be valid; in OBS: Settings, Stream, Stream Key"
EXTRA_PARTS = "After /{app}, the address must have the stream key only; in OBS: Settings, Stream, Server"
# The name of an app's only instance in Flash Media Server, which some encoders append.
DEFAULT_INSTANCE = "_definst_"


class AddressRefused(PublishRefused):
    """The address is not that of a stream. ``code`` is the reason's."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.reason = code


def stream_key(app: str, name: str, *, expected_app: str, max_length: int) -> str:
    """The stream key in the address of ``app`` and ``name``. Raises AddressRefused."""
    first, *rest = [*_parts(app), *_parts(name)] or [""]
    if first != expected_app:
        raise AddressRefused("wrong-app", WRONG_APP.format(app=expected_app))
    if rest[:1] == [DEFAULT_INSTANCE]:
        del rest[0]
    if not rest:
        raise AddressRefused("no-key", NO_KEY)
    if len(rest) > 1:
        raise AddressRefused("extra-parts", EXTRA_PARTS.format(app=expected_app))
    if len(rest[0]) > max_length:
        raise AddressRefused("key-too-long", LONG_KEY)
    return rest[0]


def _parts(path: str) -> list[str]:
    """The parts between slashes, without the query, decoded. Empty parts are left out."""
    return [part for part in map(str.strip, unquote(path.split("?")[0]).split("/")) if part]
