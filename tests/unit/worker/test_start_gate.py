from tests.unit.packager.recording import audio_config, video_config
from worker.start_gate import LONGEST_WAIT_MS, StartGate


def test_it_is_closed_without_a_configuration() -> None:
    assert not StartGate().opens(10_000)


def test_it_opens_with_both_configurations() -> None:
    assert StartGate(video_config(), audio_config()).opens(0)


def test_it_waits_a_second_for_the_other_track() -> None:
    gate = StartGate(video=video_config())
    assert not gate.opens(LONGEST_WAIT_MS - 1)
    assert gate.opens(LONGEST_WAIT_MS)


def test_it_does_not_wait_for_a_track_missing_from_the_metadata() -> None:
    gate = StartGate(video=video_config())
    gate.on_metadata({"videocodecid": 7.0, "width": 1280.0})
    assert gate.opens(33)
    gate.on_metadata({"videocodecid": 7.0, "audiocodecid": 10.0})
    assert not gate.opens(33)
    alone = StartGate(audio=audio_config())
    alone.on_metadata({"audiocodecid": 10.0})
    assert alone.opens(21)
