"""Judges what viewers get from a bad publisher.

What a server can always do right is never excused: playlists, manifest and media agree, decoding times increase,
and no error is logged. What viewers lose is excused by a warning or a refusal in words, and by nothing else, unless
the publisher itself destroyed it.
"""

from bisect import bisect_left
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from math import inf
from pathlib import Path
from statistics import median

from tests.lab.rtmp.flv import AUDIO, VIDEO
from tests.torture.bends.tools import composition
from tests.torture.reader import Read, read
from tests.torture.recording import Recording, Segment, Track, read_recordings
from tests.torture.script import Message, Script
from transcoder.ladder import SOURCE_TRACK

# Seconds. A corrected audio clock moves by less, and so do timestamps that are rounded to milliseconds.
ROUNDING_S = 0.0015
# An audio frame and a picture: segments of the two tracks begin at the frames that are nearest to the cut.
APART_S = 0.1
# A part, and the shortest interval between repetitions of a still picture.
PART_S, STILL_S = 0.34, 0.3
# When a picture or an audio frame is presented, and by how much later than in the good stream (seconds).
Shifted = tuple[float, float]
# The difference between sound and picture that viewers do not notice.
SYNC_S = 0.15
# The tracks' ends may differ by this much: audio that ended is not continued for longer.
ENDS_APART_S = 1.6
# Audio frames of one loss without a word. What lasts for less than 3 s is no warning (docs/warnings.md).
FEW_SOUNDS = 141
# Audio frames between two losses, a quarter of a second.
SOUNDS_BETWEEN = 12
# A publisher that sends nothing usable for this long gets a warning.
LASTING_PICTURES = 125
# The pictures that an encoded rendition may miss, half a second: decoders drop those before a keyframe.
FEW_PICTURES = 12
# The pictures of 3 s: what is dropped for less is no warning (docs/warnings.md).
WARNED_AFTER = 75


@dataclass(frozen=True, slots=True)
class Heard:
    """What the broadcaster got in words: the texts of warnings by code, and the refusals."""

    warnings: Mapping[str, str]
    refusals: Sequence[str]

    def __bool__(self) -> bool:
        return bool(self.warnings or self.refusals)


def judge(stream: Path, script: Script, clip: Sequence[Message], heard: Heard) -> list[str]:
    """The failures in words. ``stream`` is the stream's folder in the store, ``clip`` the good stream."""
    recordings = read_recordings(stream)
    reads = {track.folder: read(track) for recording in recordings for track in recording.tracks}
    failures = [text for recording in recordings for text in _structure(recording)]
    losses = [*_losses(recordings, reads, script, clip), *_sync(recordings, reads, script, clip)]
    return failures + ([] if heard else losses)


def _structure(recording: Recording) -> Iterator[str]:
    for track in recording.tracks:
        for text in (*judge_track(track), *_manifest(recording, track)):
            yield f"{track.name}: {text}"
    yield from _agreement(recording)


def judge_track(track: Track) -> Iterator[str]:
    """Whether a track's playlist describes its media, and whether its decoding times increase."""
    if not track.ended:
        yield "the playlist has no EXT-X-ENDLIST"
    before: Segment | None = None
    last_dts = -1
    for segment in track.media:
        if segment.discontinuity:
            last_dts = -1
        if round(segment.extinf_s) > track.target_s:
            yield f"segment {segment.msn} lasts {segment.extinf_s} s, the target duration is {track.target_s}"
        length = (segment.end - segment.start) / segment.timescale
        if abs(length - segment.extinf_s) > ROUNDING_S:
            yield f"segment {segment.msn} has EXTINF {segment.extinf_s}, but its media lasts {length:.6f} s"
        for one, other in pairwise(segment.fragments):
            if other.base_media_decode_time != one.end:
                yield f"segment {segment.msn} has a fragment that does not begin where the one before it ends"
        for sample in segment.samples:
            if sample.decode_time <= last_dts:
                yield f"segment {segment.msn} has a decoding time {sample.decode_time} after {last_dts}"
            last_dts = sample.decode_time
            if sample.duration <= 0:
                yield f"segment {segment.msn} has a sample of duration {sample.duration}"
        if before is not None:
            hole = segment.start_s - before.end_s
            # A new timeline may begin within the last frame of the old one.
            if hole < -(_last_frame_s(before) if segment.discontinuity else ROUNDING_S):
                yield f"segment {segment.msn} begins {-hole:.3f} s before the last one ends"
            if not segment.discontinuity and before.msn == segment.msn - 1 and hole > ROUNDING_S:
                yield f"segment {segment.msn} begins {hole:.3f} s after the last one, without a discontinuity"
        before = segment


