"""Renders a presentation as an MPD (ISO/IEC 23009-1), with elements in the order of the schema (annex B).

Equal presentations give equal bytes.
"""

from collections.abc import Iterator
from fractions import Fraction

from media.units import Kind
from packager.dash.model import (
    AdaptationSet,
    Descriptor,
    Period,
    Presentation,
    ProducerReferenceTime,
    Representation,
    SegmentRun,
    SegmentTemplate,
    ServiceDescription,
)
from packager.dash.xml import Element, document, element
from packager.timestamps import decimal_seconds, utc_text

NAMESPACE = "urn:mpeg:dash:schema:mpd:2011"
CHANNEL_CONFIGURATION = "urn:mpeg:mpegB:cicp:ChannelConfiguration"
# ChannelConfiguration (ISO/IEC 23091-3) for each channel count that AAC signals by number.
CHANNEL_CONFIGURATIONS = {1: "1", 2: "2", 3: "3", 4: "4", 5: "5", 6: "6", 8: "12"}


def render(presentation: Presentation) -> str:
    """Raises UnrepresentableValue for a value that an MPD cannot express."""
    return document(
        element(
            "MPD",
            (
                ("xmlns", NAMESPACE),
                ("profiles", ",".join(presentation.profiles)),
                ("type", presentation.type),
                ("availabilityStartTime", _utc(presentation.availability_start_time_ms)),
                ("publishTime", _utc(presentation.publish_time_ms)),
                ("mediaPresentationDuration", _duration(presentation.media_presentation_duration_ms)),
                ("minimumUpdatePeriod", _duration(presentation.minimum_update_period_ms)),
                ("minBufferTime", _duration(presentation.min_buffer_time_ms)),
                ("timeShiftBufferDepth", _duration(presentation.time_shift_buffer_depth_ms)),
                ("suggestedPresentationDelay", _duration(presentation.suggested_presentation_delay_ms)),
                ("maxSegmentDuration", _duration(presentation.max_segment_duration_ms)),
            ),
            *_mpd_children(presentation),
        )
    )


def _mpd_children(presentation: Presentation) -> Iterator[Element]:
    if presentation.base_url is not None:
        yield Element("BaseURL", text=presentation.base_url)
    yield from map(_service_description, presentation.service_descriptions)
    yield from map(_period, presentation.periods)
    for timing in presentation.utc_timings:
        yield _descriptor("UTCTiming", timing)


def _service_description(description: ServiceDescription) -> Element:
    children = []
    if (latency := description.latency) is not None:
        attributes = (
            ("referenceId", _integer(latency.reference_id)),
            ("target", str(latency.target_ms)),
            ("max", _integer(latency.max_ms)),
            ("min", _integer(latency.min_ms)),
        )
        children.append(element("Latency", attributes))
    if (rate := description.playback_rate) is not None:
        children.append(element("PlaybackRate", (("max", _real(rate.max)), ("min", _real(rate.min)))))
    return element("ServiceDescription", (("id", str(description.id)),), *children)


def _period(period: Period) -> Element:
    attributes = (
        ("id", period.id),
        ("start", _duration(period.start_ms)),
        ("duration", _duration(period.duration_ms)),
    )
    return element("Period", attributes, *map(_adaptation_set, period.adaptation_sets))


def _adaptation_set(adaptation_set: AdaptationSet) -> Element:
    representations = adaptation_set.representations
    rates = [representation.frame_rate for representation in representations if representation.frame_rate]
    attributes = (
        ("id", str(adaptation_set.id)),
        ("contentType", adaptation_set.kind),
        ("mimeType", f"{adaptation_set.kind}/mp4"),
        ("lang", adaptation_set.language),
        ("segmentAlignment", "true"),
        ("startWithSAP", _integer(adaptation_set.starts_with_sap)),
        ("par", _ratio(adaptation_set.picture_aspect_ratio)),
        ("maxWidth", _integer(max((r.width for r in representations if r.width), default=None))),
        ("maxHeight", _integer(max((r.height for r in representations if r.height), default=None))),
        ("maxFrameRate", _frame_rate(max(rates, default=None))),
    )
    return element("AdaptationSet", attributes, *_adaptation_set_children(adaptation_set))


