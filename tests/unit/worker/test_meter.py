import pytest

from tests.unit.packager.recording import frame, sound
from worker.meter import HISTORY_S, SourceMeter


def test_rates_are_measured_over_the_last_seconds() -> None:
    meter = SourceMeter()
    meter.tick(0, 1000)
    for second in range(1, 4):
        for i in range(30):
            meter.add_video(frame((second * 30 + i) * 3000, key=i == 0, size=100))
        meter.add_audio(sound(0, 500))
        meter.tick(second, 1000 + second)
    assert meter.fps == pytest.approx(30)
    assert meter.bitrate_bps == (30 * 104 + 500) * 8
    assert meter.audio_bitrate_bps == 4000
    assert meter.keyframe_interval_s == pytest.approx(1)
    assert [sample.at for sample in meter.history] == [1001, 1002, 1003]


def test_a_keyframe_interval_does_not_span_a_break() -> None:
    meter = SourceMeter()
    meter.add_video(frame(0, key=True))
    meter.restart()
    meter.add_video(frame(900_000, key=True))
    assert meter.keyframe_interval_s is None


def test_history_is_bounded() -> None:
    meter = SourceMeter()
    for second in range(HISTORY_S + 50):
        meter.tick(second, second)
    assert len(meter.history) == HISTORY_S


def test_rates_are_zero_without_media() -> None:
    meter = SourceMeter()
    assert (meter.bitrate_bps, meter.fps) == (0, 0.0)
