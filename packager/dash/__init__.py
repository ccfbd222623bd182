"""MPEG-DASH Media Presentations as values (ISO/IEC 23009-1), and their rendering as an MPD."""

from packager.dash.model import (
    AdaptationSet,
    Descriptor,
    Latency,
    Period,
    PlaybackRate,
    Presentation,
    PresentationType,
    ProducerReferenceTime,
    Representation,
    SegmentRun,
    SegmentTemplate,
    ServiceDescription,
    keep_publish_time,
)
from packager.dash.rendering import render
from packager.dash.timeline import run_lengths

__all__ = [
    "AdaptationSet",
    "Descriptor",
    "Latency",
    "Period",
    "PlaybackRate",
    "Presentation",
    "PresentationType",
    "ProducerReferenceTime",
    "Representation",
    "SegmentRun",
    "SegmentTemplate",
    "ServiceDescription",
    "keep_publish_time",
    "render",
    "run_lengths",
]
