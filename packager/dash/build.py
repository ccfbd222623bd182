"""The DASH presentation of a broadcast's facts.

Media time is the broadcast's time in every Period: ``@presentationTimeOffset`` is the Period's own ``@start``, so
what is presented at tick *t* is presented *t* after the broadcast's zero, whatever Periods come and go before it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from math import ceil

from media.configs import AudioConfig
from media.names import init_name
from media.timescale import MILLISECONDS, rescale
from media.units import Kind
from packager.dash.low_latency import (
    counted_template,
    part_target_ms,
    producer_reference_time,
    service_description,
    target_latency_ms,
    utc_timing,
)
from packager.dash.model import (
    AdaptationSet,
    Descriptor,
    Period,
    Presentation,
    PresentationType,
    Representation,
    SegmentTemplate,
)
from packager.dash.periods import PeriodSpan, complete_spans, period_spans
from packager.dash.timeline import run_lengths
from packager.facts import BroadcastFacts, LowLatency, SegmentEntry, TrackFacts

# Segments between the live edge and the picture, as HLS players hold back by default (rfc8216bis, 4.4.3.8).
DELAY_SEGMENTS = 3
# Segments after which a low-latency MPD is asked for again: only a new Period, or the end, changes it.
UPDATED_EVERY = 5

ROLE = "urn:mpeg:dash:role:2011"
PERIOD_CONTINUITY = "urn:mpeg:dash:period-continuity:2015"
PERIOD_CONNECTIVITY = "urn:mpeg:dash:period-connectivity:2015"


def dash_presentation(
    facts: BroadcastFacts,
    entries_by_track: Mapping[str, Sequence[SegmentEntry]],
    *,
    publish_time_ms: int,
    base_url: str | None,
) -> Presentation:
    """The presentation of consecutive entries of each track, dynamic until the broadcast has ended.

    ``base_url`` is the way from the MPD to the tracks' directories, None where it lies beside them.
    """
    tracks = sorted(facts.tracks, key=lambda track: track.kind is not Kind.VIDEO)
    if facts.ended:
        return _static(facts, tracks, period_spans(tracks, entries_by_track), publish_time_ms, base_url)
    found = period_spans(tracks, entries_by_track, paced=facts.low_latency is not None)
    found = complete_spans(found, tracks, entries_by_track)
    presentation = _dynamic(facts, tracks, found, publish_time_ms, base_url)
    if facts.low_latency is not None and found and (step := found[-1].step) is not None:
        return _low_latency(presentation, facts, facts.low_latency, step)
    return presentation


def _dynamic(
    facts: BroadcastFacts,
    tracks: Sequence[TrackFacts],
    found: list[PeriodSpan],
    publish_time_ms: int,
    base_url: str | None,
) -> Presentation:
    target_ms = facts.segment_target_ms
    timing = utc_timing(facts)
    return Presentation(
        type=PresentationType.DYNAMIC,
        min_buffer_time_ms=target_ms,
        periods=_periods(facts, found, tracks),
        availability_start_time_ms=facts.availability_start_ms,
        publish_time_ms=publish_time_ms,
        minimum_update_period_ms=_update_period_ms(found, tracks, target_ms),
        time_shift_buffer_depth_ms=facts.playlist_window_ms,
        suggested_presentation_delay_ms=DELAY_SEGMENTS * target_ms,
        max_segment_duration_ms=_longest_ms(found, tracks, target_ms),
        base_url=base_url,
        utc_timings=(timing,) if timing is not None else (),
    )


def _low_latency(
    presentation: Presentation, facts: BroadcastFacts, low_latency: LowLatency, step: Fraction
) -> Presentation:
    """``presentation`` for players near the live edge, with nothing in it that changes from segment to segment."""
    segment_ms = ceil(step * MILLISECONDS)
    return replace(
        presentation,
        min_buffer_time_ms=part_target_ms(low_latency),
        minimum_update_period_ms=UPDATED_EVERY * segment_ms,
        suggested_presentation_delay_ms=target_latency_ms(low_latency),
        max_segment_duration_ms=max(facts.segment_target_ms, segment_ms),
        service_descriptions=(service_description(low_latency, step),),
    )


def _static(
    facts: BroadcastFacts,
    tracks: Sequence[TrackFacts],
    found: list[PeriodSpan],
    publish_time_ms: int,
    base_url: str | None,
) -> Presentation:
    """Nothing comes any more, so the first Period starts where its media does, whatever was before that."""
    if found:
        start_ms = min(
            entries[0].start * MILLISECONDS // timescale for timescale, entries in _timed(found[:1], tracks)
        )
        found = [replace(found[0], run=replace(found[0].run, start_ms=start_ms)), *found[1:]]
    ends_ms = (
        ceil_div((entries[-1].start + entries[-1].duration) * MILLISECONDS, timescale)
        for timescale, entries in _timed(found, tracks)
    )
    return Presentation(
        type=PresentationType.STATIC,
        min_buffer_time_ms=facts.segment_target_ms,
        periods=_periods(facts, found, tracks),
        publish_time_ms=publish_time_ms,
        media_presentation_duration_ms=max(ends_ms, default=0),
        max_segment_duration_ms=_longest_ms(found, tracks, facts.segment_target_ms),
        base_url=base_url,
    )


def _timed(
    found: Sequence[PeriodSpan], tracks: Sequence[TrackFacts]
) -> Iterator[tuple[int, Sequence[SegmentEntry]]]:
    """Every track's timescale and entries in every span it is in."""
    for span in found:
        for track in tracks:
            if entries := span.entries.get(track.track):
                yield track.config_of(entries[0].init).timescale, entries


