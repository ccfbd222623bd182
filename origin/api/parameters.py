"""Parameters in the paths of the API. Their patterns are for clients: the catalogue checks the names itself."""

from typing import Annotated

from fastapi import Path

from media.promises import BROADCAST, STREAM
from origin.playback.paths import TOKEN

PathToken = Annotated[
    str,
    Path(
        description="a token of this origin's redirects",
        examples=["1795284000-tUfQ2mR0b7Yx4kV9cLwHsA"],
        json_schema_extra={"pattern": f"^{TOKEN.pattern}$"},
    ),
]
TokenName = Annotated[str, Path(description="the token's name", examples=["backup"], json_schema_extra=STREAM)]
KeyName = Annotated[str, Path(description="the key's name", examples=["guest"], json_schema_extra=STREAM)]
BroadcastId = Annotated[
    str,
    Path(description="the broadcast's id", examples=["20261121t104105z-ab12cd"], json_schema_extra=BROADCAST),
]
StreamName = Annotated[str, Path(description="the stream's name", examples=["studio-a"], json_schema_extra=STREAM)]
