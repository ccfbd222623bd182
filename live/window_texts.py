"""The texts of a live window: multivariant playlist, media playlists and MPD, each rendered once per version."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from live.live_playlist import SKIP_UNTIL, low_latency_playlist
from live.window_track import Position, WindowTrack
from media.timescale import MICROSECONDS
from packager import dash, hls
from packager.dash.build import dash_presentation
from packager.facts import BroadcastFacts, TrackFacts
from packager.hls.build import SegmentMemo, media_playlist, multivariant_playlist
from storage.sized_cache import SizedCache

# Enough for a few seconds of parts on every track of a ladder, with and without skipped segments. The limit in
# bytes keeps fewer of the long playlists of an hour.
MAX_TEXTS = 256
MAX_TEXT_BYTES = 8 << 20


class WindowTexts:
    """Caches rendered texts. ``version`` counts the changes of the window's content, and ``facts_version`` those of
    its facts: a text is rendered once per version."""

    def __init__(self, presentations: Iterable[tuple[str | None, dash.Presentation]] = ()) -> None:
        self._texts: SizedCache[tuple[object, ...], bytes] = SizedCache(MAX_TEXT_BYTES, max_values=MAX_TEXTS)
        self._memos: defaultdict[str, SegmentMemo] = defaultdict(SegmentMemo)
        self._presentations = dict(presentations)

    @property
    def presentations(self) -> tuple[tuple[str | None, dash.Presentation], ...]:
        """The newest MPD by BaseURL."""
        return tuple(self._presentations.items())

    def master(self, facts: BroadcastFacts, *, prefix: str, facts_version: int) -> bytes:
        return self._text(
            ("master", prefix, facts_version),
            lambda: hls.render_multivariant(multivariant_playlist(facts, prefix=prefix)),
        )

    def media(
        self,
        facts: BroadcastFacts,
        track: TrackFacts,
        tracks: Mapping[str, WindowTrack],
        *,
        position: Position | None,
        skip: bool,
        version: int,
    ) -> bytes:
        """The playlist as it was when it reached ``position``, or with None the current one."""
        at: object = version if position is None else position
        return self._text(
            ("media", track.track, at, skip),
            lambda: self._render_media(facts, track, tracks, position, skip),
        )

    def manifest(
        self,
        facts: BroadcastFacts,
        tracks: Mapping[str, WindowTrack],
        *,
        base_url: str | None,
        now_ms: int,
        facts_version: int,
    ) -> bytes:
        state = tuple((name, track.last_msn) for name, track in tracks.items())
        return self._text(
            ("manifest", base_url, facts_version, state),
            lambda: self._render_manifest(facts, tracks, base_url, now_ms),
        )

    def _render_media(
        self,
        facts: BroadcastFacts,
        track: TrackFacts,
        tracks: Mapping[str, WindowTrack],
        position: Position | None,
        skip: bool,
    ) -> str:
        window, ended = tracks[track.track], facts.ended or track.ended
        playlist = media_playlist(
            track,
            tuple(window.entries if position is None else window.entries_at(position)),
            ended=ended,
            target_ms=facts.segment_target_ms,
            memo=self._memos[track.track],
        )
        if facts.low_latency is not None and not ended:
            playlist = low_latency_playlist(
                playlist,
                track,
                window,
                position,
                low_latency=facts.low_latency,
                others=[other for name, other in tracks.items() if name != track.track],
            )
        if skip and not ended:
            playlist = hls.delta(playlist, SKIP_UNTIL * playlist.target_duration * MICROSECONDS)
        return hls.render_media(playlist)

    def _render_manifest(
        self, facts: BroadcastFacts, tracks: Mapping[str, WindowTrack], base_url: str | None, now_ms: int
    ) -> str:
        entries = {name: tuple(track.entries) for name, track in tracks.items()}
        built = dash_presentation(facts, entries, publish_time_ms=now_ms, base_url=base_url)
        current = self._presentations[base_url] = dash.keep_publish_time(built, self._presentations.get(base_url))
        return dash.render(current)

    def _text(self, key: tuple[object, ...], render: Callable[[], str]) -> bytes:
        text = self._texts.get(key)
        if text is None:
            text = render().encode()
            self._texts.put(key, text, len(text))
        return text
