"""Tables of streams and broadcasts for a terminal, from the REST API's JSON."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from control.cli import text
from control.cli.layout import columns
from control.cli.retention import retention_text
from control.cli.text import JsonObject
from media.roles import Role

ROLES = frozenset(Role)
STATE_STYLES = {"live": "bold green", "waiting": "yellow", "idle": "dim"}


def stream_table(streams: Sequence[JsonObject]) -> RenderableType:
    if not streams:
        return Text("No stream yet: `headwater create STREAM` makes one.")
    table = columns("STREAM", "STATE", "UPTIME", "SOURCE", "RENDITIONS", "PUBLISHER")
    for stream in streams:
        warned = f"  ({len(stream['warnings'])} warnings)" if stream["warnings"] else ""
        table.add_row(
            Text(stream["stream"]),
            _state(stream).append(" banned" if stream["ban"] else "", style="bold red"),
            text.duration(stream["uptime_s"]),
            Text(text.source(stream["source"]) + warned),
            Text(" ".join(text.clean(rendition["track"]) for rendition in stream["renditions"]) or "-"),
            Text(text.publishers(stream)),
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
    if stream["ban"]:
        rows.append(("Banned", Text(_ban(stream["ban"]))))
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
        rows.append(("Publisher", Text(_connected(stream, "publisher"))))
    if stream["standby"]:
        rows.append(("Standby", Text(_connected(stream, "standby"))))
    elif stream["backup_key_created_at"] and stream["publisher"]:
        rows.append(("Standby", Text("not connected")))
    if stream["retention"] is not None:
        rows.append(("Recordings", Text(retention_text(stream["retention"]))))
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
    table = columns("BROADCAST", "STATE", "STARTED", "LENGTH", "SIZE", "HLS")
    for broadcast in broadcasts:
        table.add_row(
            Text(broadcast["broadcast"]),
            Text(broadcast["state"] + (", kept" if broadcast["kept"] else "")),
            text.moment(broadcast["started_at"]),
            text.duration(broadcast["duration_s"]),
            text.size(broadcast["bytes"]),
            Text(broadcast["hls"]),
        )
    return table


def sweep_table(recordings: Sequence[JsonObject], *, dry_run: bool) -> RenderableType:
    table = columns("STREAM", "BROADCAST", "ENDED", "SIZE", "CAUSE", fold=False)
    for recording in recordings:
        table.add_row(
            Text(recording["stream"]),
            Text(recording["broadcast"]),
            text.moment(recording["ended_at"]),
            text.size(recording["bytes"]),
            Text(recording["cause"]),
        )
    done = "would be deleted" if dry_run else "are deleted; their media is removed in the background"
    total = text.size(sum(recording["bytes"] for recording in recordings))
    return Group(table, Text(f"{len(recordings)} recordings of {total} {done}.", style="dim"))


def usage_table(usage: JsonObject) -> RenderableType:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("STREAM", "RECORDINGS", "KEPT", "SIZE"):
        table.add_column(heading, justify="left" if heading == "STREAM" else "right")
    for stream in usage["streams"]:
        table.add_row(
            Text(stream["stream"]), str(stream["recordings"]), str(stream["kept"]), text.size(stream["bytes"])
        )
    parts = [f"{usage['recordings']} recordings, {text.size(usage['bytes'])}."]
    if usage["free_bytes"] is not None:
        parts.append(
            f"{text.size(usage['free_bytes'])} of the disk's {text.size(usage['capacity_bytes'])} are free."
        )
    return Group(*([table] if usage["streams"] else []), Text(" ".join(parts)))


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


def _ban(ban: JsonObject) -> str:
    until = f"until {text.moment(ban['until'])}" if ban["until"] else "until `headwater unban`"
    return f"{until}: {text.clean(ban['reason'])}" if ban["reason"] else until


def _connected(stream: JsonObject, place: str) -> str:
    """One of a stream's publishers; its role, if the stream has or had a key for each."""
    status = stream[place]
    has_two = stream["standby"] or stream["backup_key_created_at"] or status["role"] == "backup"
    role = f"{status['role']}, " if has_two else ""
    key = f", stream key {text.clean(status['key'])}" if status["key"] and status["key"] not in ROLES else ""
    return f"{role}{text.publisher(status)}{key}, connected {text.duration(status['connected_s'])}"


def _renditions(renditions: Sequence[JsonObject]) -> Table:
    table = columns("RENDITION", "CODEC", "SIZE", "FPS", "BITRATE", "MADE BY", fold=False)
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
