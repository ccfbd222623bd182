from fractions import Fraction
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.units import Kind
from packager.dash import (
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
    render,
    run_lengths,
)
from packager.dash.xml import Element, document
from packager.playlist_errors import UnrepresentableValue

TIMING = Descriptor("urn:mpeg:dash:utc:http-xsdate:2014", "https://headwater.example/time?a=1&b=2")


def test_live_presentation_renders_as_the_standard_specifies() -> None:
    template = SegmentTemplate(
        initialization="$RepresentationID$/init-0.mp4",
        media="$RepresentationID$/$Number$.m4s",
        timescale=90_000,
        start_number=12,
        presentation_time_offset=900_000,
        timeline=(SegmentRun(180_180, 2_162_160, 3), SegmentRun(90_000), SegmentRun(180_180, 9_000_000)),
    )
    presentation = Presentation(
        type=PresentationType.DYNAMIC,
        min_buffer_time_ms=2000,
        availability_start_time_ms=1_795_257_665_123,
        publish_time_ms=1_795_257_700_000,
        minimum_update_period_ms=2002,
        time_shift_buffer_depth_ms=60_000,
        suggested_presentation_delay_ms=6000,
        max_segment_duration_ms=2002,
        base_url="20261121t104105z-ab12cd/",
        utc_timings=(TIMING,),
        periods=(
            Period(
                "p7",
                10_000,
                (
                    AdaptationSet(
                        id=0,
                        kind=Kind.VIDEO,
                        segment_template=template,
                        picture_aspect_ratio=Fraction(16, 9),
                        roles=(Descriptor("urn:mpeg:dash:role:2011", "main"),),
                        supplemental_properties=(Descriptor("urn:mpeg:dash:period-continuity:2015", "p0"),),
                        representations=(
                            Representation(
                                "v720p", 3_400_000, "avc1.64001f", 1280, 720, Fraction(1), Fraction(30_000, 1001)
                            ),
                            Representation("v360p", 900_000, "avc1.4d401e", 640, 360, Fraction(1), Fraction(15)),
                        ),
                    ),
                    AdaptationSet(
                        id=2,
                        kind=Kind.AUDIO,
                        language="en",
                        label="Sound & <more>",
                        starts_with_sap=None,
                        representations=(
                            Representation(
                                "a128k",
                                131_000,
                                "mp4a.40.2",
                                audio_sampling_rate=48_000,
                                audio_channels=2,
                                segment_template=SegmentTemplate("i", "m", 48_000, 0, timeline=()),
                            ),
                        ),
                    ),
                ),
            ),
        ),
    )
    assert render(presentation) == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-live:2011" type="dynamic"'
        ' availabilityStartTime="2026-11-21T10:41:05.123Z" publishTime="2026-11-21T10:41:40.000Z"'
        ' minimumUpdatePeriod="PT2.002S" minBufferTime="PT2S" timeShiftBufferDepth="PT60S"'
        ' suggestedPresentationDelay="PT6S" maxSegmentDuration="PT2.002S">\n'
        "  <BaseURL>20261121t104105z-ab12cd/</BaseURL>\n"
        '  <Period id="p7" start="PT10S">\n'
        '    <AdaptationSet id="0" contentType="video" mimeType="video/mp4" segmentAlignment="true"'
        ' startWithSAP="1" par="16:9" maxWidth="1280" maxHeight="720" maxFrameRate="30000/1001">\n'
        '      <SupplementalProperty schemeIdUri="urn:mpeg:dash:period-continuity:2015" value="p0"/>\n'
        '      <Role schemeIdUri="urn:mpeg:dash:role:2011" value="main"/>\n'
        '      <SegmentTemplate timescale="90000" presentationTimeOffset="900000" startNumber="12"'
        ' initialization="$RepresentationID$/init-0.mp4" media="$RepresentationID$/$Number$.m4s">\n'
        "        <SegmentTimeline>\n"
        '          <S t="2162160" d="180180" r="3"/>\n'
        '          <S d="90000"/>\n'
        '          <S t="9000000" d="180180"/>\n'
        "        </SegmentTimeline>\n"
        "      </SegmentTemplate>\n"
        '      <Representation id="v720p" bandwidth="3400000" codecs="avc1.64001f" width="1280" height="720"'
        ' sar="1:1" frameRate="30000/1001"/>\n'
        '      <Representation id="v360p" bandwidth="900000" codecs="avc1.4d401e" width="640" height="360"'
        ' sar="1:1" frameRate="15"/>\n'
        "    </AdaptationSet>\n"
        '    <AdaptationSet id="2" contentType="audio" mimeType="audio/mp4" lang="en" segmentAlignment="true">\n'
        "      <Label>Sound &amp; &lt;more&gt;</Label>\n"
        '      <Representation id="a128k" bandwidth="131000" codecs="mp4a.40.2" audioSamplingRate="48000">\n'
        '        <AudioChannelConfiguration schemeIdUri="urn:mpeg:mpegB:cicp:ChannelConfiguration" value="2"/>\n'
        '        <SegmentTemplate timescale="48000" startNumber="0" initialization="i" media="m">\n'
        "          <SegmentTimeline/>\n"
        "        </SegmentTemplate>\n"
        "      </Representation>\n"
        "    </AdaptationSet>\n"
        "  </Period>\n"
        '  <UTCTiming schemeIdUri="urn:mpeg:dash:utc:http-xsdate:2014"'
        ' value="https://headwater.example/time?a=1&amp;b=2"/>\n'
        "</MPD>\n"
    )


