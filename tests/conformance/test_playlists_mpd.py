"""Rendered MPDs follow the schema of ISO/IEC 23009-1: order of elements, attributes and their patterns.

Only elements and attributes that Headwater writes are listed. Any other one in an MPD is a failure.
"""

import re
from dataclasses import dataclass, field, replace
from fractions import Fraction
from xml.etree import ElementTree

import pytest

from packager.dash import Presentation, render
from packager.dash.build import dash_presentation
from packager.facts import LowLatency
from tests.unit.packager.broadcasts import A64, A128, FACTS, V480, V720, ZERO_MS, broadcast, entries

NAMESPACE = "{urn:mpeg:dash:schema:mpd:2011}"

STRING = r".*"
URI = r"[^\s]+"
UNSIGNED = r"\d+"
POSITIVE = r"[1-9]\d*"
BOOLEAN = r"true|false"
DURATION = r"PT\d+(\.\d{1,6})?S"
DATE_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
RATIO = r"[1-9]\d*:[1-9]\d*"
FRAME_RATE = r"[1-9]\d*(/[1-9]\d*)?"
DECIMAL = r"\d+(\.\d+)?"


@dataclass(frozen=True)
class Shape:
    """The patterns of an element's attributes (``!`` marks required ones), and its children in order."""

    attributes: dict[str, str] = field(default_factory=dict)
    children: tuple[str, ...] = ()


DESCRIPTOR = Shape({"schemeIdUri!": URI, "value": STRING})
SHAPES = {
    "MPD": Shape(
        {
            "profiles!": URI,
            "type": "static|dynamic",
            "availabilityStartTime": DATE_TIME,
            "publishTime": DATE_TIME,
            "mediaPresentationDuration": DURATION,
            "minimumUpdatePeriod": DURATION,
            "minBufferTime!": DURATION,
            "timeShiftBufferDepth": DURATION,
            "suggestedPresentationDelay": DURATION,
            "maxSegmentDuration": DURATION,
        },
        ("BaseURL", "ServiceDescription", "Period", "UTCTiming"),
    ),
    "BaseURL": Shape(),
    "ServiceDescription": Shape({"id": UNSIGNED}, ("Latency", "PlaybackRate")),
    "Latency": Shape({"referenceId": UNSIGNED, "target": UNSIGNED, "max": UNSIGNED, "min": UNSIGNED}),
    "PlaybackRate": Shape({"max": DECIMAL, "min": DECIMAL}),
    "Period": Shape({"id": STRING, "start": DURATION, "duration": DURATION}, ("AdaptationSet",)),
    "AdaptationSet": Shape(
        {
            "id": UNSIGNED,
            "contentType": "video|audio",
            "mimeType": "(video|audio)/mp4",
            "lang": "[a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8})*",
            "segmentAlignment": BOOLEAN,
            "startWithSAP": "[0-6]",
            "par": RATIO,
            "maxWidth": POSITIVE,
            "maxHeight": POSITIVE,
            "maxFrameRate": FRAME_RATE,
        },
        ("SupplementalProperty", "Label", "ProducerReferenceTime", "Role", "SegmentTemplate", "Representation"),
    ),
    "SupplementalProperty": DESCRIPTOR,
    "Label": Shape(),
    "Role": DESCRIPTOR,
    "UTCTiming": DESCRIPTOR,
    "AudioChannelConfiguration": DESCRIPTOR,
    "ProducerReferenceTime": Shape(
        {
            "id!": UNSIGNED,
            "inband": BOOLEAN,
            "type": "encoder|captured|application",
            "wallClockTime!": DATE_TIME,
            "presentationTime!": UNSIGNED,
        },
        ("UTCTiming",),
    ),
    "Representation": Shape(
        {
            "id!": r"[^\s]+",
            "bandwidth!": POSITIVE,
            "codecs": r"[^,\s]+",
            "width": POSITIVE,
            "height": POSITIVE,
            "sar": RATIO,
            "frameRate": FRAME_RATE,
            "audioSamplingRate": UNSIGNED,
        },
        ("AudioChannelConfiguration", "SegmentTemplate"),
    ),
    "SegmentTemplate": Shape(
        {
            "timescale": POSITIVE,
            "presentationTimeOffset": UNSIGNED,
            "availabilityTimeOffset": DECIMAL,
            "availabilityTimeComplete": BOOLEAN,
            "duration": POSITIVE,
            "startNumber": UNSIGNED,
            "endNumber": UNSIGNED,
            "initialization": URI,
            "media": URI,
        },
        ("SegmentTimeline",),
    ),
    "SegmentTimeline": Shape({}, ("S",)),
    "S": Shape({"t": UNSIGNED, "d!": POSITIVE, "r": POSITIVE}),
}


