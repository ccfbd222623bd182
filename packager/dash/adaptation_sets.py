"""Builds the Periods of a presentation: their Adaptation Sets, Representations and Segment Templates."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

from media.configs import AudioConfig
from media.names import init_name
from media.timescale import MILLISECONDS, rescale
from media.units import Kind
from packager.dash.low_latency import duration_template, producer_reference_time
from packager.dash.model import AdaptationSet, Descriptor, Period, Representation, SegmentTemplate
from packager.dash.periods import PeriodSpan
from packager.dash.timeline import run_lengths
from packager.facts import BroadcastFacts, TrackFacts

ROLE = "urn:mpeg:dash:role:2011"
PERIOD_CONTINUITY = "urn:mpeg:dash:period-continuity:2015"
PERIOD_CONNECTIVITY = "urn:mpeg:dash:period-connectivity:2015"


def build_periods(
    facts: BroadcastFacts, spans: Sequence[PeriodSpan], tracks: Sequence[TrackFacts]
) -> tuple[Period, ...]:
    """The Period of each of ``spans``, in order."""
    periods = []
    for index, span in enumerate(spans):
        previous = spans[index - 1] if index else None
        closed = index + 1 < len(spans)
        adaptation_sets = (
            _adaptation_set(facts, span, number, members, previous, closed=closed)
            for number, members in _members_by_set(span, tracks)
        )
        periods.append(Period(period_id(span), span.run.start_ms, tuple(adaptation_sets)))
    return tuple(periods)


def period_id(span: PeriodSpan) -> str:
    """The Period@id: ``n`` for a Period with @duration or ``p`` for one with a timeline, then its first MSN.

    At the end of the broadcast all segments move to timelines. Those Periods need new ids, because shaka-player
    does not replace the segments that it derived from @duration in a Period that it already has.
    """
    return f"{'p' if span.segment_duration is None else 'n'}{span.run.msn}"


def _members_by_set(span: PeriodSpan, tracks: Sequence[TrackFacts]) -> Iterator[tuple[int, list[TrackFacts]]]:
    """The id and the tracks of each Adaptation Set: one for all video, one for each kind of audio.

    Audio is of one kind if language, codec, sample rate and channel count agree. The id is the index of the set's
    first track among all tracks, so it is the same in every Period.
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
    # Tracks with equal timelines share one template; at the live edge, one track may be a segment behind.
    shared = templates[0] if all(template == templates[0] for template in templates) else None
    representations = tuple(
        _representation(track, span, None if shared else template)
        for track, template in zip(members, templates, strict=True)
    )
    largest = max(representations, key=lambda representation: representation.height or 0)
    first = members[0]
    independent = all(entry.independent for track in members for entry in span.entries[track.track])
    with_duration = [template for template in templates[:1] if template.duration is not None]
    references = tuple(producer_reference_time(facts, number, span.run, template) for template in with_duration)
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
    if facts.low_latency is not None and span.segment_duration is not None:
        return duration_template(
            span.segment_duration,
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
    # @bandwidth must be positive even before a segment was measured.
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
    width, height, sar = representation.width, representation.height, representation.sample_aspect_ratio
    return Fraction(width, height) * sar if width and height and sar else None


def _continuity(
    span: PeriodSpan, members: Sequence[TrackFacts], previous: PeriodSpan | None
) -> tuple[Descriptor, ...]:
    """Period connectivity or continuity with the previous Period (5.3.2.4).

    Periods with the same init segments are connected: a player can keep its decoder. They are continuous if the
    media also has no break between them.
    """
    if previous is None:
        return ()
    boundaries = [
        (previous.entries[track.track][-1], span.entries[track.track][0])
        for track in members
        if track.track in previous.entries
    ]
    if not boundaries or any(before.init != after.init for before, after in boundaries):
        return ()
    continuous = all(
        not after.discontinuity and before.start + before.duration == after.start for before, after in boundaries
    )
    scheme = PERIOD_CONTINUITY if continuous else PERIOD_CONNECTIVITY
    return (Descriptor(scheme, period_id(previous)),)
