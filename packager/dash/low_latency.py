"""What low latency says in a presentation (DASH-IF, Low-latency Modes for DASH; ISO/IEC 23009-1, 5.12 and annex K).

Segments that keep a pace are counted, not listed: when a player may ask for one follows from its number, so that
the text stays the same while they come, and a segment can be asked for as soon as its first part is there.
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

# Part targets from the live edge to the picture, and what requests take besides.
DELAY_PARTS = 3
DELAY_MS = 100
# Rates that nobody hears.
SLOWER, FASTER = Fraction(97, 100), Fraction(103, 100)


def part_target_ms(low_latency: LowLatency) -> int:
    return -(-low_latency.part_target_us // MILLISECONDS)


def target_latency_ms(low_latency: LowLatency) -> int:
    return DELAY_PARTS * part_target_ms(low_latency) + DELAY_MS


def service_description(low_latency: LowLatency, step: Fraction) -> ServiceDescription:
    """From two part targets, which is as near as parts allow, to two segments more than the target."""
    target_ms = target_latency_ms(low_latency)
    return ServiceDescription(
        id=0,
        latency=Latency(
            target_ms=target_ms,
            min_ms=2 * part_target_ms(low_latency),
            max_ms=target_ms + int(2 * step * MILLISECONDS),
            reference_id=0,
        ),
        playback_rate=PlaybackRate(SLOWER, FASTER),
    )


def counted_template(
    step: Fraction, run: Run, low_latency: LowLatency, *, timescale: int, init: int, end: int | None
) -> SegmentTemplate:
    """The template of segments of ``step`` seconds each, from the first of ``run`` to that of number ``end``, if
    there is an end. Where ``step`` is no whole number of the track's ticks the template's are finer, for an error
    would add up."""
    timescale *= (step * timescale).denominator
    return SegmentTemplate(
        initialization=f"$RepresentationID$/{init_name(init)}",
        media="$RepresentationID$/$Number$.m4s",
        timescale=timescale,
        start_number=run.msn,
        presentation_time_offset=rescale(run.start_ms, MILLISECONDS, timescale),
        duration=int(step * timescale),
        end_number=end,
        availability_time_offset_ms=max(0, int(step * MILLISECONDS) - part_target_ms(low_latency)),
        availability_time_complete=False,
    )


def producer_reference_time(
    facts: BroadcastFacts, number: int, run: Run, template: SegmentTemplate
) -> ProducerReferenceTime:
    """When the frame that the Period starts with came in; the media's own ``prft`` boxes tell of those after it."""
    return ProducerReferenceTime(
        id=number,
        wall_clock_ms=facts.availability_start_ms + run.start_ms,
        presentation_time=template.presentation_time_offset,
        utc_timing=utc_timing(facts),
    )


def utc_timing(facts: BroadcastFacts) -> Descriptor | None:
    return Descriptor(HTTP_XSDATE, facts.utc_timing_url) if facts.utc_timing_url else None