def check(node: ElementTree.Element) -> None:
    assert node.tag.startswith(NAMESPACE)
    name = node.tag.removeprefix(NAMESPACE)
    shape = SHAPES[name]
    patterns = {attribute.removesuffix("!"): pattern for attribute, pattern in shape.attributes.items()}
    for attribute, value in node.attrib.items():
        assert attribute in patterns, f"{name}@{attribute}"
        assert re.fullmatch(patterns[attribute], value), f"{name}@{attribute}={value}"
    for attribute in shape.attributes:
        assert not attribute.endswith("!") or attribute.removesuffix("!") in node.attrib, f"{name}@{attribute}"
    indexes = [shape.children.index(child.tag.removeprefix(NAMESPACE)) for child in node]
    assert indexes == sorted(indexes), f"children of {name}"
    for child in node:
        check(child)


def rendered(presentation: Presentation) -> ElementTree.Element:
    return ElementTree.fromstring(render(presentation).encode())


def presentation(*, ended: bool, low_latency: LowLatency | None = None) -> Presentation:
    """A presentation with a discontinuity, a new init segment, gaps and a track that ends early."""
    tracks = (V720, V480, A128, A64)
    made = broadcast(tracks, 40, discontinuities={9}, inits={20}, away_ticks=987_654)
    made["v480p"] = entries(V480, 39, discontinuities={9}, inits={20}, gaps={13, 14}, away_ticks=987_654)
    facts = replace(FACTS, tracks=tracks, ended=ended, low_latency=low_latency)
    return dash_presentation(facts, made, publish_time_ms=ZERO_MS, base_url="20261121t104105z-ab12cd/")


@pytest.mark.parametrize("ended", [False, True])
def test_mpd_follows_the_schema(ended: bool) -> None:
    check(rendered(presentation(ended=ended)))


def test_low_latency_mpd_follows_the_schema() -> None:
    root = rendered(presentation(ended=False, low_latency=LowLatency(333_000)))
    check(root)
    assert [period.get("id") for period in root.iter(f"{NAMESPACE}Period")] == ["n0", "n9", "n13", "n15", "n20"]
    for name in ("Latency", "PlaybackRate", "ProducerReferenceTime"):
        assert root.find(f".//{NAMESPACE}{name}") is not None


@pytest.mark.parametrize("ended", [False, True])
def test_ids_are_unique_and_periods_are_in_order(ended: bool) -> None:
    root = rendered(presentation(ended=ended))
    periods = root.findall(f"{NAMESPACE}Period")
    assert [period.get("id") for period in periods] == ["p0", "p9", "p13", "p15", "p20"]
    starts = [Fraction(period.get("start", "").removeprefix("PT").removesuffix("S")) for period in periods]
    assert starts == sorted(set(starts))
    for period in periods:
        names = [node.get("id") for node in period.iter(f"{NAMESPACE}Representation")]
        assert len(names) == len(set(names))


def test_segments_do_not_overlap() -> None:
    """Within a template, each S starts at the end of the one before it, or later (5.3.9.6)."""
    for timeline in rendered(presentation(ended=False)).iter(f"{NAMESPACE}SegmentTimeline"):
        end = 0
        for run in timeline:
            start = int(run.get("t", end))
            assert start >= end
            end = start + int(run.get("d", 0)) * (int(run.get("r", 0)) + 1)
