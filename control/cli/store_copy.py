"""``store copy``: copies the store into another one."""

import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from control.cli.errors import CliError
from control.cli.options import Json, LoadConfig, with_config
from control.cli.output import print_json, show
from control.cli.text import size
from control.config import Config
from control.owner import act_as_owner
from control.store_options import s3_options
from storage.copying import Copied, StoreCopy
from storage.location import BadLocation, BucketLocation, DirectoryLocation, StoreLocation, parse_location
from storage.open import open_store
from storage.s3_client import S3Options

# Seconds between lines of progress if they do not go to a terminal.
LINE_EVERY_S = 10.0


@with_config
def copy(
    load: LoadConfig,
    to: Annotated[
        str,
        typer.Option("--to", metavar="DIR|s3://BUCKET/PREFIX", help="The place of the copy.", show_default=False),
    ],
    to_s3_endpoint: Annotated[
        str | None,
        typer.Option(
            "--to-s3-endpoint",
            metavar="URL",
            help="The S3 server of the copy; without it, that of [store].",
            show_default=False,
        ),
    ] = None,
    to_s3_region: Annotated[
        str | None,
        typer.Option("--to-s3-region", metavar="REGION", help="Its region.", show_default=False),
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Compare the bytes of what is copied already, not its size alone.")
    ] = False,
    json_output: Json = False,
) -> None:
    """Copy the store into another one, which is empty or an earlier copy. Repeat it to continue or to update."""
    config = load()
    act_as_owner(config.directories)
    try:
        target = parse_location(to)
    except BadLocation as error:
        raise typer.BadParameter(str(error), param_hint="--to") from None
    options = s3_options(config)
    place = S3Options(
        endpoint=to_s3_endpoint or options.endpoint,
        region=to_s3_region or options.region,
        path_style=options.path_style,
    )
    if place.endpoint == options.endpoint:
        _require_apart(config.store_location, target)
    copied = asyncio.run(_copy(config, target, place, full=full, json_output=json_output))
    if json_output:
        answer = {"objects": copied.objects, "bytes": copied.bytes, "present": copied.present, "to": str(target)}
        print_json(answer)
        return
    present = f"; {copied.present} were there already" if copied.present else ""
    show(Text(f"Copied {copied.objects} objects ({size(copied.bytes)}) to {target}{present}."))


async def _copy(
    config: Config, location: StoreLocation, place: S3Options, *, full: bool, json_output: bool
) -> Copied:
    source = open_store(config.store_location, s3_options(config))
    # Each object waits for the disk: a copy is often the only one.
    target = open_store(location, place, fsync=True)
    progress = Progress(time.monotonic, quiet=json_output)
    try:
        return await StoreCopy(source, target, clock=time.time, full=full, on_progress=progress.show).run()
    finally:
        progress.end()
        await source.close()
        await target.close()


class Progress:
    """A line on standard error: one that changes on a terminal, otherwise another one now and then."""

    def __init__(self, clock: Callable[[], float], *, quiet: bool) -> None:
        self._clock = clock
        self._quiet = quiet
        console = Console(stderr=True)
        self._status = console.status("Copying") if console.is_terminal and not quiet else None
        if self._status is not None:
            self._status.start()
        self._next_line = clock() + LINE_EVERY_S

    def show(self, copied: Copied) -> None:
        text = f"{copied.objects} objects, {size(copied.bytes)} copied; {copied.present} were there already"
        if self._status is not None:
            self._status.update(text)
        elif not self._quiet and self._clock() >= self._next_line:
            self._next_line = self._clock() + LINE_EVERY_S
            print(text, file=sys.stderr, flush=True)

    def end(self) -> None:
        if self._status is not None:
            self._status.stop()


def _require_apart(source: StoreLocation, target: StoreLocation) -> None:
    """Raises CliError if one of the places is inside the other."""
    match source, target:
        case DirectoryLocation(one), DirectoryLocation(other):
            together = _nested(one.resolve(), other.resolve())
        case BucketLocation(one_bucket, one_prefix), BucketLocation(other_bucket, other_prefix):
            roots = Path("/", one_prefix), Path("/", other_prefix)
            together = one_bucket == other_bucket and _nested(*roots)
        case _:
            together = False
    if together:
        raise CliError(f"{target} and the store {source} are not apart: choose another place")


def _nested(one: Path, other: Path) -> bool:
    return one.is_relative_to(other) or other.is_relative_to(one)