def _adaptation_set_children(adaptation_set: AdaptationSet) -> Iterator[Element]:
    for supplemental in adaptation_set.supplemental_properties:
        yield _descriptor("SupplementalProperty", supplemental)
    if adaptation_set.label is not None:
        yield Element("Label", text=adaptation_set.label)
    yield from map(_producer_reference_time, adaptation_set.producer_reference_times)
    for role in adaptation_set.roles:
        yield _descriptor("Role", role)
    if adaptation_set.segment_template is not None:
        yield _segment_template(adaptation_set.segment_template)
    for representation in adaptation_set.representations:
        yield _representation(representation, adaptation_set.kind)


def _representation(representation: Representation, kind: Kind) -> Element:
    attributes = (
        ("id", representation.id),
        ("bandwidth", str(representation.bandwidth)),
        ("codecs", representation.codecs),
        ("width", _integer(representation.width)),
        ("height", _integer(representation.height)),
        ("sar", _ratio(representation.sample_aspect_ratio)),
        ("frameRate", _frame_rate(representation.frame_rate)),
        ("audioSamplingRate", _integer(representation.audio_sampling_rate)),
    )
    children = []
    if kind is Kind.AUDIO and representation.audio_channels in CHANNEL_CONFIGURATIONS:
        configuration = CHANNEL_CONFIGURATIONS[representation.audio_channels]
        children.append(_descriptor("AudioChannelConfiguration", Descriptor(CHANNEL_CONFIGURATION, configuration)))
    if representation.segment_template is not None:
        children.append(_segment_template(representation.segment_template))
    return element("Representation", attributes, *children)


def _segment_template(template: SegmentTemplate) -> Element:
    offset_ms, complete = template.availability_time_offset_ms, template.availability_time_complete
    attributes = (
        ("timescale", str(template.timescale)),
        ("presentationTimeOffset", _integer(template.presentation_time_offset or None)),
        ("availabilityTimeOffset", None if offset_ms is None else decimal_seconds(offset_ms * 1000)),
        ("availabilityTimeComplete", None if complete is None else str(complete).lower()),
        ("duration", _integer(template.duration)),
        ("startNumber", str(template.start_number)),
        ("endNumber", _integer(template.end_number)),
        ("initialization", template.initialization),
        ("media", template.media),
    )
    if template.timeline is None:
        return element("SegmentTemplate", attributes)
    return element("SegmentTemplate", attributes, element("SegmentTimeline", (), *map(_run, template.timeline)))


def _run(run: SegmentRun) -> Element:
    return element("S", (("t", _integer(run.t)), ("d", str(run.d)), ("r", _integer(run.repeat or None))))


def _producer_reference_time(reference: ProducerReferenceTime) -> Element:
    attributes = (
        ("id", str(reference.id)),
        ("inband", str(reference.inband).lower()),
        ("type", reference.type),
        ("wallClockTime", _utc(reference.wall_clock_ms)),
        ("presentationTime", str(reference.presentation_time)),
    )
    timing = () if reference.utc_timing is None else (_descriptor("UTCTiming", reference.utc_timing),)
    return element("ProducerReferenceTime", attributes, *timing)


def _descriptor(name: str, descriptor: Descriptor) -> Element:
    return element(name, (("schemeIdUri", descriptor.scheme_id_uri), ("value", descriptor.value)))


def _utc(unix_ms: int | None) -> str | None:
    return None if unix_ms is None else utc_text(unix_ms)


def _duration(milliseconds: int | None) -> str | None:
    """An xs:duration in seconds."""
    return None if milliseconds is None else f"PT{decimal_seconds(milliseconds * 1000)}S"


def _integer(value: int | None) -> str | None:
    return None if value is None else str(value)


def _ratio(ratio: Fraction | None) -> str | None:
    return None if ratio is None else f"{ratio.numerator}:{ratio.denominator}"


def _frame_rate(rate: Fraction | None) -> str | None:
    return None if rate is None else str(rate)


def _real(value: Fraction) -> str:
    return decimal_seconds(int(value * 1_000_000))
