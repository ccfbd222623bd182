"""The worker's audio path with real codecs: each beep keeps its time, whatever happens to the timestamps."""

import itertools
from collections.abc import Sequence
from fractions import Fraction

import pytest

from media.units import AccessUnit, Codec
from tests.unit.transcoder.running import Result, run
from tests.unit.transcoder.sources import AudioSource, audio, beep, onsets
from transcoder.errors import EncoderUnavailable
from transcoder.messages import AudioRung, Job

TRACK = "a64k"
RUNG = AudioRung(TRACK, 64_000)
SYNC = Fraction(10, 1000)
BEEPS = (Fraction(1, 4), Fraction(5, 4), Fraction(9, 4))


def beeping(rate: int = 48_000, *, start: int = 0, codec: str = "aac", channels: int = 2) -> AudioSource:
    """Three seconds, each with a beep after a quarter of a second."""
    wave = beep(3 * rate, rate, [int(at * rate) for at in BEEPS])
    return audio(wave, rate=rate, start=start, codec=codec, channels=channels)


def transcode(source: AudioSource, units: Sequence[AccessUnit] | None = None, rung: AudioRung = RUNG) -> Result:
    job = Job(None, audio=source.config, audio_outputs=(rung,))
    return run(job, source.units if units is None else units)


def beep_times(result: Result) -> list[Fraction]:
    return list(onsets(result.audio(TRACK), result.units[TRACK]))


def assert_in_sync(result: Result, expected: Sequence[Fraction]) -> None:
    times = beep_times(result)
    assert len(times) == len(expected)
    for time, wanted in zip(times, expected, strict=True):
        assert abs(time - wanted) <= SYNC, f"beep at {float(time):.4f} s, sent for {float(wanted):.4f} s"


def assert_gapless(units: Sequence[AccessUnit]) -> None:
    assert {b.dts - a.dts for a, b in itertools.pairwise(units)} == {1024}


@pytest.mark.parametrize("codec", ["aac", "libmp3lame"])
@pytest.mark.parametrize("rate", [44_100, 48_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_sound_stays_in_sync(codec: str, rate: int, channels: int) -> None:
    source = beeping(rate, start=7 * rate, codec=codec, channels=channels)
    assert source.config.codec is (Codec.AAC if codec == "aac" else Codec.MP3)
    result = transcode(source)
    config = result.audio(TRACK)
    assert (config.codec, config.codec_string) == (Codec.AAC, "mp4a.40.2")
    assert (config.sample_rate, config.channels, config.frame_samples) == (rate, channels, 1024)
    assert_in_sync(result, [7 + at for at in BEEPS])
    assert_gapless(result.units[TRACK])


def test_the_first_unit_starts_with_the_source() -> None:
    source = beeping(start=10_000)
    assert transcode(source).units[TRACK][0].dts == source.units[0].dts


def test_no_sample_is_lost() -> None:
    source = beeping()
    units = transcode(source).units[TRACK]
    end = source.units[-1].dts + 1024
    assert end <= units[-1].dts + 1024 < end + 2048


@pytest.mark.parametrize("rate", [22_050, 44_100])
def test_resampling_and_downmixing(rate: int) -> None:
    result = transcode(beeping(start=480_000), rung=AudioRung(TRACK, 48_000, sample_rate=rate, channels=1))
    assert (result.audio(TRACK).sample_rate, result.audio(TRACK).channels) == (rate, 1)
    assert_in_sync(result, [10 + at for at in BEEPS])
    assert_gapless(result.units[TRACK])


def test_lost_units_become_silence() -> None:
    source = beeping()
    result = transcode(source, [*source.units[:30], *source.units[40:]])
    assert_in_sync(result, BEEPS)
    assert_gapless(result.units[TRACK])


def test_a_jump_ahead_becomes_silence() -> None:
    source = beeping()
    late = [unit._replace(dts=unit.dts + 4 * 48_000) for unit in source.units[80:]]
    result = transcode(source, [*source.units[:80], *late])
    assert_in_sync(result, [BEEPS[0], BEEPS[1], BEEPS[2] + 4])
    assert_gapless(result.units[TRACK])


def test_a_long_hole_is_not_filled() -> None:
    source = beeping()
    late = [unit._replace(dts=unit.dts + 3600 * 48_000) for unit in source.units[80:]]
    result = transcode(source, [*source.units[:80], *late])
    assert len(result.units[TRACK]) < len(source.units) + 4
    assert_in_sync(result, [BEEPS[0], BEEPS[1], BEEPS[2] + 3600])


def test_repeated_units_are_encoded_once() -> None:
    source = beeping()
    result = transcode(source, [*source.units[:80], *source.units[75:]])
    assert_in_sync(result, BEEPS)
    assert_gapless(result.units[TRACK])


def test_millisecond_timestamps_do_not_jitter_the_track() -> None:
    """RTMP's timestamps are whole milliseconds; 1024 samples last 21.33 ms."""
    source = beeping()
    rounded = [unit._replace(dts=round(unit.dts / 48) * 48) for unit in source.units]
    result = transcode(source, rounded)
    assert_in_sync(result, BEEPS)
    assert_gapless(result.units[TRACK])


@pytest.mark.parametrize("drift", [Fraction(1001, 1000), Fraction(999, 1000)])
def test_a_drifting_clock_is_followed(drift: Fraction) -> None:
    source = beeping()
    drifting = [unit._replace(dts=round(unit.dts * drift)) for unit in source.units]
    result = transcode(source, drifting)
    assert_in_sync(result, [at * drift for at in BEEPS])
    assert_gapless(result.units[TRACK])


def test_garbage_is_counted_and_skipped() -> None:
    source = beeping()
    damaged = list(source.units)
    damaged[30] = damaged[30]._replace(payload=b"")
    damaged[31] = damaged[31]._replace(payload=b"\xff\xa5" * 90)
    result = transcode(source, damaged)
    assert result.progress.errors >= 1
    assert len(beep_times(result)) >= len(BEEPS)
    assert_gapless(result.units[TRACK])


def test_a_source_without_units_is_not_an_error() -> None:
    result = transcode(beeping(), [])
    assert TRACK in result.configs
    assert result.units == {}


def test_an_impossible_rate_is_a_declared_error() -> None:
    with pytest.raises(EncoderUnavailable, match="12345 Hz"):
        transcode(beeping(), rung=AudioRung(TRACK, 64_000, sample_rate=12_345))
