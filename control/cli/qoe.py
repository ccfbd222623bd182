"""``qoe``: how playback is, as the players of viewers report it."""

from rich.table import Table

from control.cli.layout import columns, facts
from control.cli.options import ServerOptions, StreamArgument, with_server
from control.cli.output import print_json, show
from control.cli.text import JsonObject, bitrate, clean, duration


@with_server
def qoe(options: ServerOptions, stream: StreamArgument) -> None:
    """Show how playback is, as the players of viewers report it."""
    with options.connect() as api:
        view = api.get("streams", stream, "qoe")
    if options.json_output:
        print_json(view)
    elif view["renditions"]:
        show(qoe_details(view), "", rendition_table(view))
    else:
        show(qoe_details(view))


def qoe_details(view: JsonObject) -> Table:
    totals = view["totals"]
    return facts(
        [
            ("stream", view["stream"]),
            ("window", f"the last {duration(view['window_s'])}"),
            ("sessions", f"{view['sessions']} now"),
            ("start-up", spread(view["start_s"])),
            ("behind live", spread(view["latency_s"])),
            ("stalls", stalls(view)),
            ("bitrate", bitrate(view["bitrate_bps"])),
            ("errors", str(view["errors"])),
            (
                "since the start",
                f"{totals['starts']} started, {duration(totals['played_s'])} played, "
                f"{totals['stalls']} stalled ({totals['stalled_s']:.1f} s), {totals['errors']} failed",
            ),
        ]
    )


def rendition_table(view: JsonObject) -> Table:
    table = columns("RENDITION", "SESSIONS", "BITRATE", "START-UP", "BEHIND LIVE", "STALLS", "ERRORS")
    for each in view["renditions"]:
        table.add_row(
            clean(each["rendition"]),
            str(each["sessions"]),
            bitrate(each["bitrate_bps"]),
            spread(each["start_s"]),
            spread(each["latency_s"]),
            stalls(each),
            str(each["errors"]),
        )
    return table


def spread(value: JsonObject | None) -> str:
    """``0.8 s (p95 1.9 s)``."""
    return "-" if value is None else f"{value['median']:.1f} s (p95 {value['p95']:.1f} s)"


def stalls(figures: JsonObject) -> str:
    """``3 (4.2 s), 0.05 % of the time``."""
    if not figures["stalls"]:
        return "none"
    ratio = figures["stalled_ratio"]
    share = "" if ratio is None else f", {100 * ratio:.2g} % of the time"
    return f"{figures['stalls']} ({figures['stalled_s']:.1f} s){share}"
