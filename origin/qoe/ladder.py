"""Which rendition a report is about."""

from dataclasses import dataclass
from math import log

from live.window import LiveWindow
from media.units import Kind
from origin.qoe.cmcd import Report

UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Ladder:
    """The bitrates in bit/s that players may report for each track, by the track's name."""

    video: tuple[tuple[str, tuple[int, ...]], ...] = ()
    audio: tuple[tuple[str, tuple[int, ...]], ...] = ()

    def rendition(self, report: Report) -> str | None:
        """The name of one of the tracks; None if the report does not tell."""
        tracks = self.audio if report.audio_only or not self.video else self.video
        if report.track is not None and any(report.track == track for track, _ in tracks):
            return report.track
        if not report.kbps or not tracks:
            return None
        bps = log(1000 * report.kbps)
        return min(tracks, key=lambda each: min(abs(log(rate) - bps) for rate in each[1]))[0]


def ladder_of(window: LiveWindow | None) -> Ladder | None:
    """None if the stream is not live here. An HLS variant's bitrate is that of its picture and its sound
    together."""
    if window is None:
        return None
    if window.facts is None:
        return Ladder()
    tracks = [track for track in window.facts.tracks if track.peak_bps > 0 and not track.retired]
    sounds = [track.peak_bps for track in tracks if track.kind is Kind.AUDIO]
    return Ladder(
        video=tuple(
            (each.track, (each.peak_bps, *(each.peak_bps + sound for sound in sounds)))
            for each in tracks
            if each.kind is Kind.VIDEO
        ),
        audio=tuple((each.track, (each.peak_bps,)) for each in tracks if each.kind is Kind.AUDIO),
    )