def _last_frame_s(segment: Segment) -> float:
    return max(APART_S, segment.fragments[-1].samples[-1].duration / segment.timescale)


def _manifest(recording: Recording, track: Track) -> Iterator[str]:
    if not recording.manifest:
        return
    listed = {entry.msn: entry for entry in recording.manifest if entry.track == track.name}
    media = {segment.msn: segment for segment in track.media}
    # A broadcast begins in the manifest when it has all its tracks.
    begins = max(other.segments[0].msn for other in recording.tracks if other.segments)
    # A time with only one of audio and video has no Period: players fail on it, but skip missing time.
    other_kind = {s.msn for other in recording.tracks if other.is_video != track.is_video for s in other.media}
    due = {msn for msn in media if msn >= begins and (msn in other_kind or not other_kind)}
    if not due <= listed.keys() <= media.keys():
        yield f"the manifest lists the segments {sorted(listed)}, the playlist {sorted(media)}"
    for msn, entry in listed.items():
        segment = media.get(msn)
        if segment is None:
            continue
        first = next(segment.samples)
        # If pictures are reordered, the offsets of first pictures may differ.
        near = APART_S * segment.timescale if any(sample.cts > 0 for sample in segment.samples) else 0
        if min(abs(entry.time - time) for time in (segment.start, segment.earliest, first.pts)) > near:
            yield f"the manifest has segment {msn} at {entry.time}, but it begins at {segment.start}"
        if abs(entry.duration - (segment.end - segment.start)) > ROUNDING_S * segment.timescale:
            yield f"in the manifest, segment {msn} lasts {entry.duration}, not {segment.end - segment.start}"


def _agreement(recording: Recording) -> Iterator[str]:
    """Whether the tracks agree about discontinuities, and about where segments and the broadcast begin."""
    tracks = recording.tracks
    for one, other in pairwise(tracks):
        firsts = {segment.msn: segment for segment in one.segments}
        both = [(firsts[segment.msn], segment) for segment in other.segments if segment.msn in firsts]
        for first, second in both:
            if first.discontinuity != second.discontinuity and first is not one.segments[0]:
                yield f"{one.name} and {other.name} differ about a discontinuity at segment {first.msn}"
            if first.fragments and second.fragments:
                # A segment may end within a long interval between pictures (docs/playlists.md): then the next one
                # begins before its first picture.
                (start, shown), (other_start, other_shown) = map(_begins, (first, second))
                apart = max(0.0, start - other_shown) - max(0.0, other_start - shown)
                near = PART_S if _is_still(first) or _is_still(second) else APART_S
                if abs(apart) > near + (1.0 if first.msn == 1 else 0.0):
                    yield f"segment {first.msn} of {one.name} begins {apart:.3f} s after that of {other.name}"


def _is_still(segment: Segment) -> bool:
    """Whether a segment shows a still picture, once per part: it begins with one of them."""
    return all(sample.duration > STILL_S * segment.timescale for sample in islice(segment.samples, 2))


def _begins(segment: Segment) -> tuple[float, float]:
    """When a segment begins, and when its first picture or sound is presented, in seconds."""
    return segment.start_s, segment.earliest / segment.timescale


def _ends(recording: Recording) -> Iterator[str]:
    """Whether the tracks end together."""
    for one, other in pairwise(recording.tracks):
        if one.media and other.media:
            ends = [track.media[-1].end_s for track in (one, other)]
            if abs(ends[0] - ends[1]) > ENDS_APART_S:
                yield f"{one.name} ends at {ends[0]:.2f} s, {other.name} at {ends[1]:.2f} s"


def _is_uneven(script: Script) -> bool:
    """Whether the tracks of the last session end apart."""
    ends = {message.type_id: message.timestamp for message in script.all_sessions()[-1].messages}
    return abs(ends.get(VIDEO, 0) - ends.get(AUDIO, 0)) > 500


