"""Builds a DASH Media Presentation from the facts of a broadcast.

Media time equals broadcast time in every Period: ``@presentationTimeOffset`` is the Period's own ``@start``. So
media time *t* is presented *t* after broadcast time zero, whichever Periods the MPD contains.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from math import ceil

from media.timescale import MILLISECONDS
from media.units import Kind
from packager.dash.adaptation_sets import build_periods
from packager.dash.low_latency import part_target_ms, service_description, target_latency_ms, utc_timing
from packager.dash.model import Presentation, PresentationType
from packager.dash.periods import PeriodSpan, complete_spans, period_spans
from packager.facts import BroadcastFacts, LowLatency, SegmentEntry, TrackFacts

# Segments between the live edge and playback: the default hold-back of HLS players too (rfc8216bis, 4.4.3.8).
DELAY_SEGMENTS = 3


def dash_presentation(
    facts: BroadcastFacts,
    entries_by_track: Mapping[str, Sequence[SegmentEntry]],
    *,
    publish_time_ms: int,
    base_url: str | None,
) -> Presentation:
    """The presentation of each track's consecutive entries, dynamic until the broadcast has ended.

    ``base_url`` is the BaseURL of the directory that contains the tracks' directories, or None if the MPD is in
    that directory.
    """
    tracks = sorted(facts.tracks, key=lambda track: track.kind is not Kind.VIDEO)
    if facts.ended:
        return _static(facts, tracks, period_spans(tracks, entries_by_track), publish_time_ms, base_url)
    spans = period_spans(tracks, entries_by_track, paced=facts.low_latency is not None)
    spans = complete_spans(spans, tracks, entries_by_track)
    presentation = _dynamic(facts, tracks, spans, publish_time_ms, base_url)
    if facts.low_latency is None or not spans or (segment_duration := spans[-1].segment_duration) is None:
        return presentation
    return _low_latency(presentation, facts, facts.low_latency, segment_duration)


def _dynamic(
    facts: BroadcastFacts,
    tracks: Sequence[TrackFacts],
    spans: list[PeriodSpan],
    publish_time_ms: int,
    base_url: str | None,
) -> Presentation:
    target_ms = facts.segment_target_ms
    timing = utc_timing(facts)
    return Presentation(
        type=PresentationType.DYNAMIC,
        min_buffer_time_ms=target_ms,
        periods=build_periods(facts, spans, tracks),
        availability_start_time_ms=facts.availability_start_ms,
        publish_time_ms=publish_time_ms,
        minimum_update_period_ms=_update_period_ms(spans, tracks, target_ms),
        time_shift_buffer_depth_ms=facts.playlist_window_ms,
        suggested_presentation_delay_ms=DELAY_SEGMENTS * target_ms,
        max_segment_duration_ms=_longest_ms(spans, tracks, target_ms),
        base_url=base_url,
        utc_timings=(timing,) if timing is not None else (),
    )


def _low_latency(
    presentation: Presentation,
    facts: BroadcastFacts,
    low_latency: LowLatency,
    segment_duration: Fraction,
) -> Presentation:
    """``presentation`` for playback near the live edge, without attributes that change with each segment.

    ``segment_duration`` is seconds. Players update the MPD after each segment: until they know of a new Period,
    they number its segments as the old one's, and read them with the old one's init segment.
    """
    segment_ms = ceil(segment_duration * MILLISECONDS)
    return replace(
        presentation,
        min_buffer_time_ms=part_target_ms(low_latency),
        minimum_update_period_ms=segment_ms,
        suggested_presentation_delay_ms=target_latency_ms(low_latency),
        max_segment_duration_ms=max(facts.segment_target_ms, segment_ms),
        service_descriptions=(service_description(low_latency, segment_duration),),
    )


def _static(
    facts: BroadcastFacts,
    tracks: Sequence[TrackFacts],
    spans: list[PeriodSpan],
    publish_time_ms: int,
    base_url: str | None,
) -> Presentation:
    """The presentation of an ended broadcast. Its first Period starts with its first segment, even if the run
    started earlier."""
    if spans:
        start_ms = min(
            entries[0].start * MILLISECONDS // timescale
            for timescale, entries in _timescales_and_entries(spans[:1], tracks)
        )
        spans = [replace(spans[0], run=replace(spans[0].run, start_ms=start_ms)), *spans[1:]]
    ends_ms = (
        ceil_div((entries[-1].start + entries[-1].duration) * MILLISECONDS, timescale)
        for timescale, entries in _timescales_and_entries(spans, tracks)
    )
    return Presentation(
        type=PresentationType.STATIC,
        min_buffer_time_ms=facts.segment_target_ms,
        periods=build_periods(facts, spans, tracks),
        publish_time_ms=publish_time_ms,
        media_presentation_duration_ms=max(ends_ms, default=0),
        max_segment_duration_ms=_longest_ms(spans, tracks, facts.segment_target_ms),
        base_url=base_url,
    )


def _timescales_and_entries(
    spans: Sequence[PeriodSpan], tracks: Sequence[TrackFacts]
) -> Iterator[tuple[int, Sequence[SegmentEntry]]]:
    """The timescale and the entries of each track in each of ``spans``."""
    for span in spans:
        for track in tracks:
            if entries := span.entries.get(track.track):
                yield track.config_of(entries[0].init).timescale, entries


def _longest_ms(spans: Sequence[PeriodSpan], tracks: Sequence[TrackFacts], target_ms: int) -> int:
    """The duration of the longest segment in milliseconds, rounded up, and at least ``target_ms``."""
    longest = (
        ceil_div(max(entry.duration for entry in entries) * MILLISECONDS, timescale)
        for timescale, entries in _timescales_and_entries(spans, tracks)
    )
    return max((target_ms, *longest))


def _update_period_ms(spans: Sequence[PeriodSpan], tracks: Sequence[TrackFacts], target_ms: int) -> int:
    """The expected time until the next segment, at least 1 s.

    It is the shortest duration among the tracks' newest segments, and at most ``target_ms``.
    """
    newest = (
        entries[-1].duration * MILLISECONDS // timescale
        for timescale, entries in _timescales_and_entries(spans[-1:], tracks)
    )
    return max(MILLISECONDS, min((target_ms, *newest)))


def ceil_div(value: int, divisor: int) -> int:
    return -(-value // divisor)
