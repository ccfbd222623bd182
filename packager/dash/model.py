"""A Media Presentation as values (ISO/IEC 23009-1, 5.3), with the names of the MPD.

Durations and times ending in ``_ms`` are integer milliseconds; ``t``, ``d`` and ``presentation_time_offset`` are
ticks of the template's timescale. Values of None are left out of the MPD.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction

from media.units import Kind

ISOFF_LIVE = "urn:mpeg:dash:profile:isoff-live:2011"


class PresentationType(StrEnum):
    STATIC = "static"
    DYNAMIC = "dynamic"


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A DescriptorType element (5.8.2): Role, UTCTiming, SupplementalProperty and others."""

    scheme_id_uri: str
    value: str | None = None


@dataclass(frozen=True, slots=True)
class SegmentRun:
    """The S element (5.3.9.6): ``repeat + 1`` segments of ``d`` ticks, the first presented at ``t``.

    If ``t`` is None, the run starts at the end of the run before it.
    """

    d: int
    t: int | None = None
    repeat: int = 0


@dataclass(frozen=True, slots=True)
class SegmentTemplate:
    """SegmentTemplate (5.3.9.4) with either a ``timeline`` or one ``duration`` for all its segments.

    ``end_number`` is the last segment's number, or None if not known yet.
    """

    initialization: str
    media: str
    timescale: int
    start_number: int
    presentation_time_offset: int = 0
    timeline: tuple[SegmentRun, ...] | None = None
    duration: int | None = None
    end_number: int | None = None
    availability_time_offset_ms: int | None = None
    availability_time_complete: bool | None = None


@dataclass(frozen=True, slots=True)
class ProducerReferenceTime:
    """ProducerReferenceTime (5.12): ``presentation_time`` was produced at Unix time ``wall_clock_ms``."""

    id: int
    wall_clock_ms: int
    presentation_time: int
    type: str = "encoder"
    inband: bool = True
    utc_timing: Descriptor | None = None


@dataclass(frozen=True, slots=True)
class Representation:
    """Representation (5.3.5); ``bandwidth`` is bits per second. Its own template overrides that of its set."""

    id: str
    bandwidth: int
    codecs: str
    width: int | None = None
    height: int | None = None
    sample_aspect_ratio: Fraction | None = None
    frame_rate: Fraction | None = None
    audio_sampling_rate: int | None = None
    audio_channels: int | None = None
    segment_template: SegmentTemplate | None = None


@dataclass(frozen=True, slots=True)
class AdaptationSet:
    """AdaptationSet (5.3.3): Representations of the same content, between which a player can switch."""

    id: int
    kind: Kind
    representations: tuple[Representation, ...]
    segment_template: SegmentTemplate | None = None
    starts_with_sap: int | None = 1
    language: str | None = None
    label: str | None = None
    picture_aspect_ratio: Fraction | None = None
    roles: tuple[Descriptor, ...] = ()
    supplemental_properties: tuple[Descriptor, ...] = ()
    producer_reference_times: tuple[ProducerReferenceTime, ...] = ()


@dataclass(frozen=True, slots=True)
class Period:
    """Period (5.3.2). ``id`` and ``start_ms`` stay the same in every update of a dynamic MPD."""

    id: str
    start_ms: int
    adaptation_sets: tuple[AdaptationSet, ...] = ()
    duration_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Latency:
    """Latency of a ServiceDescription (annex K.3.2)."""

    target_ms: int
    min_ms: int | None = None
    max_ms: int | None = None
    reference_id: int | None = None


@dataclass(frozen=True, slots=True)
class PlaybackRate:
    """The playback rates that a player may use to keep its latency (annex K.3.3)."""

    min: Fraction
    max: Fraction


@dataclass(frozen=True, slots=True)
class ServiceDescription:
    """ServiceDescription (annex K)."""

    id: int
    latency: Latency | None = None
    playback_rate: PlaybackRate | None = None


@dataclass(frozen=True, slots=True)
class Presentation:
    """The MPD element (5.3.1)."""

    type: PresentationType
    min_buffer_time_ms: int
    periods: tuple[Period, ...]
    profiles: tuple[str, ...] = (ISOFF_LIVE,)
    availability_start_time_ms: int | None = None
    publish_time_ms: int | None = None
    media_presentation_duration_ms: int | None = None
    minimum_update_period_ms: int | None = None
    time_shift_buffer_depth_ms: int | None = None
    suggested_presentation_delay_ms: int | None = None
    max_segment_duration_ms: int | None = None
    base_url: str | None = None
    service_descriptions: tuple[ServiceDescription, ...] = ()
    utc_timings: tuple[Descriptor, ...] = ()


def keep_publish_time(presentation: Presentation, before: Presentation | None) -> Presentation:
    """``presentation``, or ``before`` if they differ only in @publishTime.

    @publishTime may change only if the MPD changes (5.3.1.2).
    """
    if before is not None and presentation == replace(before, publish_time_ms=presentation.publish_time_ms):
        return before
    return presentation