def _losses(
    recordings: Sequence[Recording], reads: Mapping[Path, Read], script: Script, clip: Sequence[Message]
) -> Iterator[str]:
    messages = [message for session in script.all_sessions() for message in session.messages]
    sent = [message.picture for message in messages if message.picture is not None]
    expected = set(sent) - script.damaged
    if not recordings:
        yield "nothing is recorded"
        return
    repeated = {number for number in sent if sent.count(number) > 1}
    names = sorted({track.name for recording in recordings for track in recording.tracks if track.is_video})
    broken = bool(script.damaged)
    discontinuities = any(s.discontinuity for r in recordings for t in r.tracks for s in t.segments[1:])
    if expected and not names:
        yield "there is no video"
    tail: list[Message] = []
    for name in names:
        tracks = [track for r in recordings for track in r.tracks if track.name == name]
        shown = [picture for track in tracks for picture in reads[track.folder].pictures]
        numbers = [number for _, number in shown]
        missing = expected - set(numbers)
        moving, stills = without_stills(numbers, {m.picture for m in messages if m.is_key})
        for still in stills:
            late = {number for number in missing if still.picture < number < still.until}
            if len(late) <= WARNED_AFTER:
                missing -= late
        tail += _tail(missing, messages)
        missing -= {message.picture for message in tail if message.picture is not None}
        lost = (script.damaged & set(sent)) - set(numbers)
        if len(lost) >= LASTING_PICTURES:
            yield f"{name}: {len(lost)} pictures are lost by the publisher's fault"
        if name != SOURCE_TRACK:
            missing = _missing_in_encoded(missing, tracks)
        if missing and not discontinuities:
            yield f"{name}: {len(missing)} pictures are missing: {_ranges(missing)}"
        unreadable = numbers.count(None)
        if unreadable > (name != SOURCE_TRACK) * FEW_PICTURES and not broken:
            yield f"{name}: {unreadable} pictures cannot be recognized"
        known = [number for number in moving if number is not None and number not in script.damaged]
        if not script.unordered:
            for before, after in pairwise(known):
                if after < before or (after == before and after not in repeated):
                    yield f"{name}: picture {after} is shown after {before}"
                    break
            for track in tracks:
                for (earlier, first), (later, second) in pairwise(reads[track.folder].pictures):
                    if later <= earlier and script.damaged.isdisjoint((first, second)):
                        yield f"{name}: picture {first} is shown at {earlier:.3f} s, then {second} at {later:.3f} s"
                        break
    for recording in recordings:
        for track in recording.tracks:
            errors = reads[track.folder].errors
            if errors and not (broken if track.is_video else script.deaf):
                yield f"{track.name}: {len(errors)} errors: {errors[0]}"
    if not script.loose and not _is_uneven(script):
        for recording in recordings:
            yield from _ends(recording)
    end = min((message.timestamp for message in tail), default=None)
    heard = [message for message in messages if end is None or message.timestamp < end]
    yield from _lost_sound(recordings, heard, clip, script.damaged, discontinuities)


def _missing_in_encoded(missing: set[int], tracks: Sequence[Track]) -> set[int]:
    """The missing pictures of an encoded rendition, unless they are few or in gaps: it begins with the first
    keyframe that its encoder takes, and players switch to the source over a gap (docs/playlists.md)."""
    gaps = any(not segment.fragments for track in tracks for segment in track.segments)
    return set() if gaps or len(missing) <= FEW_PICTURES else missing


@dataclass(frozen=True, slots=True)
class Still:
    """A keyframe that is repeated while no video arrives (docs/playlists.md). ``until`` is the number of the
    picture that follows, or infinity at the end."""

    picture: int
    until: float = inf


def without_stills(
    numbers: Sequence[int | None], keys: Container[int | None]
) -> tuple[list[int | None], list[Still]]:
    """The pictures without repetitions of the newest keyframe, and these."""
    moving: list[int | None] = []
    stills: list[Still] = []
    key, repeats = -1, False
    for number in numbers:
        if number is not None and number == key:
            if not repeats:
                stills.append(Still(key))
            repeats = True
            continue
        if repeats and number is not None:
            stills[-1] = Still(key, number)
            repeats = False
        if number is not None and number in keys:
            key = number
        moving.append(number)
    return moving, stills


def _tail(missing: set[int], messages: Sequence[Message]) -> list[Message]:
    """The last pictures of the stream, if they are missing and no keyframe is among them: nothing can begin there,
    and the publisher leaves before it could be warned."""
    tail: list[Message] = []
    for message in reversed([message for message in messages if message.picture is not None]):
        if message.picture not in missing:
            break
        if message.key or len(tail) == WARNED_AFTER:
            return []
        tail.append(message)
    return tail


