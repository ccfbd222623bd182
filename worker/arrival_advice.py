"""Warns of media that is awaited: picture, sound or keyframes that do not arrive, or arrive too slowly.

What arrives goes on meanwhile. A warning describes the present: it ends when the media arrives.
"""

from collections import deque
from dataclasses import dataclass
from fractions import Fraction

from worker.warnings import Warnings

# Seconds without media after which it is missed, and for which media is too slow or incomplete.
LASTING_S = 3.0
# Calls of `review`, about one a second: rates are measured between the first and the last of them.
MEASURED = 4
# Below this share of real time, players run out of media.
SLOW = 0.9
# Below this share of the rate that the first frames had, or of the declared one, frames are missing. Film of 24
# frames in a stream that declares 30 is complete.
INCOMPLETE = 0.8
CODES = ("no-media", "no-video", "no-audio", "no-keyframe", "slow-media", "frames-missing")


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What has arrived of a publisher's media, as totals.

    ``end_s`` is the end of all media and ``video_s`` the newest frame's time, both in seconds of media.
    ``declared`` and ``usual`` are frames per second: those that the publisher declares, and those at its start.
    ``keyframe``: whether one has arrived.
    """

    expects_video: bool = False
    expects_audio: bool = False
    frames: int = 0
    sounds: int = 0
    keyframe: bool = False
    end_s: float = 0.0
    video_s: float = 0.0
    declared: Fraction | None = None
    usual: Fraction | None = None


class ArrivalAdvice:
    """Reports to ``warnings``. ``now`` is monotonic seconds. Without a publisher nothing is awaited."""

    def __init__(self, warnings: Warnings) -> None:
        self._warnings = warnings
        self._since: dict[str, float] = {}
        self._measured: deque[tuple[float, Arrivals]] = deque(maxlen=MEASURED)
        self._attached = False

    def attach(self, now: float) -> None:
        """A publisher begins to send."""
        self.detach()
        self._attached = True
        self._since = {"video": now, "audio": now}

    def detach(self) -> None:
        self._attached = False
        self._since = {}
        self._measured.clear()
        for code in CODES:
            self._warnings.clear(code)

    def review(self, arrivals: Arrivals, now: float) -> None:
        """Call it about once a second."""
        if not self._attached:
            return
        before = self._measured[-1][1] if self._measured else Arrivals()
        self._measured.append((now, arrivals))
        if arrivals.frames > before.frames:
            self._since["video"] = now
        if arrivals.sounds > before.sounds:
            self._since["audio"] = now
        self._review_tracks(arrivals, now)
        self._review_keyframe(arrivals, now)
        self._review_speed(now)
        self._review_frames(now)

    def _review_tracks(self, arrivals: Arrivals, now: float) -> None:
        picture_s, sound_s = now - self._since["video"], now - self._since["audio"]
        no_picture, no_sound = picture_s > LASTING_S, sound_s > LASTING_S
        self._set(
            "no-media",
            f"nothing has arrived for {min(picture_s, sound_s):.0f} s: restart the stream; in OBS: Stop Streaming, "
            "then Start Streaming",
            now,
            when=no_picture and no_sound,
        )
        self._set(
            "no-video",
            f"no picture has arrived for {picture_s:.0f} s, and the sound goes on alone: switch the camera on, or "
            "lower the bitrate; in OBS: Settings, Output, Video Bitrate; the Stats dock shows dropped frames",
            now,
            when=arrivals.expects_video and no_picture and not no_sound,
        )
        self._set(
            "no-audio",
            f"no sound has arrived for {sound_s:.0f} s, and the picture goes on alone: send an AAC audio track, or "
            "restart the stream; in OBS: Settings, Output, Audio Track",
            now,
            when=arrivals.expects_audio and no_sound and not no_picture,
        )

    def _review_keyframe(self, arrivals: Arrivals, now: float) -> None:
        if arrivals.keyframe or not arrivals.frames:
            self._since.pop("keyframe", None)
            waited_s = 0.0
        else:
            waited_s = now - self._since.setdefault("keyframe", now)
        alone = ", and the sound goes on alone" if arrivals.expects_audio else ""
        self._set(
            "no-keyframe",
            f"no keyframe has arrived for {waited_s:.0f} s, so no player can show the picture{alone}: set Keyframe "
            "Interval to 2 s in OBS, Settings, Output, and restart the stream",
            now,
            when=waited_s > LASTING_S,
        )

    def _review_speed(self, now: float) -> None:
        then, first = self._measured[0]
        _, last = self._measured[-1]
        arrives = now > then and (last.frames, last.sounds) != (first.frames, first.sounds)
        speed = (last.end_s - first.end_s) / (now - then) if arrives else 1.0
        self._set_lasting(
            "slow-media",
            f"only {100 * speed:.0f} % of real time arrives, so players run out of media: lower the bitrate, or "
            "use a faster network or encoder; in OBS: Settings, Output, Video Bitrate and Encoder Preset",
            now,
            when=len(self._measured) == MEASURED and speed < SLOW,
        )

    def _review_frames(self, now: float) -> None:
        _, first = self._measured[0]
        _, last = self._measured[-1]
        elapsed = last.video_s - first.video_s
        rate = (last.frames - first.frames) / elapsed if elapsed > 0 else 0.0
        expected = float(max(last.declared or 0, last.usual or 0))
        self._set_lasting(
            "frames-missing",
            f"{rate:.0f} of {expected:.0f} frames per second arrive: the encoder is overloaded, or the network is "
            "too slow and it drops frames; in OBS: Settings, Output, Encoder Preset and Video Bitrate; the Stats "
            "dock shows which",
            now,
            when=len(self._measured) == MEASURED and 0 < rate < INCOMPLETE * expected,
        )

    def _set_lasting(self, code: str, text: str, now: float, *, when: bool) -> None:
        """Warn if the condition lasts."""
        if not when:
            self._since.pop(code, None)
        since = self._since.setdefault(code, now) if when else now
        self._set(code, text, now, when=when and now - since >= LASTING_S)

    def _set(self, code: str, text: str, now: float, *, when: bool) -> None:
        if when:
            self._warnings.report(code, text, now)
        else:
            self._warnings.clear(code)
