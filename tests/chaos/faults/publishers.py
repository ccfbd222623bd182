"""Faults of publishers and of their networks."""

import asyncio
import signal

from tests.chaos.faults.fault import fault
from tests.chaos.stage import Stage, Stream

BLIP_S = 5.0
STALL_S = 5.0
FIGHT_S = 8.0
SLOW_S = 6.0
CHANGED_S = 9.0
STANDBY_S = 4.0


@fault(7.0, "publisher-lost", "publisher-returned", "discontinuity")
async def blip(stage: Stage, stream: Stream) -> None:
    """The publisher's connection is cut for 5 s; the encoder connects again as OBS does."""
    stream.encoder.link.cut()
    await asyncio.sleep(BLIP_S)
    stream.encoder.link.restore()


@fault(7.0)
async def freeze(stage: Stage, stream: Stream) -> None:
    """The publisher is stopped (SIGSTOP) for 5 s while its connection stays; there is no backup."""
    stream.encoder.send_signal(signal.SIGSTOP)
    await asyncio.sleep(STALL_S)
    stream.encoder.send_signal(signal.SIGCONT)


@fault(3.0, "switched", "discontinuity")
async def stall_with_backup(stage: Stage, stream: Stream) -> None:
    """The publisher is stopped (SIGSTOP) while a backup is on standby, which takes over; then the backup leaves."""
    async with stage.backup(stream) as backup:
        await stage.until(lambda: stage.is_on_standby(stream, "backup"), 20)
        await asyncio.sleep(STANDBY_S)
        stream.encoder.send_signal(signal.SIGSTOP)
        await stage.until(lambda: stage.is_on_air(stream, "backup"), 10)
        await asyncio.sleep(2.0)
        stream.encoder.send_signal(signal.SIGCONT)
        await asyncio.sleep(STANDBY_S)
        await backup.stop()
        await stage.until(lambda: stage.is_on_air(stream, "primary"), 20)


@fault(3.0, "taken-over", "discontinuity")
async def takeover(stage: Stage, stream: Stream) -> None:
    """A second publisher with the same key takes over. The first one does not come back."""
    first = stream.encoder
    first.returns = False
    await stage.replace_encoder(stream)
    await stage.until(lambda: stage.has_left(first), 20)


@fault(4.0, "taken-over", "discontinuity")
async def fight(stage: Stage, stream: Stream) -> None:
    """Two publishers with the same key take over from each other for 8 s, each 2 s after it was disconnected."""
    async with stage.second_encoder(stream) as other:
        await asyncio.sleep(FIGHT_S)
        other.kill()


@fault(7.0)
async def slow_link(stage: Stage, stream: Stream) -> None:
    """The publisher's network carries half of its bitrate for 6 s."""
    stream.encoder.link.rate = stream.encoder.clip.bytes_per_second / 2
    await asyncio.sleep(SLOW_S)
    stream.encoder.link.rate = None


@fault(3.0, "source-changed", "discontinuity")
async def audio_change(stage: Stage, stream: Stream) -> None:
    """The encoder changes its audio configuration (48 kHz, 32 kHz) within its connection."""
    clips = stage.clips
    stream.encoder.clip = clips[1] if stream.encoder.clip is clips[0] else clips[0]
    await asyncio.sleep(CHANGED_S)