def _lost_sound(
    recordings: Sequence[Recording],
    messages: Sequence[Message],
    clip: Sequence[Message],
    damaged: frozenset[int],
    discontinuous: bool,
) -> Iterator[str]:
    found = {number for _, number in _sounds(recordings, clip)}
    missing = _expected_sounds(messages, damaged) - found
    if any(count > FEW_SOUNDS for count in counts_of_losses(missing)) and not discontinuous:
        yield f"{len(missing)} audio frames are missing: {_ranges(missing)}"


def counts_of_losses(missing: set[int]) -> Iterator[int]:
    """How many audio frames each loss has."""
    count, before = 0, -1
    for number in sorted(missing):
        if count and number - before > SOUNDS_BETWEEN:
            yield count
            count = 0
        count, before = count + 1, number
    yield count


def _expected_sounds(messages: Sequence[Message], damaged: frozenset[int]) -> set[int]:
    """The audio frames from the first good picture on: a broadcast begins with a keyframe."""
    begins = [place for place, m in enumerate(messages) if m.picture is not None and m.picture not in damaged]
    first = messages[begins[0]].timestamp + composition(messages[begins[0]]) if begins else 0
    return {m.sound for m in messages if m.sound is not None and not (begins and m.timestamp < first)}


def _sounds(recordings: Sequence[Recording], clip: Sequence[Message]) -> Iterator[tuple[float, int]]:
    """The time in seconds and the number of each audio frame that is recorded as it is in the clip."""
    numbers = {message.data[2:]: message.sound for message in clip if message.sound is not None}
    for recording in recordings:
        for track in recording.tracks:
            if not track.is_video:
                for segment in track.media:
                    for sample in segment.samples:
                        number = numbers.get(sample.payload)
                        if number is not None:
                            yield sample.pts / segment.timescale, number


def _sync(
    recordings: Sequence[Recording],
    reads: Mapping[Path, Read],
    script: Script,
    clip: Sequence[Message],
) -> Iterator[str]:
    """Whether sound and picture that belong together are presented together."""
    if script.loose:
        return
    times = good_times(clip)
    for recording in recordings:
        sounds = [(at, times["sound", number]) for at, number in _sounds([recording], clip)]
        for track in recording.tracks:
            if not track.is_video:
                continue
            # A keyframe that is repeated has its time once.
            firsts = {number: at for at, number in reversed(reads[track.folder].pictures)}
            pictures = [
                (at, times["picture", number])
                for number, at in firsts.items()
                if number is not None and ("picture", number) in times
            ]
            for start, end in _runs(track):
                shifts = [
                    sorted((at, at - good) for at, good in media if start <= at < end)
                    for media in (pictures, sounds)
                ]
                if min(map(len, shifts)) > 5:
                    late = median(_apart(*shifts))
                    if abs(late) > SYNC_S:
                        yield f"{track.name}: from {start:.2f} s to {end:.2f} s, pictures are {late:.3f} s late"


def _apart(pictures: Sequence[Shifted], sounds: Sequence[Shifted]) -> Iterator[float]:
    """By how much each picture is later than the sound that is presented with it."""
    times = [at for at, _ in sounds]
    for at, shift in pictures:
        place = bisect_left(times, at)
        _, sound_shift = min(sounds[max(0, place - 1) : place + 1], key=lambda sound: abs(sound[0] - at))
        yield shift - sound_shift


def good_times(messages: Sequence[Message]) -> Mapping[tuple[str, int], float]:
    """When each picture and audio frame of a clip is presented, in seconds."""
    times: dict[tuple[str, int], float] = {}
    for message in messages:
        if message.picture is not None:
            times["picture", message.picture] = (message.timestamp + composition(message)) / 1000
        elif message.sound is not None and message.type_id != VIDEO:
            times["sound", message.sound] = message.timestamp / 1000
    return times


def _runs(track: Track) -> Iterator[tuple[float, float]]:
    """The times in seconds between discontinuities."""
    media = track.media
    starts = [segment.start_s for segment in media[:1]]
    starts += [segment.start_s for segment in media[1:] if segment.discontinuity]
    ends = [*starts[1:], media[-1].end_s] if media else []
    return zip(starts, ends, strict=True)


def _ranges(numbers: set[int]) -> str:
    """Numbers in words: 1-5, 8."""
    parts: list[list[int]] = []
    for number in sorted(numbers):
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ", ".join(f"{first}-{last}" if last > first else str(first) for first, last in parts[:6])
