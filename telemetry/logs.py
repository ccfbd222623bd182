"""Logs: one event per line on standard error, for people or for programs. They never contain a stream key.

A line that cannot be written is lost (:mod:`telemetry.line_writer`): logging never raises and never waits.
"""

import logging
import sys
from typing import Literal, TextIO, cast

import structlog

from telemetry.line_writer import LineWriter
from telemetry.spans import add_trace_ids

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


Format = Literal["text", "json"]
Level = Literal["debug", "info", "warning", "error"]


def set_up_logs(form: Format, minimum: Level, *, trace_ids: bool = False) -> LineWriter:
    """Log to standard error from now on. Close the writer at the end of the program. ``trace_ids``: a line of JSON
    has the ids of the span that it belongs to."""
    level = LEVELS[minimum]
    writer = LineWriter(sys.stderr.fileno())
    processors: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    # Without local variables: they may contain a key, and rendering them would delay the streams.
    if form == "json":
        if trace_ids:
            processors.append(add_trace_ids)
        trace = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        processors += [structlog.processors.ExceptionRenderer(trace), structlog.processors.JSONRenderer()]
    else:
        plain = structlog.dev.plain_traceback
        processors.append(structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain))
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(cast(TextIO, writer)),
    )
    handler = logging.StreamHandler(writer)
    logging.basicConfig(level=max(level, logging.WARNING), handlers=[handler], format="%(levelname)s %(message)s")
    return writer
