"""Tables of streams and broadcasts for a terminal, from the REST API's JSON."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from control.cli import text
from control.cli.text import JsonObject

STATE_STYLES = {"live": "bold green", "waiting": "yellow", "idle": "dim"}


def stream_table(streams: Sequence[JsonObject]) -> RenderableType:
    if not streams:
        return Text("No stream yet: `headwater create STREAM` makes one.")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("STREAM", "STATE", "UPTIME", "SOURCE", "RENDITIONS", "PUBLISHER"):
        table.add_column(heading, overflow="fold")
    for stream in streams:
        warned = f"  ({len(stream['warnings'])} warnings)" if stream["warnings"] else ""
        table.add_row(
            Text(stream["stream"]),
            _state(stream),
            text.duration(stream["uptime_s"]),
            Text(text.source(stream["source"]) + warned),
            Text(" ".join(text.clean(rendition["track"]) for rendition in stream["renditions"]) or "-"),
            Text(text.publisher(stream["publisher"])),
        )
    return table


def stream_details(stream: JsonObject) -> RenderableType:
    """Everything about one stream, with its warnings at the end."""
    head = Table(box=None, show_header=False, pad_edge=False)
    rows: list[tuple[str, Text]] = [
        ("Stream", Text(stream["stream"])),
        ("State", _state(stream)),
        ("Watch", Text(stream["watch"], overflow="fold")),
    ]
    if stream["private"]:
        rows.append(("Private", Text("viewers need a link of `headwater token`")))
    if stream["broadcast"]:
        rows += [("Broadcast", Text(stream["broadcast"])), ("Uptime", Text(text.duration(stream["uptime_s"])))]
    if stream["source"]:
        rows += [
            ("Source", Text(text.source(stream["source"]))),
            ("Sound", Text(text.audio(stream["source"]["audio"]))),
        ]
    if stream["publisher"]:
        connected = text.duration(stream["publisher"]["connected_s"])
        rows.append(("Publisher", Text(f"{text.publisher(stream['publisher'])}, connected {connected}")))
    for label, value in rows:
        head.add_row(Text(label, style="bold"), value)
    parts: list[RenderableType] = [head]
    if stream["renditions"]:
        parts += [Text(), _renditions(stream["renditions"])]
    if stream["warnings"]:
        parts += [Text(), *(_warning(warning) for warning in stream["warnings"])]
    return Group(*parts)


def broadcast_table(broadcasts: Sequence[JsonObject], stream: str) -> RenderableType:
    if not broadcasts:
        return Text(f"{stream} has not been live yet.")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("BROADCAST", "STATE", "STARTED", "LENGTH", "SIZE", "HLS"):
        table.add_column(heading, overflow="fold")
    for broadcast in broadcasts:
        table.add_row(
            Text(broadcast["broadcast"]),
            Text(broadcast["state"]),
            text.moment(broadcast["started_at"]),
            text.duration(broadcast["duration_s"]),
            text.size(broadcast["bytes"]),
            Text(broadcast["hls"]),
        )
    return table


def latency_table(stream: JsonObject) -> RenderableType:
    """The time from a frame's arrival to its part, and from the part to its first viewer."""
    if not stream["latency"]:
        return Text(f"{stream['stream']} is not live: there is nothing to measure.")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("RENDITION", "STAGE", "P50", "P95"):
        table.add_column(heading, justify="right" if heading.startswith("P") else "left")
    since = {"fetched": "fetched, after its part was made"}
    for row in sorted(stream["latency"], key=lambda row: (row["track"], row["stage"] == "fetched", row["p50_ms"])):
        stage = since.get(row["stage"], f"{row['stage']}, after its last frame was received")
        table.add_row(
            Text(text.clean(row["track"])), Text(stage), f"{row['p50_ms']:.1f} ms", f"{row['p95_ms']:.1f} ms"
        )
    return table


def _state(stream: JsonObject) -> Text:
    return Text(stream["state"], style=STATE_STYLES.get(stream["state"], ""))


def _renditions(renditions: Sequence[JsonObject]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("RENDITION", "CODEC", "SIZE", "FPS", "BITRATE", "MADE BY"):
        table.add_column(heading)
    for rendition in renditions:
        picture = f"{rendition['width']}x{rendition['height']}" if rendition["width"] else "-"
        table.add_row(
            Text(text.clean(rendition["track"])),
            Text(text.clean(rendition["codec"])),
            picture,
            f"{rendition['fps']:g}" if rendition["fps"] else "-",
            text.bitrate(rendition["bitrate_bps"]),
            "encoder" if rendition["encoded"] else "broadcaster",
        )
    return table


def _warning(warning: JsonObject) -> Text:
    return Text.assemble(("Warning: ", "bold yellow"), text.clean(warning["text"]))
