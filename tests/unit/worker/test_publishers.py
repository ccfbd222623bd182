"""A primary and a backup that publish at once: who is on air, and what viewers get."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from cluster.errors import OwnerFailed
from cluster.questions import SwitchCommand, Switching
from ingest.errors import PublishRefused
from ingest.interface import EndReason
from live.status import StreamState, StreamStatus
from media.roles import Role
from media.units import VIDEO_TIMESCALE as S
from tests.torture.oracle import judge_track
from tests.torture.recording import Track, read_recordings
from tests.unit.packager.recording import audio_config, frame, sound, video_config
from tests.unit.worker.fakes import FakeLink
from tests.unit.worker.stage import PREFIX, STREAM, WINDOW_S, ChannelStage, StationStage
from worker.publishers import LONGEST_WAIT_S

PRIMARY, BACKUP = Role
FPS = 30
# The part of a second in which both publishers' arrivals are compared, and a frame.
CHECK_S, FRAME_S = 0.05, 1 / FPS


class Encoder:
    """A publisher with its own time line, which begins with ``start_s`` of unsent media. ``size`` differs from
    encoder to encoder, so that a recording shows whose frames it has."""

    def __init__(
        self, link: FakeLink, *, size: int, gop: int = 60, ahead: int = 0, with_sound: bool = False
    ) -> None:
        self.link = link
        self.stalls = False
        self._size = size
        self._gop = gop
        self._count = ahead
        self._with_sound = with_sound
        self._sounds = 0
        session = link.session
        assert session is not None
        session.on_metadata({"videocodecid": 7.0, "framerate": float(FPS), "encoder": f"encoder {size}"})
        session.on_video_config(video_config())
        if with_sound:
            session.on_audio_config(audio_config())

    def send(self) -> None:
        """Send one frame, and the sound up to its time."""
        count, session = self._count, self.link.session
        self._count += 1
        if session is None or self.stalls:
            return
        dts = count * S // FPS
        session.on_unit(frame(dts, key=count % self._gop == 0, size=self._size))
        if self._with_sound:
            self._sounds = max(self._sounds, dts * 48_000 // S // 1024)
            while self._sounds * 1024 * S <= (dts + S // FPS) * 48_000:
                session.on_unit(sound(self._sounds * 1024))
                self._sounds += 1


class Stage:
    """Both publishers on one channel; the backup's keyframes come ``apart`` frames after the primary's."""

    def __init__(self, stage: ChannelStage, *, apart: int, gop: int, with_sound: bool) -> None:
        self.channel = stage
        self.primary = Encoder(stage.attach(FakeLink("1:1")), size=20, gop=gop, with_sound=with_sound)
        self.backup = Encoder(
            stage.attach(FakeLink("2:2"), role=BACKUP), size=40, gop=gop, ahead=gop - apart, with_sound=with_sound
        )

    @classmethod
    async def start(cls, *, apart: int = 20, gop: int = 60, with_sound: bool = False) -> "Stage":
        return cls(await ChannelStage.start(), apart=apart, gop=gop, with_sound=with_sound)

    async def run(self, seconds: float) -> None:
        for _ in range(round(seconds * FPS)):
            self.primary.send()
            self.backup.send()
            await self.channel.clock.advance(1 / FPS)

    async def status(self) -> StreamStatus:
        status = await self.channel.status()
        assert status is not None
        return status

    async def on_air(self) -> Role | None:
        status = await self.status()
        return status.publisher.role if status.publisher else None

    async def warnings(self) -> set[str]:
        return {warning.code for warning in (await self.status()).warnings}

    async def switch(self) -> Switching:
        return await self.channel.cluster.ask_owner(STREAM, SwitchCommand(), timeout=5)

    async def recording(self, folder: Path) -> dict[str, Track]:
        """End the broadcast, and read its tracks from ``folder``."""
        await self.channel.end()
        return {track.name: track for track in stored_tracks(self.channel, folder)}


def stored_tracks(stage: ChannelStage, folder: Path) -> Sequence[Track]:
    """The recording of a broadcast that has ended, from ``folder``."""
    for key, stored in stage.store.objects.items():
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(stored.body)
    (recording,) = read_recordings(folder / "live" / STREAM)
    for track in recording.tracks:
        assert list(judge_track(track)) == []
    return recording.tracks


def holes(track: Track) -> list[float]:
    """The seconds without media between segments."""
    return [after.start_s - before.end_s for before, after in pairwise(track.media)]


def shown_s(track: Track) -> float:
    return sum(segment.end_s - segment.start_s for segment in track.media)


def sizes(track: Track) -> list[int]:
    """The sizes of the frames, without repetitions of the same."""
    found: list[int] = []
    for segment in track.media:
        for sample in segment.samples:
            if not found or found[-1] != len(sample.payload):
                found.append(len(sample.payload))
    return found


async def test_the_first_is_on_air_and_the_second_on_standby() -> None:
    stage = await Stage.start()
    await stage.run(3)
    status = await stage.status()
    assert status.publisher is not None and status.standby is not None
    assert (status.publisher.role, status.publisher.address) == (PRIMARY, "1:1")
    assert (status.standby.role, status.standby.address, status.standby.software) == (BACKUP, "2:2", "encoder 40")
    assert status.source is not None and status.source.fps == pytest.approx(FPS, abs=1)
    assert status.warnings == ()
    await stage.channel.end()


async def test_a_backup_that_comes_first_is_on_air() -> None:
    stage = await ChannelStage.start()
    stage.attach(role=BACKUP)
    stage.attach(role=PRIMARY)
    status = await stage.status()
    assert status is not None and status.publisher is not None and status.standby is not None
    assert (status.publisher.role, status.standby.role) == (BACKUP, PRIMARY)
    await stage.end()


@pytest.mark.parametrize("with_sound", [False, True])
@pytest.mark.parametrize("apart", [0, 10, 25, 40, 55])
async def test_the_backup_takes_over_from_a_primary_that_stalls(
    apart: int, with_sound: bool, tmp_path: Path
) -> None:
    stage = await Stage.start(apart=apart, with_sound=with_sound)
    await stage.run(7)
    stage.primary.stalls = True
    await stage.run(0.9)
    assert await stage.on_air() is PRIMARY
    await stage.run(0.3)
    assert await stage.on_air() is BACKUP
    assert await stage.warnings() == {"backup-on-air"}
    await stage.run(6)
    tracks = await stage.recording(tmp_path)
    video = tracks["vsource"]
    assert max(holes(video)) <= 1.0 + 2 * CHECK_S + FRAME_S
    assert sizes(video)[0] < sizes(video)[-1] and len(sizes(video)) == 2
    assert [segment.discontinuity for segment in video.media].count(True) == 1
    # What was shown of the stall's time comes from the buffer.
    assert video.media[-1].end_s >= 7 + 7.2 - 0.1
    if with_sound:
        (audio,) = (track for track in tracks.values() if not track.is_video)
        assert max(holes(audio)) <= 1.0 + 2 * CHECK_S + FRAME_S + 0.1
        assert audio.media[-1].end_s == pytest.approx(video.media[-1].end_s, abs=0.1)


async def test_the_media_runs_ahead_of_the_clock_by_less_than_a_keyframe_interval(tmp_path: Path) -> None:
    """A keyframe from before the stall is shown behind what was shown already."""
    stage = await Stage.start(apart=15)
    await stage.run(7)
    stage.primary.stalls = True
    await stage.run(6)
    tracks = await stage.recording(tmp_path)
    assert tracks["vsource"].media[-1].end_s == pytest.approx(13 + 0.5 + 0.1, abs=0.1)
    assert max(holes(tracks["vsource"])) <= 0.11


async def test_the_backup_takes_over_at_once_from_a_primary_that_ends(tmp_path: Path) -> None:
    stage = await Stage.start()
    await stage.run(5)
    stage.primary.link.end(EndReason.UNPUBLISHED, "the publisher stopped")
    status = await stage.status()
    assert status.publisher is not None
    assert (status.state, status.publisher.role, status.standby) == (StreamState.LIVE, BACKUP, None)
    await stage.run(WINDOW_S + 2)
    assert stage.channel.channel.open
    assert max(holes((await stage.recording(tmp_path))["vsource"])) <= 0.11


async def test_the_primary_returns_on_standby_and_goes_on_air_by_choice(tmp_path: Path) -> None:
    stage = await Stage.start()
    await stage.run(5)
    stage.primary.link.end(EndReason.LOST, "the connection was lost")
    await stage.run(5)
    stage.primary = Encoder(stage.channel.attach(FakeLink("3:3")), size=60)
    await stage.run(20)
    assert await stage.on_air() is BACKUP
    (warning,) = (await stage.status()).warnings
    assert warning.text.endswith("it sends again, and `headwater switch` puts it on air")
    assert await stage.switch() == Switching(to=PRIMARY)
    assert await stage.switch() == Switching(to=PRIMARY)
    await stage.run(2.1)
    assert await stage.on_air() is PRIMARY
    assert await stage.warnings() == set()
    await stage.run(5)
    video = (await stage.recording(tmp_path))["vsource"]
    assert len(sizes(video)) == 3
    assert max(holes(video)) <= 0.11


async def test_a_switch_by_choice_waits_for_the_next_keyframe(tmp_path: Path) -> None:
    stage = await Stage.start(apart=0)
    await stage.run(4.5)
    assert await stage.switch() == Switching(to=BACKUP)
    await stage.run(1.4)
    assert await stage.on_air() is PRIMARY
    await stage.run(0.2)
    assert await stage.on_air() is BACKUP
    assert await stage.warnings() == set()
    await stage.run(4)
    video = (await stage.recording(tmp_path))["vsource"]
    assert max(holes(video)) <= 0.11
    assert shown_s(video) == pytest.approx(10.1, abs=0.15)


async def test_a_switch_by_choice_is_abandoned_without_a_keyframe() -> None:
    stage = await Stage.start(gop=100_000, apart=50_000)
    await stage.run(3)
    await stage.switch()
    with capture_logs() as lines:
        await stage.run(LONGEST_WAIT_S + 1)
    assert "the operator's switch is abandoned: no keyframe arrived" in [line["event"] for line in lines]
    assert await stage.on_air() is PRIMARY
    await stage.channel.end()


@pytest.mark.parametrize(
    ("standby", "text"),
    [
        (None, "the backup is not connected: only the primary publishes"),
        ("silent", "the backup is connected, but has sent nothing for "),
    ],
)
async def test_without_a_standby_that_sends_there_is_nothing_to_switch_to(standby: str | None, text: str) -> None:
    stage = await Stage.start()
    await stage.run(3)
    stage.backup.stalls = True
    if standby is None:
        stage.backup.link.end(EndReason.UNPUBLISHED)
    await stage.run(5)
    with pytest.raises(OwnerFailed, match=text) as failed:
        await stage.switch()
    assert failed.value.code == "no-standby"
    assert await stage.warnings() == (set() if standby is None else {"standby-silent"})
    await stage.channel.end()


async def test_while_nobody_is_on_air_there_is_nothing_to_switch() -> None:
    stage = await ChannelStage.start()
    stage.attach().end(EndReason.LOST)
    with pytest.raises(OwnerFailed, match="no publisher is on air"):
        await stage.cluster.ask_owner(STREAM, SwitchCommand(), timeout=5)
    await stage.end()


async def test_two_encoders_that_stall_in_turn_do_not_switch_every_second() -> None:
    stage = await Stage.start()
    await stage.run(5)
    with capture_logs() as lines:
        for _ in range(15):
            stage.primary.stalls, stage.backup.stalls = True, False
            await stage.run(2)
            stage.primary.stalls, stage.backup.stalls = False, True
            await stage.run(2)
    switches = [line for line in lines if line["event"] == "publisher switched"]
    assert 2 <= len(switches) <= 4
    assert all(line["cause"] == "stalled" for line in switches)
    await stage.channel.end()


async def test_a_stall_of_both_is_as_one_without_a_backup() -> None:
    stage = await Stage.start()
    await stage.run(5)
    stage.primary.stalls = stage.backup.stalls = True
    await stage.run(5)
    assert await stage.on_air() is PRIMARY
    stage.primary.link.end(EndReason.LOST, "no audio or video arrived for 10 s")
    stage.backup.link.end(EndReason.LOST, "no audio or video arrived for 10 s")
    assert (await stage.status()).state is StreamState.WAITING
    await stage.channel.clock.advance(WINDOW_S + 1)
    assert not stage.channel.channel.open


async def test_old_media_of_a_standby_that_stalls_is_not_shown(tmp_path: Path) -> None:
    """It goes on air all the same, because nobody else is connected, and begins with its next keyframe."""
    stage = await Stage.start()
    await stage.run(5)
    stage.backup.stalls = True
    await stage.run(5)
    stage.primary.link.end(EndReason.LOST)
    await stage.run(2)
    assert await stage.on_air() is BACKUP
    stage.backup.stalls = False
    await stage.run(6)
    video = (await stage.recording(tmp_path))["vsource"]
    (hole,) = (hole for hole in holes(video) if hole > 0.11)
    assert 2 <= hole <= 4.1
    assert video.media[-1].end_s == pytest.approx(18, abs=0.2)


async def test_a_backup_of_another_size_and_sound_takes_over(tmp_path: Path) -> None:
    stage = await Stage.start(with_sound=True)
    session = stage.backup.link.session
    assert session is not None
    session.on_audio_config(audio_config(48_000, 1))
    await stage.run(5)
    stage.primary.stalls = True
    await stage.run(6)
    tracks = await stage.recording(tmp_path)
    (audio,) = (track for track in tracks.values() if not track.is_video)
    assert audio.media[0].init != audio.media[-1].init
    assert max(holes(tracks["vsource"])) <= 1.2


async def test_a_backup_without_video_takes_over_from_sound_alone(tmp_path: Path) -> None:
    stage = await ChannelStage.start()
    links = [stage.attach(), stage.attach(role=BACKUP)]
    for link in links:
        assert link.session is not None
        link.session.on_metadata({"audiocodecid": 10.0})
        link.session.on_audio_config(audio_config())
    for count in range(47 * 15):
        for link, ahead in zip(links, (0, 1_000_000), strict=True):
            if link.session is not None and not (link is links[0] and count > 47 * 7):
                link.session.on_unit(sound(ahead + count * 1024))
        await stage.clock.advance(1024 / 48_000)
    status = await stage.status()
    assert status is not None and status.publisher is not None and status.publisher.role is BACKUP
    await stage.end()
    (track,) = stored_tracks(stage, tmp_path)
    assert max(holes(track)) <= 1.0 + 2 * CHECK_S + FRAME_S
    assert track.media[-1].end_s == pytest.approx(15, abs=0.2)


async def test_a_primary_that_never_sends_leaves_the_air_to_the_backup(tmp_path: Path) -> None:
    stage = await Stage.start()
    stage.primary.stalls = True
    await stage.run(6)
    assert await stage.on_air() is BACKUP
    video = (await stage.recording(tmp_path))["vsource"]
    assert holes(video) == pytest.approx([0] * (len(video.media) - 1), abs=0.002)


async def test_one_more_publisher_with_the_same_key_takes_over_its_place() -> None:
    stage = await ChannelStage.start()
    primary, backup = stage.attach(), stage.attach(role=BACKUP)
    second_backup = stage.attach(role=BACKUP)
    assert backup.kicks == [(EndReason.TAKEN_OVER, "another publisher with this stream key took over")]
    second_primary = stage.attach()
    assert len(primary.kicks) == 1
    publishers = stage.channel.publishers
    assert (publishers.on_air, publishers.standby) == (second_primary.session, second_backup.session)
    await stage.end()


async def test_with_on_conflict_refuse_each_key_has_one_publisher() -> None:
    stage = StationStage(refuses_second=True)
    keys = [await stage.create(), await stage.catalogue.rotate_backup_key(STREAM, now=0)]
    links = [await stage.publish(key) for key in keys]
    for key in keys:
        with pytest.raises(PublishRefused, match="stop that encoder first"):
            await stage.publish(key)
    assert [link.session.role for link in links if link.session is not None] == [PRIMARY, BACKUP]
    await stage.station.close()


async def test_a_stream_may_have_a_reconnect_window_of_its_own() -> None:
    stage = StationStage()
    key = await stage.create()
    await stage.catalogue.update_stream(
        STREAM,
        lambda record: record.model_copy(
            update={"settings": record.settings.model_copy(update={"reconnect_window_s": 300.0})}
        ),
    )
    (await stage.publish(key)).end(EndReason.LOST)
    await stage.clock.advance(299)
    assert await stage.broadcast() is not None
    await stage.clock.advance(2)
    assert await stage.broadcast() is None
    await stage.station.close()


async def test_a_kill_ends_both() -> None:
    stage = await Stage.start()
    await stage.run(3)
    await stage.channel.end("wrong stream")
    for encoder in (stage.primary, stage.backup):
        assert encoder.link.kicks == [(EndReason.KICKED, "wrong stream")]


async def test_a_publisher_on_air_that_is_kicked_ends_the_broadcast_for_both() -> None:
    stage = await Stage.start()
    await stage.run(3)
    stage.primary.link.end(EndReason.KICKED, "the server is stopping")
    assert not stage.channel.channel.open
    assert stage.backup.link.kicks == [(EndReason.KICKED, "the server is stopping")]
    await stage.channel.channel.closed()


async def test_a_backup_that_is_lost_is_missed_until_it_returns() -> None:
    stage = await Stage.start()
    await stage.run(3)
    stage.backup.link.end(EndReason.LOST)
    assert await stage.warnings() == {"backup-missing"}
    stage.channel.attach(FakeLink("4:4"), role=BACKUP)
    assert await stage.warnings() == set()
    await stage.channel.end()


async def test_a_standby_costs_nothing_but_its_buffer() -> None:
    stage = await Stage.start()
    await stage.run(10)
    video = stage.channel.store.text(f"{PREFIX}/vsource/media.m3u8")
    assert "#EXT-X-DISCONTINUITY" not in video
    status = await stage.status()
    assert [rendition.track for rendition in status.renditions] == ["vsource"]
    await stage.channel.end()
