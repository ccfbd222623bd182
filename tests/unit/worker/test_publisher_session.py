"""A publisher's session passes everything to its broadcast until it ends."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ingest.interface import EndReason
from ingest.track_start import TimingProblem
from tests.unit.packager.recording import audio_config, frame, sound, video_config
from tests.unit.worker.fakes import FakeLink
from tests.unit.worker.stage import request
from worker.publisher_session import PublisherSession

End = tuple[PublisherSession, EndReason, str]


PROBLEM = TimingProblem("tracks-apart", "audio started 3.0 s after video")


@dataclass
class RecordingBroadcast:
    """Records the calls of a session."""

    calls: list[object] = field(default_factory=list)

    def on_metadata(self, metadata: Mapping[str, object]) -> None:
        self.calls.append(metadata)

    def on_config(self, config: object) -> None:
        self.calls.append(config)

    def on_unit(self, unit: object) -> None:
        self.calls.append(unit)

    def on_timing(self, problem: TimingProblem) -> None:
        self.calls.append(problem)

    def on_dropped(self, reason: str) -> None:
        self.calls.append(reason)

    def on_repaired(self, reason: str) -> None:
        self.calls.append(reason)


class Bench:
    def __init__(self, software: str | None = "OBS") -> None:
        self.ends: list[End] = []
        broadcast = RecordingBroadcast()
        self.calls = broadcast.calls
        self.session = PublisherSession(
            broadcast,
            request(software=software),
            FakeLink(),
            since=0.0,
            on_ended=lambda *end: self.ends.append(end),
        )


def test_everything_a_publisher_sends_is_passed_on_in_order() -> None:
    bench = Bench()
    session = bench.session
    session.on_metadata({"framerate": 30.0})
    session.on_video_config(video_config())
    session.on_audio_config(audio_config())
    session.on_unit(frame(0, key=True))
    session.on_discontinuity()
    session.on_unit(sound(0))
    session.on_timing(PROBLEM)
    session.on_dropped("too-large")
    session.on_repaired("adts")
    assert bench.calls == [
        {"framerate": 30.0},
        video_config(),
        audio_config(),
        frame(0, key=True),
        "timestamp-jump",
        sound(0),
        PROBLEM,
        "too-large",
        "adts",
    ]


def test_nothing_is_passed_on_after_the_end() -> None:
    bench = Bench()
    session = bench.session
    session.on_end(EndReason.LOST, "")
    session.on_metadata({"encoder": "another"})
    session.on_video_config(video_config())
    session.on_audio_config(audio_config())
    session.on_unit(frame(0, key=True))
    session.on_discontinuity()
    session.on_timing(PROBLEM)
    session.on_dropped("too-large")
    session.on_repaired("adts")
    assert bench.calls == []
    assert session.software == "OBS"


def test_the_end_is_reported_once_with_its_reason() -> None:
    bench = Bench()
    bench.session.on_end(EndReason.KICKED, "ended by the operator")
    bench.session.on_end(EndReason.LOST, "")
    assert bench.ends == [(bench.session, EndReason.KICKED, "ended by the operator")]


def test_the_software_is_the_encoder_in_the_metadata() -> None:
    bench = Bench(software=None)
    assert bench.session.software is None
    bench.session.on_metadata({"encoder": "obs-output module (libobs version 30.2.3)"})
    assert bench.session.software == "obs-output module (libobs version 30.2.3)"


def test_the_name_of_the_software_is_bounded() -> None:
    bench = Bench()
    bench.session.on_metadata({"encoder": "x" * 10_000})
    assert bench.session.software == "x" * 200


def test_metadata_without_an_encoder_keeps_the_software() -> None:
    bench = Bench()
    for metadata in ({}, {"encoder": ""}, {"encoder": 3.0}):
        bench.session.on_metadata(metadata)
        assert bench.session.software == "OBS"


def test_another_receiver_gets_what_it_has_to_know_and_all_that_follows() -> None:
    bench = Bench()
    metadata, video, audio = {"framerate": 30.0}, video_config(), audio_config()
    bench.session.on_metadata({"framerate": 25.0})
    bench.session.on_metadata(metadata)
    bench.session.on_video_config(video)
    bench.session.on_audio_config(audio)
    bench.session.on_timing(PROBLEM)
    bench.session.on_unit(frame(0, key=True))
    before = len(bench.calls)
    other = RecordingBroadcast()
    bench.session.feed(other)
    bench.session.on_unit(frame(3000))
    bench.session.on_dropped("late-audio")
    assert other.calls == [metadata, video, audio, PROBLEM, frame(3000), "late-audio"]
    assert len(bench.calls) == before
