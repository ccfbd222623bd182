"""Converts one publisher's FLV messages to access units on its timeline, and passes them to its publication.

An odd frame does not end a broadcast: it is dropped, and the reason is counted. Only an unsupported codec ends it,
and once media has been received, only after ``PERSISTENT`` consecutive messages.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import partial

from ingest.flv import parse_audio_tag, parse_video_tag
from ingest.flv.errors import MalformedFrame, NoConfig, OddFrame, UnsupportedCodec
from ingest.flv.tags import AudioFrame, SequenceHeader, VideoFrame
from ingest.interface import Publication
from ingest.picture_joiner import Picture, PictureJoiner
from ingest.timeline import TICKS_PER_MS, Timeline
from ingest.track_clock import WRAP
from media.codecs import VideoCodec, audio_codec, video_codec
from media.codecs.descriptor import Content, Message
from media.configs import AudioConfig, VideoConfig
from media.errors import MalformedConfig, MediaError, UnsupportedConfig
from media.timescale import MILLISECONDS
from media.units import AccessUnit, Codec, Kind

# This many consecutive messages of an unsupported codec are not an accident.
PERSISTENT = 30
# Used for every frame: reading a module global costs a tenth of reading an enumeration's member.
VIDEO, AUDIO, PICTURE = Kind.VIDEO, Kind.AUDIO, Content.PICTURE
# Encoders send two messages of parameter sets before the first picture.
MAX_EARLY = 16
MAX_EARLY_BYTES = 1 << 16
# Is not equal to any byte.
NO_BYTE = -1
OVERLAP = "timestamp-overlap"
# What is repaired.
ANNEX_B = "annex-b"
ADTS = "adts"
SPLIT_PICTURE = "split-picture"


class MediaFeed:
    """``video`` and ``audio`` take the messages of their kind. Both are track 0."""

    def __init__(self, publication: Publication, clock: Callable[[], float] = lambda: 0.0) -> None:
        """``clock`` returns monotonic seconds."""
        timeline = Timeline(publication.on_timing, clock)
        self.video = VideoFeed(publication, timeline)
        self.audio = AudioFeed(publication, timeline, self.video)

    def close(self) -> None:
        """Pass on a picture that is held because more of it could have arrived."""
        self.video.release()


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
    """The publisher's video. Its configuration is in the sequence header, and from some encoders in messages."""

    def __init__(self, publication: Publication, timeline: Timeline) -> None:
        super().__init__(publication, timeline)
        self._config: VideoConfig | None = None
        self._codec: Codec | None = None
        # The sequence header's record; empty if there was none.
        self._record = b""
        # The configuration from the next keyframe on: parameter sets in messages may have changed it.
        self._next_config: VideoConfig | None = None
        self._descriptor: VideoCodec
        self._read_message: Callable[[bytes], Message]
        self._is_random_access: Callable[[bytes], bool]
        self.joiner = PictureJoiner()
        # Whether a picture that is one message passes without the joiner.
        self._direct = False
        # Parameter sets from before the configuration.
        self._early: list[bytes] = []

    @property
    def _configured(self) -> bool:
        return self._config is not None

    def release(self) -> None:
        """Pass on the picture that is held."""
        for picture in self.joiner.release():
            self._pass_on(picture)
        self._direct = self._passes_pictures()

    def release_before(self, timestamp: int) -> None:
        """Pass on the picture that is held if it is much earlier than an audio frame at ``timestamp``."""
        for picture in self.joiner.release_before(timestamp):
            self._pass_on(picture)
        self._direct = self._passes_pictures()

    def _read(self, timestamp: int, body: bytes) -> None:
        tag = parse_video_tag(body)
        if type(tag) is SequenceHeader:
            self._header(tag.codec, tag.record)
        if type(tag) is not VideoFrame:
            return
        codec, key, composition_ms, data = tag
        if codec != self._codec and not self._configure_in_band(codec, data):
            return
        try:
            payload, content = self._read_message(data)
        except MalformedConfig as error:
            raise MalformedFrame(str(error)) from error
        if not payload:
            raise MalformedFrame("a video frame without data")
        if payload is not data and self._descriptor.has_start_codes(data):
            self._publication.on_repaired(ANNEX_B)
        if content is not PICTURE or not self._direct:
            self._join(timestamp, key, composition_ms, payload, content)
            return
        key = key and self._is_random_access(payload)
        placement = self._timeline.video(timestamp)
        if placement.discontinuity:
            self._publication.on_discontinuity()
        self._publication.on_unit(AccessUnit(VIDEO, placement.dts, composition_ms * TICKS_PER_MS, key, payload))

    def _join(self, timestamp: int, key: bool, composition_ms: int, payload: bytes, content: Content) -> None:
        """Take a message that may not be a whole picture."""
        joiner = self.joiner
        self._direct = False
        complete: Sequence[Picture] = ()
        match content:
            case Content.PICTURE | Content.CONFIGURED_PICTURE:
                placement = self._timeline.video(timestamp)
                configured = content is Content.CONFIGURED_PICTURE
                complete = joiner.start(Picture(timestamp, placement, composition_ms, key, [payload], configured))
            case Content.BEFORE:
                complete = joiner.add_before(payload, key=key)
            case Content.CONTINUATION:
                joiner.add_continuation(payload)
                self._publication.on_repaired(SPLIT_PICTURE)
            case Content.AFTER:
                # Padding, and the end of a sequence: no decoder needs them.
                pass
        for picture in complete:
            self._pass_on(picture)
        self._direct = self._passes_pictures()

    def _passes_pictures(self) -> bool:
        return self.joiner.idle and self._next_config is None

    def _pass_on(self, picture: Picture) -> None:
        parts = picture.parts
        payload = parts[0] if len(parts) == 1 else self._descriptor.join(parts)
        key = picture.key and self._is_random_access(payload)
        if picture.configured:
            self._update_config(payload)
        if key and self._next_config is not None:
            self._announce(self._next_config)
        placement = picture.placement
        if placement.discontinuity:
            self._publication.on_discontinuity()
        cts = picture.composition_ms * TICKS_PER_MS
        self._publication.on_unit(AccessUnit(VIDEO, placement.dts, cts, key, payload))

    def _header(self, codec: Codec, record: bytes) -> None:
        if codec == self._codec and record == self._record:
            return
        descriptor = video_codec(codec)
        self._configure(descriptor, record, descriptor.parse_config(record))

    def _configure_in_band(self, codec: Codec, data: bytes) -> bool:
        """Take the configuration from messages without a sequence header. Return whether it is complete."""
        descriptor = video_codec(codec)
        try:
            payload, content = descriptor.message_reader(b"")(data)
        except MalformedConfig as error:
            raise MalformedFrame(str(error)) from error
        config = descriptor.update_config(b"", descriptor.join((*self._early, payload)))
        if config is not None:
            self._configure(descriptor, b"", config)
        elif content is Content.BEFORE and len(self._early) < MAX_EARLY and len(payload) < MAX_EARLY_BYTES:
            self._early.append(payload)
        else:
            raise NoConfig("a video frame before the sequence header")
        return config is not None

    def _configure(self, descriptor: VideoCodec, record: bytes, config: VideoConfig) -> None:
        read_message = descriptor.message_reader(record)
        self.release()
        self._descriptor, self._read_message = descriptor, read_message
        self._is_random_access = descriptor.is_random_access
        self._codec, self._record = descriptor.codec, record
        self._early.clear()
        self._announce(config)

    def _announce(self, config: VideoConfig) -> None:
        self._next_config = None
        if config != self._config:
            self._config = config
            self.joiner.configure(partial(self._descriptor.picture_matcher, config.record))
            self._direct = False
            self._publication.on_video_config(config)

    def _update_config(self, payload: bytes) -> None:
        """Read the parameter sets in ``payload``. An unreadable one is counted; decoders may still accept it."""
        before = self._next_config or self._config
        try:
            updated = self._descriptor.update_config(before.record if before else b"", payload)
        except MediaError as error:
            self._publication.on_dropped(error.code)
            return
        if updated is not None:
            self._next_config = updated


