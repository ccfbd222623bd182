"""``serve``: the server itself."""

from pathlib import Path
from typing import Annotated, Any

import typer

from control.config import Address, Config, load_config

ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", envvar="HEADWATER_CONFIG", help="A TOML file.", show_default=False),
]
DataOption = Annotated[
    Path | None, typer.Option("--data", metavar="DIR", help="The data directory.", show_default="data")
]


def _address(value: str | None) -> str | None:
    if value is not None:
        try:
            Address.parse(value)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None
    return value


RtmpOption = Annotated[
    str | None,
    typer.Option(
        "--rtmp",
        metavar="HOST:PORT",
        callback=_address,
        help="Where to listen for broadcasters; port 0 is any free one.",
        show_default="0.0.0.0:1935",
    ),
]
HttpOption = Annotated[
    str | None,
    typer.Option(
        "--http",
        metavar="HOST:PORT",
        callback=_address,
        help="Where to listen for viewers; port 0 is any free one.",
        show_default="0.0.0.0:8080",
    ),
]
StoreOption = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="DIR|s3://BUCKET/PREFIX",
        help="Where the media is kept.",
        show_default="store in the data directory",
    ),
]
EndpointOption = Annotated[
    str | None,
    typer.Option("--s3-endpoint", metavar="URL", help="An S3 server other than AWS.", show_default=False),
]


def serve(
    config: ConfigFile = None,
    data: DataOption = None,
    rtmp: RtmpOption = None,
    http: HttpOption = None,
    store: StoreOption = None,
    s3_endpoint: EndpointOption = None,
    check: bool = typer.Option(False, "--check", help="Only check the configuration, the store and the encoder."),
    json_output: bool = typer.Option(False, "--json", help="Print the ready line as JSON."),
) -> None:
    """Run Headwater: RTMP in, HLS and DASH out."""
    settings = server_config(config, data=data, rtmp=rtmp, http=http, store=store, s3_endpoint=s3_endpoint)
    # Imported late: the other commands start without PyAV and the server's libraries.
    from control import serve as server

    if check:
        server.check(settings)
        print("The configuration is good; the store and the encoder are usable.")
        return
    raise typer.Exit(server.run(settings, json_output=json_output))


def server_config(
    file: Path | None,
    *,
    data: Path | None,
    rtmp: str | None,
    http: str | None,
    store: str | None,
    s3_endpoint: str | None,
) -> Config:
    """Raises ConfigError."""
    overrides: dict[str, Any] = {
        "data": data,
        "rtmp.listen": rtmp,
        "http.listen": http,
        "store.location": store,
        "store.s3_endpoint": s3_endpoint,
    }
    return load_config(file, overrides)
