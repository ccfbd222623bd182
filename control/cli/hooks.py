"""``hooks``: webhooks, which send what happens on the server to other programs."""

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from control.cli.completion import complete_stream
from control.cli.errors import CliError
from control.cli.layout import columns, facts
from control.cli.options import ServerOptions, with_server
from control.cli.output import print_done, print_json, show
from control.cli.text import JsonObject, clean, moment
from storage.hooks.event_types import HookEvent

HookArgument = Annotated[str, typer.Argument(metavar="ID", help="The hook's id, as in `headwater hooks list`.")]

hooks = typer.Typer(help="Send what happens to other programs (webhooks).", no_args_is_help=True)


@with_server
def add_hook(
    options: ServerOptions,
    url: Annotated[str, typer.Argument(metavar="URL", help="Where to send: https://example.org/headwater.")],
    event: Annotated[
        list[HookEvent] | None,
        typer.Option("--event", metavar="TYPE", help="Only this type, such as stream.live; may be repeated."),
    ] = None,
    stream: Annotated[
        list[str] | None,
        typer.Option(
            "--stream",
            metavar="STREAM",
            help="Only events of this stream; may be repeated.",
            autocompletion=complete_stream,
        ),
    ] = None,
) -> None:
    """Add a hook and print its secret, which is shown only once."""
    body = {"url": url, "events": [each.value for each in event or ()], "streams": stream or []}
    with options.connect() as api:
        added = api.post("hooks", body=body)
    _show_secret(options, added)


@with_server
def list_hooks(options: ServerOptions) -> None:
    """List all hooks, without their secrets."""
    with options.connect() as api:
        found = api.get("hooks")
    if options.json_output:
        print_json(found)
        return
    if not found:
        show(Text("No hook yet: `headwater hooks add URL` makes one."))
        return
    table = columns("ID", "URL", "EVENTS", "STREAMS", "WAITING", "DEAD", "STATE")
    for hook in found:
        reason = hook["disabled_reason"]
        table.add_row(
            Text(clean(hook["id"])),
            Text(clean(hook["url"])),
            Text(clean(", ".join(hook["events"]) or "all")),
            Text(clean(", ".join(hook["streams"]) or "all")),
            str(hook["pending"]),
            str(hook["dead"]),
            Text("enabled" if reason is None else clean(f"disabled: {reason}")),
        )
    show(table)


@with_server
def remove_hook(options: ServerOptions, hook: HookArgument) -> None:
    """Remove a hook and its messages."""
    with options.connect() as api:
        api.delete("hooks", hook)
    print_done({"id": hook, "removed": True}, f"The hook {hook} is removed.", json_output=options.json_output)


@with_server
def enable_hook(options: ServerOptions, hook: HookArgument) -> None:
    """Enable a hook that was disabled, because its target answered 410 Gone."""
    with options.connect() as api:
        answer = api.patch("hooks", hook, body={"enabled": True})
    print_done(answer, f"The hook {hook} is enabled.", json_output=options.json_output)


@with_server
def rotate_secret(options: ServerOptions, hook: HookArgument) -> None:
    """Give a hook a new secret; the old one signs too for a day."""
    with options.connect() as api:
        answer = api.post("hooks", hook, "rotate-secret")
    _show_secret(options, answer)


@with_server
def test_hook(options: ServerOptions, hook: HookArgument) -> None:
    """Send a test event, and print how the target answered."""
    with options.connect() as api:
        attempt = api.post("hooks", hook, "test")
    if options.json_output:
        print_json(attempt)
    took = f"{attempt['duration_s']:.2f} s"
    if attempt["outcome"] != "delivered":
        raise CliError(f"the test was not delivered: {clean(attempt['error'])} (after {took})")
    if not options.json_output:
        show(Text(f"The target took the test: it answered {attempt['status']} after {took}."))


@with_server
def replay(
    options: ServerOptions,
    hook: HookArgument,
    delivery: Annotated[
        str | None, typer.Option("--message", metavar="ID", help="Only this message, as in `hooks log --dead`.")
    ] = None,
) -> None:
    """Send the messages that failed for good again."""
    with options.connect() as api:
        answer = api.post("hooks", hook, "replay", body={"delivery": delivery})
    count = answer["replayed"]
    sentence = f"{count} message{'s are' if count != 1 else ' is'} sent again." if count else "No message is dead."
    print_done(answer, sentence, json_output=options.json_output)


@with_server
def show_log(
    options: ServerOptions,
    hook: HookArgument,
    dead: Annotated[bool, typer.Option("--dead", help="List the messages that failed for good.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=200, help="The most lines to print.")] = 50,
) -> None:
    """List the last attempts to deliver messages, newest first."""
    with options.connect() as api:
        found = api.get("hooks", hook, "dead" if dead else "attempts", query={"limit": limit})
    if options.json_output:
        print_json(found)
    elif not found:
        show(Text("No message is dead." if dead else "Nothing was sent yet."))
    else:
        show(_dead_table(found) if dead else _attempt_table(found))


def _attempt_table(attempts: list[JsonObject]) -> Table:
    table = columns("TIME", "EVENT", "STREAM", "ATTEMPT", "OUTCOME", "STATUS", "TOOK", "ERROR", "MESSAGE")
    for each in attempts:
        table.add_row(
            moment(each["at"]),
            Text(clean(each["event"])),
            Text(clean(each["stream"] or "-")),
            str(each["attempt"]),
            Text(clean(each["outcome"]), style="green" if each["outcome"] == "delivered" else "yellow"),
            str(each["status"] or "-"),
            f"{each['duration_s']:.2f} s",
            Text(clean(each["error"] or "-")),
            Text(clean(each["delivery"])),
        )
    return table


def _dead_table(messages: list[JsonObject]) -> Table:
    table = columns("CREATED", "EVENT", "STREAM", "ATTEMPTS", "GIVEN UP", "LAST ERROR", "MESSAGE")
    for each in messages:
        table.add_row(
            moment(each["created_at"]),
            Text(clean(each["event"])),
            Text(clean(each["stream"] or "-")),
            str(each["attempts"]),
            moment(each["died_at"]),
            Text(clean(each["error"] or "-")),
            Text(clean(each["id"])),
        )
    return table


def _show_secret(options: ServerOptions, hook: JsonObject) -> None:
    if options.json_output:
        print_json(hook)
        return
    rows = (("Hook", hook["id"]), ("Target", hook["url"]), ("Secret", hook["secret"]))
    remark = f"The secret is not shown again. `headwater hooks test {clean(hook['id'])}` sends a test event."
    show(facts(rows), Text(remark, style="dim"))


hooks.command("list")(list_hooks)
hooks.command("add")(add_hook)
hooks.command("remove")(remove_hook)
hooks.command("test")(test_hook)
hooks.command("replay")(replay)
hooks.command("log")(show_log)
hooks.command("rotate-secret")(rotate_secret)
hooks.command("enable")(enable_hook)