class AudioFeed(TrackFeed):
    """The publisher's audio. Its configuration is in the sequence header or, for some codecs, in each frame."""

    def __init__(self, publication: Publication, timeline: Timeline, video: VideoFeed) -> None:
        super().__init__(publication, timeline)
        self._video = video
        self._pictures = video.joiner
        self._config: AudioConfig | None = None
        self._codec: Codec | None = None
        # The sequence header's record, or the signature of a frame that contains its configuration.
        self._record = b""
        self._signature: Callable[[bytes], bytes] | None = None
        self._split: Callable[[bytes], Sequence[bytes]]
        self._sync = NO_BYTE

    @property
    def _configured(self) -> bool:
        return self._config is not None

    def _read(self, timestamp: int, body: bytes) -> None:
        tag = parse_audio_tag(body)
        if type(tag) is AudioFrame:
            self._frame(timestamp, *tag)
        elif type(tag) is SequenceHeader and (tag.record != self._record or tag.codec != self._codec):
            descriptor = audio_codec(tag.codec)
            signature = None if descriptor.in_band is None else descriptor.in_band.signature
            self._configure(descriptor.parse_config(tag.record), tag.record, signature)

    def _frame(self, timestamp: int, codec: Codec, data: bytes) -> None:
        if codec != self._codec or (self._signature is not None and self._signature(data) != self._record):
            self._configure_in_band(codec, data)
        if self._pictures.held is not None:
            self._video.release_before(timestamp)
        if data[0] == self._sync:
            self._unwrap(timestamp, data)
        else:
            self._pass_on(timestamp, data)

    def _unwrap(self, timestamp: int, data: bytes) -> None:
        """Take a message whose frames are in the codec's transport format."""
        try:
            frames = self._split(data)
        except MalformedConfig as error:
            raise MalformedFrame(str(error)) from error
        self._publication.on_repaired(ADTS)
        config = self._config
        duration = 0 if config is None else config.frame_samples * MILLISECONDS // config.sample_rate
        for index, frame in enumerate(frames):
            self._pass_on((timestamp + index * duration) % WRAP, frame)

    def _pass_on(self, timestamp: int, data: bytes) -> None:
        placement = self._timeline.audio(timestamp)
        if placement is None:
            self._publication.on_dropped(OVERLAP)
            return
        if placement.discontinuity:
            self._publication.on_discontinuity()
        self._publication.on_unit(AccessUnit(AUDIO, placement.dts, 0, True, data))

    def _configure_in_band(self, codec: Codec, frame: bytes) -> None:
        descriptor = audio_codec(codec)
        transport, in_band = descriptor.transport, descriptor.in_band
        if in_band is None and transport is not None and frame[0] == transport.sync:
            in_band = transport.config
        if in_band is None:
            raise NoConfig("an audio frame before the sequence header")
        self._configure(in_band.parse(frame), in_band.signature(frame), in_band.signature)

    def _configure(self, config: AudioConfig, record: bytes, signature: Callable[[bytes], bytes] | None) -> None:
        self._codec, self._record, self._signature = config.codec, record, signature
        transport = audio_codec(config.codec).transport
        if transport is None:
            self._sync = NO_BYTE
        else:
            self._sync, self._split = transport.sync, transport.split
        if config == self._config:
            return
        self._config = config
        self._timeline.set_audio(config.sample_rate, config.frame_samples)
        self._publication.on_audio_config(config)
