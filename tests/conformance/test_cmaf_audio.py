"""AAC packaged by Headwater and decoded by PyAV and ffmpeg, including generated silence."""

from pathlib import Path

import pytest
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from media.codecs.aac import parse_audio_specific_config, silent_frame
from media.configs import AudioConfig
from media.units import AccessUnit, Kind
from packager.cmaf.fragment import Sample, fragment
from packager.cmaf.init_segment import init_segment
from tests.conformance.encoders import encode_audio, read, samples_of
from tests.conformance.ffmpeg_wheel import decoding_errors
from tests.lab.aac import aac_lc_record

PART = 12
BYTES_PER_SAMPLE = 4


def pack(config: AudioConfig, units: list[AccessUnit]) -> bytes:
    samples = samples_of(units, config.frame_samples)
    return init_segment(config) + b"".join(
        fragment(
            start // PART + 1,
            units[start].dts,
            samples[start : start + PART],
            kind=Kind.AUDIO,
            first_of_segment=start % (4 * PART) == 0,
        )
        for start in range(0, len(samples), PART)
    )


def decode(data: bytes) -> list[AudioFrame]:
    with read(data) as container:
        return list(container.decode(audio=0))


def is_silent(frame: AudioFrame) -> bool:
    """Compared in one packed plane: of eight channels PyAV 18 lists nine planes, and PyAV 19 cannot list any."""
    (packed,) = AudioResampler(format="flt").resample(frame)
    (plane,) = packed.planes
    return not any(bytes(plane)[: packed.samples * packed.layout.nb_channels * BYTES_PER_SAMPLE])


@pytest.mark.parametrize(
    ("sample_rate", "layout"), [(48_000, "stereo"), (44_100, "mono"), (48_000, "5.1"), (96_000, "stereo")]
)
def test_every_access_unit_is_decoded_at_its_time(sample_rate: int, layout: str, tmp_path: Path) -> None:
    config, units = encode_audio(sample_rate, layout, 3 * sample_rate // 1024)
    data = pack(config, units)
    with read(data) as container:
        packets = [packet for packet in container.demux(audio=0) if packet.size]
    assert [packet.pts for packet in packets] == [unit.pts for unit in units]
    assert [packet.dts for packet in packets] == [unit.dts for unit in units]
    assert [bytes(packet) for packet in packets] == [unit.payload for unit in units]
    frames = decode(data)
    assert [frame.pts for frame in frames] == [unit.pts for unit in units]
    assert {(frame.sample_rate, frame.layout.name, frame.samples) for frame in frames} == {
        (sample_rate, layout, 1024)
    }
    assert not all(map(is_silent, frames))
    path = tmp_path / "track.mp4"
    path.write_bytes(data)
    assert decoding_errors(path) == ""


@pytest.mark.parametrize("sample_rate", [48_000, 44_100, 8_000])
@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 6, 8])
def test_silence_decodes_to_silence(sample_rate: int, channels: int) -> None:
    config = parse_audio_specific_config(aac_lc_record(sample_rate, channels))
    frame = silent_frame(config)
    assert frame is not None
    frames = decode(pack(config, [AccessUnit(Kind.AUDIO, 1024 * index, 0, True, frame) for index in range(30)]))
    assert len(frames) == 30
    assert {(f.layout.nb_channels, f.sample_rate, f.samples) for f in frames} == {(channels, sample_rate, 1024)}
    assert all(map(is_silent, frames))


@pytest.mark.parametrize("record", ["2b920800", "139056e5a0", "eb8a0800", "138856e5a54880", "119056e500"])
def test_silence_in_he_aac_has_the_duration_of_a_frame(record: str, tmp_path: Path) -> None:
    config = parse_audio_specific_config(bytes.fromhex(record))
    frame = silent_frame(config)
    assert frame is not None
    units = [AccessUnit(Kind.AUDIO, config.frame_samples * index, 0, True, frame) for index in range(30)]
    data = pack(config, units)
    frames = decode(data)
    assert {(f.sample_rate, f.samples) for f in frames} == {(config.sample_rate, config.frame_samples)}
    assert all(map(is_silent, frames))
    path = tmp_path / "track.mp4"
    path.write_bytes(data)
    assert decoding_errors(path) == ""


def test_silence_between_audio_decodes_without_errors(tmp_path: Path) -> None:
    config, units = encode_audio(48_000, "stereo", 60)
    silence = silent_frame(config)
    assert silence is not None
    patched = [
        AccessUnit(Kind.AUDIO, unit.dts, 0, True, silence) if 20 <= index < 40 else unit
        for index, unit in enumerate(units)
    ]
    data = pack(config, patched)
    silent = [is_silent(frame) for frame in decode(data)]
    assert all(silent[22:39])
    assert not any(silent[5:19])
    path = tmp_path / "track.mp4"
    path.write_bytes(data)
    assert decoding_errors(path) == ""


def test_corrected_durations_are_exact() -> None:
    config, units = encode_audio(48_000, "stereo", 10)
    durations = [1024, 1023, 1025, 1024, 1024, 1020]
    samples = [Sample(duration, 0, True, unit.payload) for duration, unit in zip(durations, units, strict=False)]
    data = init_segment(config) + fragment(1, 5000, samples, kind=Kind.AUDIO)
    with read(data) as container:
        packets = [packet for packet in container.demux(audio=0) if packet.size]
    assert [packet.pts for packet in packets] == [5000 + sum(durations[:index]) for index in range(6)]