def test_low_latency_elements_render_as_the_standard_specifies() -> None:
    presentation = Presentation(
        type=PresentationType.DYNAMIC,
        min_buffer_time_ms=500,
        service_descriptions=(
            ServiceDescription(
                0, Latency(1500, 500, 6000, reference_id=7), PlaybackRate(Fraction(24, 25), Fraction(26, 25))
            ),
        ),
        periods=(
            Period(
                "p0",
                0,
                (
                    AdaptationSet(
                        id=0,
                        kind=Kind.VIDEO,
                        representations=(Representation("v720p", 1, "avc1.64001f"),),
                        producer_reference_times=(
                            ProducerReferenceTime(7, 1_795_257_665_123, 900_000, utc_timing=TIMING),
                        ),
                        segment_template=SegmentTemplate(
                            "i",
                            "m",
                            90_000,
                            0,
                            duration=180_000,
                            availability_time_offset_ms=1800,
                            availability_time_complete=False,
                        ),
                    ),
                ),
                duration_ms=4000,
            ),
        ),
    )
    text = render(presentation)
    assert '<Latency referenceId="7" target="1500" max="6000" min="500"/>' in text
    assert '<PlaybackRate max="1.04" min="0.96"/>' in text
    assert '<Period id="p0" start="PT0S" duration="PT4S">' in text
    assert (
        '<ProducerReferenceTime id="7" inband="true" type="encoder" wallClockTime="2026-11-21T10:41:05.123Z"'
        ' presentationTime="900000">\n        <UTCTiming '
    ) in text
    assert (
        '<SegmentTemplate timescale="90000" availabilityTimeOffset="1.8" availabilityTimeComplete="false"'
        ' duration="180000" startNumber="0" initialization="i" media="m"/>'
    ) in text


def expanded(runs: tuple[SegmentRun, ...]) -> list[tuple[int, int]]:
    """The (start, duration) pairs that a player derives from ``runs``."""
    segments: list[tuple[int, int]] = []
    at = 0
    for run in runs:
        at = at if run.t is None else run.t
        for _ in range(run.repeat + 1):
            segments.append((at, run.d))
            at += run.d
    return segments


@given(
    st.lists(st.tuples(st.sampled_from((0, 0, 0, 5)), st.sampled_from((90, 91))), max_size=12), st.integers(0, 100)
)
def test_run_lengths_are_lossless_and_minimal(steps: list[tuple[int, int]], at: int) -> None:
    segments = []
    for hole, duration in steps:
        at += hole
        segments.append((at, duration))
        at += duration
    runs = run_lengths(segments)
    assert expanded(runs) == segments
    assert all(run.t is not None or run.d != before.d for before, run in pairwise(runs))


def test_a_day_of_equal_segments_is_one_run() -> None:
    assert run_lengths((msn * 180_000, 180_000) for msn in range(43_200)) == (SegmentRun(180_000, 0, 43_199),)


@settings(max_examples=200)
@given(st.text(max_size=20), st.text(max_size=20))
def test_any_text_is_escaped_or_rejected(value: str, text: str) -> None:
    try:
        written = document(Element("MPD", (("id", value),), text=text))
    except UnrepresentableValue:
        return
    read = ElementTree.fromstring(written.encode())
    assert read.get("id") == value
    assert (read.text or "") == text
    assert len(read) == 0


@pytest.mark.parametrize("text", ["\x00", "\x0b", "\ud800", "\uffff"])
def test_characters_outside_xml_are_rejected(text: str) -> None:
    with pytest.raises(UnrepresentableValue):
        document(Element("MPD", text=text))
