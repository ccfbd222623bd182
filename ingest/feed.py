"""Converts one publisher's FLV messages to access units on its timeline, and passes them to its publication.

An odd frame does not end a broadcast: it is dropped, and the reason is counted. Only an unsupported codec ends it,
and once media has been received, only after ``PERSISTENT`` consecutive messages.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable

from ingest.flv import parse_audio_tag, parse_video_tag
from ingest.flv.errors import MalformedFrame, NoConfig, OddFrame, UnsupportedCodec
from ingest.flv.tags import AudioFrame, SequenceHeader, VideoFrame
from ingest.interface import Publication
from ingest.timeline import TICKS_PER_MS, Timeline
from media.codecs import audio_codec, video_codec
from media.configs import AudioConfig, VideoConfig
from media.errors import MalformedConfig, MediaError, UnsupportedConfig
from media.units import AccessUnit, Codec, Kind

# This many consecutive messages of an unsupported codec are not an accident.
PERSISTENT = 30
# Used for every frame: reading a module global costs a tenth of reading an enumeration's member.
VIDEO, AUDIO = Kind.VIDEO, Kind.AUDIO
OVERLAP = "timestamp-overlap"


class MediaFeed:
    """``video`` and ``audio`` take the messages of their kind. Both are track 0."""

    def __init__(self, publication: Publication, clock: Callable[[], float] = lambda: 0.0) -> None:
        """``clock`` returns monotonic seconds."""
        timeline = Timeline(publication.on_timing, clock)
        self.video = VideoFeed(publication, timeline)
        self.audio = AudioFeed(publication, timeline)


class TrackFeed(ABC):
    """One track of the publisher."""

    def __init__(self, publication: Publication, timeline: Timeline) -> None:
        self._publication = publication
        self._timeline = timeline
        self._unsupported = 0

    def take(self, timestamp: int, body: bytes) -> None:
        """Take one message: ``timestamp`` is milliseconds modulo 2^32, ``body`` the body of an FLV tag.

        Raises UnsupportedCodec, after which the caller must end the publication.
        """
        try:
            self._read(timestamp, body)
            self._unsupported = 0
        except (UnsupportedCodec, UnsupportedConfig) as error:
            self._unsupported += 1
            if not self._configured or self._unsupported >= PERSISTENT:
                raise UnsupportedCodec(str(error)) from error
            self._publication.on_dropped(error.code)
        except (OddFrame, MediaError) as error:
            self._publication.on_dropped(error.code)

    @property
    @abstractmethod
    def _configured(self) -> bool:
        """Whether this track has a configuration."""

    @abstractmethod
    def _read(self, timestamp: int, body: bytes) -> None: ...


class VideoFeed(TrackFeed):
    """The publisher's video. The sequence header contains its configuration."""

    def __init__(self, publication: Publication, timeline: Timeline) -> None:
        super().__init__(publication, timeline)
        self._config: VideoConfig | None = None
        self._codec: Codec | None = None
        self._record = b""
        self._read_payload: Callable[[bytes], bytes]
        self._is_random_access: Callable[[bytes], bool]

    @property
    def _configured(self) -> bool:
        return self._config is not None

    def _read(self, timestamp: int, body: bytes) -> None:
        tag = parse_video_tag(body)
        if type(tag) is VideoFrame:
            self._frame(timestamp, tag)
        elif type(tag) is SequenceHeader:
            self._header(tag.codec, tag.record)

    def _frame(self, timestamp: int, frame: VideoFrame) -> None:
        codec, key, composition_ms, data = frame
        if codec != self._codec:
            raise NoConfig("a video frame before the sequence header")
        try:
            payload = self._read_payload(data)
        except MalformedConfig as error:
            raise MalformedFrame(str(error)) from error
        if not payload:
            raise MalformedFrame("a video frame without data")
        key = key and self._is_random_access(payload)
        placement = self._timeline.video(timestamp)
        if placement.discontinuity:
            self._publication.on_discontinuity()
        self._publication.on_unit(AccessUnit(VIDEO, placement.dts, composition_ms * TICKS_PER_MS, key, payload))

    def _header(self, codec: Codec, record: bytes) -> None:
        if codec == self._codec and record == self._record:
            return
        descriptor = video_codec(codec)
        config = descriptor.parse_config(record)
        self._read_payload = descriptor.payload_reader(record)
        self._is_random_access = descriptor.is_random_access
        self._codec, self._record = codec, record
        if config != self._config:
            self._config = config
            self._publication.on_video_config(config)


class AudioFeed(TrackFeed):
    """The publisher's audio. Its configuration is in the sequence header or, for some codecs, in each frame."""

    def __init__(self, publication: Publication, timeline: Timeline) -> None:
        super().__init__(publication, timeline)
        self._config: AudioConfig | None = None
        self._codec: Codec | None = None
        # The sequence header's record, or the signature of a frame that contains its configuration.
        self._record = b""
        self._signature: Callable[[bytes], bytes] | None = None

    @property
    def _configured(self) -> bool:
        return self._config is not None

    def _read(self, timestamp: int, body: bytes) -> None:
        tag = parse_audio_tag(body)
        if type(tag) is AudioFrame:
            self._frame(timestamp, *tag)
        elif type(tag) is SequenceHeader and (tag.record != self._record or tag.codec != self._codec):
            self._configure(audio_codec(tag.codec).parse_config(tag.record), tag.record)

    def _frame(self, timestamp: int, codec: Codec, data: bytes) -> None:
        if codec != self._codec or (self._signature is not None and self._signature(data) != self._record):
            self._configure_in_band(codec, data)
        placement = self._timeline.audio(timestamp)
        if placement is None:
            self._publication.on_dropped(OVERLAP)
            return
        if placement.discontinuity:
            self._publication.on_discontinuity()
        self._publication.on_unit(AccessUnit(AUDIO, placement.dts, 0, True, data))

    def _configure_in_band(self, codec: Codec, frame: bytes) -> None:
        in_band = audio_codec(codec).in_band
        if in_band is None:
            raise NoConfig("an audio frame before the sequence header")
        self._configure(in_band.parse(frame), in_band.signature(frame))

    def _configure(self, config: AudioConfig, record: bytes) -> None:
        self._codec, self._record = config.codec, record
        in_band = audio_codec(config.codec).in_band
        self._signature = None if in_band is None else in_band.signature
        if config == self._config:
            return
        self._config = config
        self._timeline.set_audio(config.sample_rate, config.frame_samples)
        self._publication.on_audio_config(config)
