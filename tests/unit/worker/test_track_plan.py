from dataclasses import replace
from fractions import Fraction

import pytest

from media.configs import AudioConfig, VideoConfig
from media.ladder import Ladder, Rung
from media.units import Codec
from tests.unit.media.codecs.made_up import HUM_RECORD, WISP_RECORD, install, parse_hum, parse_wisp
from tests.unit.packager.recording import audio_config, video_config
from worker.track_plan import plan_tracks

HD = replace(video_config(), width=1280, height=720)
MP3 = AudioConfig(Codec.MP3, b"", "mp4a.40.34", 44_100, 2, 1152)


def names(
    video: VideoConfig | None,
    audio: AudioConfig | None,
    ladder: Ladder = "auto",
    *,
    encode_top: bool = False,
    low_audio_bps: int | None = None,
) -> list[str]:
    plan = plan_tracks(video, audio, Fraction(30), ladder, encode_top=encode_top, low_audio_bps=low_audio_bps)
    return [track.name + ("*" if plan.encodes(track.name) else "") for track in plan.tracks]


def test_the_source_is_the_unencoded_top_rendition() -> None:
    assert names(HD, audio_config()) == ["vsource", "v480p*", "v360p*", "asource"]


def test_a_source_ladder_has_only_the_source() -> None:
    assert names(HD, audio_config(), "source", low_audio_bps=64_000) == ["vsource", "asource"]


def test_a_source_that_cannot_pass_through_is_encoded_as_vsource() -> None:
    assert names(HD, audio_config(), encode_top=True) == ["vsource*", "v480p*", "v360p*", "asource"]


@pytest.mark.parametrize("change", [{"chroma_format_idc": 2}, {"bit_depth": 10}])
def test_samples_that_most_players_cannot_decode_are_encoded_if_there_is_a_ladder(change: dict[str, int]) -> None:
    video = replace(HD, **change)  # type: ignore[arg-type]
    assert names(video, None) == ["vsource*", "v480p*", "v360p*"]
    assert names(replace(video, width=320, height=180), None) == ["vsource*"]
    assert names(video, None, "source") == ["vsource"]


def test_interlaced_video_passes_through() -> None:
    assert names(replace(HD, interlaced=True), None) == ["vsource", "v480p*", "v360p*"]


def test_a_custom_ladder() -> None:
    assert names(HD, None, (Rung(240, 400_000),)) == ["vsource", "v240p*"]


def test_mp3_is_encoded_even_without_a_ladder() -> None:
    assert names(HD, MP3, "source") == ["vsource", "a128k*"]
    assert names(None, MP3) == ["a128k*"]


def test_a_second_audio_track() -> None:
    plan = plan_tracks(HD, audio_config(), Fraction(30), "auto", encode_top=False, low_audio_bps=64_000)
    assert [(t.name, t.default) for t in plan.tracks if t.name.startswith("a")] == [
        ("asource", True),
        ("a64k", False),
    ]


def test_a_new_codec_passes_through_if_it_has_a_sample_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    video, audio = parse_wisp(WISP_RECORD), parse_hum(HUM_RECORD)
    assert names(video, audio, "source") == ["vsource*", "a128k*"]
    install(monkeypatch)
    assert names(video, audio, "source") == ["vsource", "asource"]
