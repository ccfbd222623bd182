"""FLV messages in, access units out: one publisher's media, put on its timeline and handed to its publication.

One odd frame never ends a broadcast: it is left out and its reason told. Only a codec that cannot be carried ends
one, and in mid-broadcast only when it has come so often that it is no accident.
"""

from abc import ABC, abstractmethod

from ingest.flv import parse_audio_tag, parse_video_tag
from ingest.flv.errors import MalformedFrame, NoConfig, OddFrame, UnsupportedCodec
from ingest.flv.random_access import is_random_access_point
from ingest.flv.tags import AudioFrame, SequenceHeader, VideoFrame
from ingest.interface import Publication
from ingest.timeline import TICKS_PER_MS, Timeline
from media.aac import parse_audio_specific_config
from media.configs import AudioConfig, VideoConfig
from media.errors import MalformedConfig, MediaError, UnsupportedConfig
from media.h264 import LENGTH_SIZE, nal_length_size, parse_avc_config, relength
from media.mp3 import HEADER_SIZE, MONO, parse_frame_header
from media.units import AccessUnit, Codec, Kind

# So many tags of a strange codec in a row are the publisher's decision.
PERSISTENT = 30
# Looked up for every frame: a name costs a tenth of an enumeration's member.
VIDEO, AUDIO, MP3 = Kind.VIDEO, Kind.AUDIO, Codec.MP3
OVERLAP = "timestamp-overlap"


class MediaFeed:
    """``video`` and ``audio`` take what comes of either kind."""

    def __init__(self, publication: Publication) -> None:
        timeline = Timeline()
        self.video = VideoFeed(publication, timeline)
        self.audio = AudioFeed(publication, timeline)


class TrackFeed(ABC):
    def __init__(self, publication: Publication, timeline: Timeline) -> None:
        self._publication = publication
        self._timeline = timeline
        self._strange = 0

    def take(self, timestamp: int, body: bytes) -> None:
        """One message: ``timestamp`` in milliseconds modulo 2^32, ``body`` an FLV tag's.

        Raises UnsupportedCodec, after which the publication is to be ended.
        """
        try:
            self._read(timestamp, body)
            self._strange = 0
        except (UnsupportedCodec, UnsupportedConfig) as strange:
            self._strange += 1
            if not self._configured or self._strange >= PERSISTENT:
                raise UnsupportedCodec(str(strange)) from strange
            self._publication.on_dropped(strange.code)
        except (OddFrame, MediaError) as odd:
            self._publication.on_dropped(odd.code)

    @property
    @abstractmethod
    def _configured(self) -> bool:
        """Whether this track has carried media already."""

    @abstractmethod
    def _read(self, timestamp: int, body: bytes) -> None: ...


class VideoFeed(TrackFeed):
    """H.264."""

    def __init__(self, publication: Publication, timeline: Timeline) -> None:
        super().__init__(publication, timeline)
        self._config: VideoConfig | None = None
        self._record = b""
        self._length_size = LENGTH_SIZE

    @property
    def _configured(self) -> bool:
        return self._config is not None

    def _read(self, timestamp: int, body: bytes) -> None:
        tag = parse_video_tag(body)
        if type(tag) is VideoFrame:
            self._frame(timestamp, tag)
        elif type(tag) is SequenceHeader:
            self._header(tag.record)

    def _frame(self, timestamp: int, frame: VideoFrame) -> None:
        if self._config is None:
            raise NoConfig("a video frame before the sequence header")
        try:
            payload = relength(frame.data, self._length_size)
        except MalformedConfig as error:
            raise MalformedFrame(str(error)) from error
        if not payload:
            raise MalformedFrame("a video frame of empty NAL units")
        key = frame.key and is_random_access_point(payload)
        placement = self._timeline.video(timestamp)
        if placement.discontinuity:
            self._publication.on_discontinuity()
        self._publication.on_unit(
            AccessUnit(VIDEO, placement.dts, frame.composition_ms * TICKS_PER_MS, key, payload)
        )

    def _header(self, record: bytes) -> None:
        if record == self._record:
            return
        config = parse_avc_config(record)
        self._length_size = nal_length_size(record)
        self._record = record
        if config != self._config:
            self._config = config
            self._publication.on_video_config(config)


class AudioFeed(TrackFeed):
    """AAC and MP3. MP3 has no sequence header: each frame's own says what it is."""

    def __init__(self, publication: Publication, timeline: Timeline) -> None:
        super().__init__(publication, timeline)
        self._config: AudioConfig | None = None
        # The AudioSpecificConfig, or what of an MP3 frame's header the configuration depends on.
        self._record = b""

    @property
    def _configured(self) -> bool:
        return self._config is not None

    def _read(self, timestamp: int, body: bytes) -> None:
        tag = parse_audio_tag(body)
        if type(tag) is AudioFrame:
            self._frame(timestamp, *tag)
        elif type(tag) is SequenceHeader and tag.record != self._record:
            self._configure(parse_audio_specific_config(tag.record), tag.record)

    def _frame(self, timestamp: int, codec: Codec, data: bytes) -> None:
        if codec is MP3:
            signature = mp3_signature(data)
            if signature != self._record:
                self._configure(parse_frame_header(data), signature)
        config = self._config
        if config is None or config.codec is not codec:
            raise NoConfig("an audio frame before the sequence header")
        placement = self._timeline.audio(timestamp)
        if placement is None:
            self._publication.on_dropped(OVERLAP)
            return
        if placement.discontinuity:
            self._publication.on_discontinuity()
        self._publication.on_unit(AccessUnit(AUDIO, placement.dts, 0, True, data))

    def _configure(self, config: AudioConfig, record: bytes) -> None:
        self._record = record
        if config == self._config:
            return
        self._config = config
        self._timeline.set_audio(config.sample_rate, config.frame_samples)
        self._publication.on_audio_config(config)


def mp3_signature(frame: bytes) -> bytes:
    """Sync word, version and layer, sample rate, mono or not (ISO/IEC 11172-3, 2.4.1.3)."""
    if len(frame) < HEADER_SIZE:
        return b""
    return bytes((frame[0], frame[1] & 0xFE, frame[2] & 0x0C, frame[3] >> 6 == MONO))
