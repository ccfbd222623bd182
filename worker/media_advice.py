"""Turns what is dropped or repaired in a publisher's media into warnings, with what to change in the encoder."""

from collections.abc import Mapping
from types import MappingProxyType

from worker.warnings import Warnings

# A problem that recurs for LASTING_S seconds is a warning, until it has not recurred for QUIET_S seconds.
LASTING_S = 3.0
QUIET_S = 10.0

ENCODER = "in OBS: Settings, Output, Video Encoder"
# Without a loss for viewers.
HARMLESS = frozenset({"empty-frame"})
# By the codes of ingest's errors, of what ingest repairs, and of what decoding shows.
TEXTS: Mapping[str, str] = MappingProxyType(
    {
        "annex-b": (
            "the encoder sends H.264 with start codes (Annex B) in place of lengths, and Headwater converts it: "
            "set the encoder's output format to FLV or RTMP, because other servers refuse this one"
        ),
        "adts": (
            "the encoder leaves ADTS headers on AAC frames, and Headwater removes them: set the encoder's output "
            "format to FLV or RTMP, because other servers refuse this one"
        ),
        "split-picture": (
            "the encoder sends a picture in several messages, so each picture is held until the next one: set one "
            f"slice per picture, or choose another encoder; {ENCODER}"
        ),
        "incomplete-picture": (
            f"parts of pictures arrive without their start and are dropped: choose another encoder; {ENCODER}"
        ),
        "oversized-picture": f"pictures of too many messages are dropped: choose another encoder; {ENCODER}",
        "oversized-frame": (
            "audio messages of more than 64 KiB are dropped: choose AAC; in OBS: Settings, Output, Audio Encoder"
        ),
        "too-many-messages": (
            "the encoder sends more messages than this server takes from one stream, and is read more slowly: "
            "restart the encoder; a file must be sent at its own speed (ffmpeg -re)"
        ),
        "malformed-frame": (
            "frames that do not follow their codec's format are dropped: restart the stream, and if that does not "
            f"help, choose another encoder; {ENCODER}"
        ),
        "malformed-config": (
            "the codec's parameters cannot be read and are ignored: restart the stream, and if that does not help, "
            f"choose another encoder; {ENCODER}"
        ),
        "no-config": "frames arrive before the sequence header of their codec and are dropped: restart the stream",
        "unsupported-codec": (
            "a track that is not supported is ignored: send one H.264 video track and one AAC audio track; in OBS: "
            "Settings, Output, Video Encoder and Audio Encoder, and no multitrack video"
        ),
        "unsupported-track": (
            "a second audio or video track is ignored: send one of each; in OBS: Settings, Output, Streaming, a "
            "single Audio Track and no Twitch VOD Track; Settings, Stream, no Enhanced Broadcasting"
        ),
        "implausible-offset": (
            "pictures have times long after those of their neighbours; they are corrected, or dropped if they are "
            f"too far away: choose another encoder; {ENCODER}"
        ),
        "timestamp-overlap": (
            "audio frames whose time is taken are dropped, because the audio timestamps run slower than the audio: "
            "set the sample rate to that of the device; in OBS: Settings, Audio, Sample Rate"
        ),
        "late-video": (
            "video frames arrive more than a second after the audio of their time, and are dropped up to the next "
            f"keyframe: lower the bitrate; {ENCODER}"
        ),
        "late-audio": (
            "audio frames arrive more than a second after the video of their time; silence has taken their place, "
            "and they are dropped: lower the bitrate, or restart the encoder; in OBS: Settings, Output, Video "
            "Bitrate"
        ),
        "repeated-message": "the encoder sends messages twice; the second ones are dropped: restart the encoder",
        "picture-order": (
            "the times of pictures contradict their order; encoded renditions are repaired, and the source's own "
            f"picture stutters: switch B-frames off, or choose another encoder; {ENCODER}"
        ),
        "undecodable": (
            "frames cannot be decoded, so encoded renditions lack them: restart the encoder, and if that does not "
            f"help, choose another one; {ENCODER}"
        ),
        "timestamp-jump": "the timestamps jump again and again, so players skip: restart the encoder",
    }
)


class MediaAdvice:
    """Reports to ``warnings``. ``now`` is monotonic seconds."""

    def __init__(self, warnings: Warnings) -> None:
        self._warnings = warnings
        self._totals: dict[str, int] = {}
        # When each problem began and when it was seen last.
        self._seen: dict[str, tuple[float, float]] = {}

    def restart(self) -> None:
        """Another publisher sends. Nearly every one loses an audio frame or two as it begins, which is no problem
        that recurs."""
        for reason in self._seen:
            self._warnings.clear(reason)
        self._seen.clear()

    def review(self, totals: Mapping[str, int], now: float) -> None:
        """Take the number of occurrences of each problem so far. Call it about once a second."""
        for reason, total in totals.items():
            if total == self._totals.get(reason, 0) or reason in HARMLESS:
                continue
            self._totals[reason] = total
            since, _ = self._seen.get(reason, (now, now))
            self._seen[reason] = (since, now)
            if now - since >= LASTING_S:
                self._warnings.report(reason, text_of(reason), now)
        for reason, (_, last) in tuple(self._seen.items()):
            if now - last >= QUIET_S:
                del self._seen[reason]
                self._warnings.clear(reason)


def text_of(reason: str) -> str:
    return TEXTS.get(
        reason, f"messages of the encoder cannot be used and are dropped ({reason}): restart the stream"
    )
