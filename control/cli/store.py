"""``store``: the object store: what recordings occupy, lifecycle rules, and copies."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from control.cli.errors import CliError
from control.cli.options import Json, LoadConfig, ServerOptions, with_config, with_server
from control.cli.output import print_json, show
from control.cli.store_copy import copy
from control.cli.tables import usage_table
from control.config import Config
from control.store_options import s3_options
from storage.catalogue import Catalogue
from storage.keeping.recordings import Recordings
from storage.location import BucketLocation

if TYPE_CHECKING:
    from storage.s3 import S3Store

store = typer.Typer(help="What recordings occupy, and rules and copies of the store.", no_args_is_help=True)


@with_server
def usage(options: ServerOptions) -> None:
    """Show what the recordings of each stream occupy, and the room for more."""
    with options.connect() as api:
        answer = api.get("usage")
    if options.json_output:
        print_json(answer)
    else:
        show(usage_table(answer))


@with_config
def lifecycle(
    load: LoadConfig,
    apply: Annotated[bool, typer.Option("--apply", help="Set the rules in the bucket.")] = False,
    expire: Annotated[
        bool,
        typer.Option("--expire", help="With rules that delete media a week after [retention] max_age."),
    ] = False,
    json_output: Json = False,
) -> None:
    """Show the lifecycle rules that suit the configuration, or set them in the bucket."""
    asyncio.run(_lifecycle(load(), apply=apply, expire=expire, json_output=json_output))


async def _lifecycle(config: Config, *, apply: bool, expire: bool, json_output: bool) -> None:
    location = config.store_location
    if not isinstance(location, BucketLocation):
        raise CliError(
            f"{location} is a directory, which has no lifecycle rules: [retention] deletes recordings without them"
        )
    if expire and config.retention.max_age is None:
        raise CliError("--expire needs a [retention] max_age in the configuration")
    # Imported late: other commands do not need boto3.
    from storage.s3 import S3Store

    bucket = S3Store(location.bucket, location.prefix, s3_options(config))
    try:
        if expire:
            await _require_nothing_kept(bucket)
        found = await bucket.lifecycle(config.retention.max_age if expire else None, apply=apply)
    finally:
        await bucket.close()
    if json_output:
        print_json({"rules": list(found.rules), "missing": list(found.missing), "others": found.others})
        return
    if not found.missing:
        state = "The bucket has these rules"
    elif apply:
        state = f"This S3 server refuses: {'; '.join(found.missing)}. The bucket has the other rules"
    else:
        state = "The bucket lacks some of these rules (--apply)"
    others = f", and {found.others} that Headwater did not set" if found.others else ""
    show(*(Text(rule) for rule in found.rules), Text(f"{state}{others}.", style="dim"))


async def _require_nothing_kept(bucket: "S3Store") -> None:
    """A rule knows neither kept recordings nor the retention of a stream. Raises CliError."""
    catalogue = Catalogue(bucket)
    own = [record.stream for record in await catalogue.list_streams() if record.settings.retention is not None]
    kept = [recording.broadcast for recording in await Recordings(bucket).refresh() if recording.kept]
    await catalogue.close()
    if own or kept:
        names = ", ".join([*own, *kept][:5])
        raise CliError(
            f"rules that expire media would also delete kept recordings and those of streams with a retention of "
            f"their own ({names}): use [retention] without --expire, or release them"
        )


store.command("usage")(usage)
store.command("lifecycle")(lifecycle)
store.command("copy")(copy)