def _longest_ms(found: Sequence[PeriodSpan], tracks: Sequence[TrackFacts], target_ms: int) -> int:
    """The longest segment in milliseconds, rounded up, and at least ``target_ms``."""
    longest = (
        ceil_div(max(entry.duration for entry in entries) * MILLISECONDS, timescale)
        for timescale, entries in _timed(found, tracks)
    )
    return max((target_ms, *longest))


def _update_period_ms(found: Sequence[PeriodSpan], tracks: Sequence[TrackFacts], target_ms: int) -> int:
    """How long until there is a segment more: as long as the newest segments last."""
    newest = (entries[-1].duration * MILLISECONDS // timescale for timescale, entries in _timed(found[-1:], tracks))
    return max(MILLISECONDS, min((target_ms, *newest)))


def ceil_div(value: int, divisor: int) -> int:
    return -(-value // divisor)


def _periods(
    facts: BroadcastFacts, found: Sequence[PeriodSpan], tracks: Sequence[TrackFacts]
) -> tuple[Period, ...]:
    periods = []
    for place, span in enumerate(found):
        previous = found[place - 1] if place else None
        closed = place + 1 < len(found)
        adaptation_sets = (
            _adaptation_set(facts, span, number, members, previous, closed=closed)
            for number, members in _switchable(span, tracks)
        )
        periods.append(Period(period_id(span), span.run.start_ms, tuple(adaptation_sets)))
    return tuple(periods)


def period_id(span: PeriodSpan) -> str:
    """The Period's first MSN, behind what tells counted segments from listed ones: when the broadcast ends all are
    listed, and what shaka-player knows of a Period's counted segments it does not unlearn."""
    return f"{'p' if span.step is None else 'n'}{span.run.msn}"


def _switchable(span: PeriodSpan, tracks: Sequence[TrackFacts]) -> Iterator[tuple[int, list[TrackFacts]]]:
    """The tracks of each adaptation set with the set's id: all video, and audio of one codec, rate and layout.

    The id is the place of the set's first track among all tracks, so that it is the same in every Period.
    """
    sets: dict[object, tuple[int, list[TrackFacts]]] = {}
    for number, track in enumerate(tracks):
        config = track.config
        key: object = Kind.VIDEO
        if isinstance(config, AudioConfig):
            key = (track.language, config.codec_string, config.sample_rate, config.channels)
        _, members = sets.setdefault(key, (number, []))
        if track.track in span.entries:
            members.append(track)
    return ((number, members) for number, members in sets.values() if members)


def _adaptation_set(
    facts: BroadcastFacts,
    span: PeriodSpan,
    number: int,
    members: Sequence[TrackFacts],
    previous: PeriodSpan | None,
    *,
    closed: bool,
) -> AdaptationSet:
    templates = [_template(facts, track, span, closed=closed) for track in members]
    # Tracks that have come equally far share one timeline; at the live edge one may be a segment behind.
    shared = templates[0] if all(template == templates[0] for template in templates) else None
    representations = tuple(
        _representation(track, span, None if shared else template)
        for track, template in zip(members, templates, strict=True)
    )
    largest = max(representations, key=lambda representation: representation.height or 0)
    first = members[0]
    independent = all(entry.independent for track in members for entry in span.entries[track.track])
    counted = [template for template in templates[:1] if template.duration is not None]
    references = tuple(producer_reference_time(facts, number, span.run, template) for template in counted)
    main = first.kind is Kind.VIDEO or any(track.default for track in members)
    return AdaptationSet(
        id=number,
        kind=first.kind,
        representations=representations,
        segment_template=shared,
        starts_with_sap=1 if independent else None,
        language=first.language,
        label=first.name if first.kind is Kind.AUDIO and first.name else None,
        picture_aspect_ratio=_picture_aspect_ratio(largest),
        roles=(Descriptor(ROLE, "main" if main else "alternate"),),
        supplemental_properties=_continuity(span, members, previous),
        producer_reference_times=references,
    )


def _template(facts: BroadcastFacts, track: TrackFacts, span: PeriodSpan, *, closed: bool) -> SegmentTemplate:
    entries = span.entries[track.track]
    timescale = track.config_of(entries[0].init).timescale
    if facts.low_latency is not None and span.step is not None:
        return counted_template(
            span.step,
            span.run,
            facts.low_latency,
            timescale=timescale,
            init=entries[0].init,
            end=entries[-1].msn if closed else None,
        )
    return SegmentTemplate(
        initialization=f"$RepresentationID$/{init_name(entries[0].init)}",
        media="$RepresentationID$/$Number$.m4s",
        timescale=timescale,
        start_number=entries[0].msn,
        presentation_time_offset=rescale(span.run.start_ms, MILLISECONDS, timescale),
        timeline=run_lengths((entry.start, entry.duration) for entry in entries),
    )


def _representation(track: TrackFacts, span: PeriodSpan, template: SegmentTemplate | None) -> Representation:
    config = track.config_of(span.entries[track.track][0].init)
    # @bandwidth is mandatory and positive also before anything has been measured.
    bandwidth = max(1, track.peak_bps)
    if isinstance(config, AudioConfig):
        return Representation(
            id=track.track,
            bandwidth=bandwidth,
            codecs=config.codec_string,
            audio_sampling_rate=config.sample_rate,
            audio_channels=config.channels,
            segment_template=template,
        )
    return Representation(
        id=track.track,
        bandwidth=bandwidth,
        codecs=config.codec_string,
        width=config.width,
        height=config.height,
        sample_aspect_ratio=config.sample_aspect_ratio,
        frame_rate=track.frame_rate or config.frame_rate,
        segment_template=template,
    )


def _picture_aspect_ratio(representation: Representation) -> Fraction | None:
    width, height, shape = representation.width, representation.height, representation.sample_aspect_ratio
    return Fraction(width, height) * shape if width and height and shape else None


def _continuity(
    span: PeriodSpan, members: Sequence[TrackFacts], previous: PeriodSpan | None
) -> tuple[Descriptor, ...]:
    """What a player may spare at the Period's start (5.3.2.4): with the same inits a new decoder, and where the
    media also goes on without a break, any treatment at all."""
    if previous is None:
        return ()
    seams = [
        (previous.entries[track.track][-1], span.entries[track.track][0])
        for track in members
        if track.track in previous.entries
    ]
    if not seams or any(before.init != after.init for before, after in seams):
        return ()
    continuous = all(
        not after.discontinuity and before.start + before.duration == after.start for before, after in seams
    )
    scheme = PERIOD_CONTINUITY if continuous else PERIOD_CONNECTIVITY
    return (Descriptor(scheme, period_id(previous)),)
