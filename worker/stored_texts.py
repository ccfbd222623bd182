"""Renders the playlists and manifests that are put into the store, from the ledger's state at that moment.

They name only durable segments, so a stored playlist never loses a segment that it named, unless the store does.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from media.names import MEDIA_PLAYLIST, RECORDING_PLAYLIST
from packager import dash, hls
from packager.dash.build import dash_presentation
from packager.facts import BroadcastFacts, SegmentEntry
from packager.hls.build import SegmentMemo, media_playlist, multivariant_playlist, recording_playlist
from worker.ledger import BroadcastLedger, Phase, TrackLedger


@dataclass(frozen=True, slots=True)
class _CachedPresentation:
    """A presentation and its input. It is kept because the manifest is written to two places."""

    source: tuple[BroadcastFacts, Mapping[str, Sequence[SegmentEntry]]]
    presentation: dash.Presentation


class StoredTexts:
    """Each method returns None while no segment is durable. ``clock`` returns Unix seconds."""

    def __init__(self, ledger: BroadcastLedger, clock: Callable[[], float]) -> None:
        self._ledger = ledger
        self._clock = clock
        self._memos: defaultdict[str, SegmentMemo] = defaultdict(SegmentMemo)
        self._cached: _CachedPresentation | None = None
        # The tracks whose recording is stored: texts are put in order.
        self._recorded: set[str] = set()

    def media(self, track: TrackLedger) -> bytes | None:
        ledger, facts, entries = self._ledger, track.facts(), self._ledger.listed(track)
        if facts is None or not entries:
            return None
        memo = None if ledger.phase is Phase.ENDED else self._memos[track.track]
        playlist = media_playlist(
            facts, entries, ended=ledger.is_complete(track), target_ms=ledger.longest_ms, memo=memo
        )
        return hls.render_media(playlist).encode()

    def recording(self, track: TrackLedger) -> bytes | None:
        """None too while the broadcast goes on, or if it is not complete in the store."""
        ledger, facts, entries = self._ledger, track.facts(), self._ledger.listed(track)
        if facts is None or not entries or not ledger.is_complete(track):
            return None
        self._recorded.add(track.track)
        first_msn = min(entries[0].msn for entries in map(ledger.listed, ledger.tracks.values()) if entries)
        playlist = recording_playlist(facts, entries, first_msn=first_msn, target_ms=ledger.longest_ms)
        return hls.render_media(playlist).encode()

    def multivariant(self, prefix: str | None) -> bytes | None:
        """``prefix`` precedes every URI."""
        if not any(track.resolved for track in self._ledger.tracks.values()):
            return None
        facts = self._ledger.stored_facts()
        recorded = facts.ended and all(track.track in self._recorded for track in facts.tracks)
        media = RECORDING_PLAYLIST if recorded else MEDIA_PLAYLIST
        return hls.render_multivariant(multivariant_playlist(facts, prefix=prefix or "", media=media)).encode()

    def manifest(self, base_url: str | None) -> bytes | None:
        ledger = self._ledger
        entries = {name: ledger.listed(track) for name, track in ledger.tracks.items()}
        if not any(entries.values()):
            return None
        facts = ledger.stored_facts()
        if self._cached is None or self._cached.source != (facts, entries):
            now_ms = round(self._clock() * 1000)
            presentation = dash_presentation(facts, entries, publish_time_ms=now_ms, base_url=None)
            self._cached = _CachedPresentation((facts, entries), presentation)
        return dash.render(replace(self._cached.presentation, base_url=base_url)).encode()
