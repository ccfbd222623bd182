"""Options that several commands share. Decorators add them to the commands."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Concatenate, ParamSpec

import typer

from control.cli.client import ApiClient
from control.cli.completion import complete_stream
from control.cli.target import find_target
from control.config import Address, Config, load_config
from media.quantities import Duration

if TYPE_CHECKING:
    import httpx

P = ParamSpec("P")
Command = Callable[..., None]
LoadConfig = Callable[[], Config]

NewStreamArgument = Annotated[str, typer.Argument(metavar="STREAM", help="The stream's name, such as studio-a.")]
StreamArgument = Annotated[
    str, typer.Argument(metavar="STREAM", help="The stream's name.", autocompletion=complete_stream)
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Data = Annotated[Path, typer.Option("--data", metavar="DIR", envvar="HEADWATER_DATA", help="The data directory.")]
DEFAULT_DATA = Path("data")


def seconds(text: str, option: str, *, at_least: float = 0) -> float:
    """The duration ``text`` of ``option``, such as ``90``, ``30m`` or ``2h``."""
    try:
        return Duration(at_least=at_least).parse(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None


def _address_or_off(value: str | None) -> str | None:
    return value if value == "off" else _address(value)


def _address(value: str | None) -> str | None:
    if value is not None:
        try:
            Address.parse(value)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None
    return value


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """The server that a command talks to, and the form of its output. Tests replace the ``transport``."""

    json_output: bool
    server: str | None
    token: str | None = field(repr=False)
    data: Path
    transport: "httpx.BaseTransport | None"

    def connect(self) -> ApiClient:
        """Raises CliError."""
        return ApiClient(find_target(self.server, self.token, self.data), self.transport)


def _server_options(
    context: typer.Context,
    json_output: Json = False,
    server: Annotated[
        str | None,
        typer.Option(
            "--server",
            metavar="URL",
            envvar="HEADWATER_SERVER",
            help="The server to talk to; without it, the one that runs on the data directory.",
            show_default=False,
        ),
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(
            "--token",
            metavar="TOKEN",
            envvar="HEADWATER_TOKEN",
            help="The REST API's token; better in HEADWATER_TOKEN, since others may see command lines.",
            show_default=False,
        ),
    ] = None,
    data: Data = DEFAULT_DATA,
) -> ServerOptions:
    return ServerOptions(json_output, server, token, data, transport=context.obj)


def _config_options(
    config: Annotated[
        Path | None,
        typer.Option(
            "--config", metavar="FILE", envvar="HEADWATER_CONFIG", help="A TOML file.", show_default=False
        ),
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="The data directory.", show_default="data")
    ] = None,
    rtmp: Annotated[
        str | None,
        typer.Option(
            "--rtmp",
            metavar="HOST:PORT|off",
            callback=_address_or_off,
            help="Where to listen for broadcasters; port 0 is any free one. RTMPS has a section of its own.",
            show_default="0.0.0.0:1935",
        ),
    ] = None,
    http: Annotated[
        str | None,
        typer.Option(
            "--http",
            metavar="HOST:PORT",
            callback=_address,
            help="Where to listen for viewers; port 0 is any free one.",
            show_default="0.0.0.0:8080",
        ),
    ] = None,
    store: Annotated[
        str | None,
        typer.Option(
            "--store",
            metavar="DIR|s3://BUCKET/PREFIX",
            help="Where the media is kept.",
            show_default="store in the data directory",
        ),
    ] = None,
    s3_endpoint: Annotated[
        str | None,
        typer.Option("--s3-endpoint", metavar="URL", help="An S3 server other than AWS.", show_default=False),
    ] = None,
) -> LoadConfig:
    overrides: dict[str, Any] = {
        "data": data,
        "rtmp.listen": rtmp,
        "http.listen": http,
        "store.location": store,
        "store.s3_endpoint": s3_endpoint,
    }
    return lambda: load_config(config, overrides)


def with_server(command: Callable[Concatenate[ServerOptions, P], None]) -> Command:
    """A command whose first parameter comes from ``--json``, ``--server``, ``--token`` and ``--data``."""
    return _with_options(command, _server_options, [*_parameters(command)[1:], *_parameters(_server_options)])


def with_config(command: Callable[Concatenate[LoadConfig, P], None]) -> Command:
    """A command whose first parameter loads the configuration that its options select. It raises ConfigError."""
    return _with_options(command, _config_options, [*_parameters(_config_options), *_parameters(command)[1:]])


def _with_options(command: Command, shared: Callable[..., object], parameters: list[inspect.Parameter]) -> Command:
    """``command`` with the options of ``shared``, whose result becomes its first argument. ``parameters`` are all
    options and arguments, in the order of the help."""
    names = [parameter.name for parameter in _parameters(shared)]

    @functools.wraps(command)
    def run(**values: Any) -> None:
        first = shared(**{name: values.pop(name) for name in names})
        command(first, **values)

    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def _parameters(function: Callable[..., object]) -> list[inspect.Parameter]:
    """The function's parameters, as keyword-only ones, so that those with a default may precede those without."""
    parameters = inspect.signature(function).parameters.values()
    return [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in parameters]
