"""The low-latency parts of a presentation (DASH-IF, Low-latency Modes for DASH; ISO/IEC 23009-1, 5.12 and annex K).

Segments of equal duration use a SegmentTemplate with @duration in place of a SegmentTimeline. A player derives the
availability time of a segment from its number, so the MPD does not change with each segment, and a player can
request a segment as soon as its first part exists.
"""

from fractions import Fraction

from media.names import init_name
from media.timescale import MILLISECONDS, rescale
from packager.dash.model import (
    Descriptor,
    Latency,
    PlaybackRate,
    ProducerReferenceTime,
    SegmentTemplate,
    ServiceDescription,
)
from packager.facts import BroadcastFacts, LowLatency, Run

HTTP_XSDATE = "urn:mpeg:dash:utc:http-xsdate:2014"

# The target latency is this many part targets, plus an allowance for requests.
DELAY_PARTS = 3
DELAY_MS = 100
# Changes of the playback rate that listeners do not notice.
MIN_PLAYBACK_RATE, MAX_PLAYBACK_RATE = Fraction(97, 100), Fraction(103, 100)


def part_target_ms(low_latency: LowLatency) -> int:
    return -(-low_latency.part_target_us // MILLISECONDS)


def target_latency_ms(low_latency: LowLatency) -> int:
    return DELAY_PARTS * part_target_ms(low_latency) + DELAY_MS


def service_description(low_latency: LowLatency, segment_duration: Fraction) -> ServiceDescription:
    """Latencies from two part targets, the least that parts allow, to two segments above the target.

    ``segment_duration`` is seconds.
    """
    target_ms = target_latency_ms(low_latency)
    return ServiceDescription(
        id=0,
        latency=Latency(
            target_ms=target_ms,
            min_ms=2 * part_target_ms(low_latency),
            max_ms=target_ms + int(2 * segment_duration * MILLISECONDS),
            reference_id=0,
        ),
        playback_rate=PlaybackRate(MIN_PLAYBACK_RATE, MAX_PLAYBACK_RATE),
    )


def duration_template(
    segment_duration: Fraction,
    run: Run,
    low_latency: LowLatency,
    *,
    timescale: int,
    init: int,
    end: int | None,
) -> SegmentTemplate:
    """The template of segments of ``segment_duration`` seconds each, from the start of ``run`` to number ``end``.

    An ``end`` of None leaves the Period open. If ``segment_duration`` is not a whole number of the track's ticks,
    the template uses a multiple of ``timescale``, because a rounding error would add up.
    """
    timescale *= (segment_duration * timescale).denominator
    return SegmentTemplate(
        initialization=f"$RepresentationID$/{init_name(init)}",
        media="$RepresentationID$/$Number$.m4s",
        timescale=timescale,
        start_number=run.msn,
        presentation_time_offset=rescale(run.start_ms, MILLISECONDS, timescale),
        duration=int(segment_duration * timescale),
        end_number=end,
        availability_time_offset_ms=max(0, int(segment_duration * MILLISECONDS) - part_target_ms(low_latency)),
        availability_time_complete=False,
    )


def producer_reference_time(
    facts: BroadcastFacts, number: int, run: Run, template: SegmentTemplate
) -> ProducerReferenceTime:
    """The arrival time of the Period's first frame. ``prft`` boxes in the media give those of later frames."""
    return ProducerReferenceTime(
        id=number,
        wall_clock_ms=facts.availability_start_ms + run.start_ms,
        presentation_time=template.presentation_time_offset,
        utc_timing=utc_timing(facts),
    )


def utc_timing(facts: BroadcastFacts) -> Descriptor | None:
    """The UTCTiming of the broadcast, or None if it has no time server."""
    return Descriptor(HTTP_XSDATE, facts.utc_timing_url) if facts.utc_timing_url else None
