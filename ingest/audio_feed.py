"""Converts a publisher's audio messages to access units."""

from collections.abc import Callable, Sequence

from ingest.flv import parse_audio_tag
from ingest.flv.errors import MalformedFrame, NoConfig, OversizedFrame
from ingest.flv.tags import AudioFrame, SequenceHeader
from ingest.interface import Publication
from ingest.timeline import Timeline
from ingest.track_clock import WRAP
from ingest.track_feed import ConfigChanges, TrackFeed
from ingest.video_feed import VideoFeed
from media.codecs import audio_codec
from media.configs import AudioConfig
from media.errors import MalformedConfig
from media.timescale import MILLISECONDS
from media.units import AccessUnit, Codec, Kind

# Used for every frame: reading a module global costs a tenth of reading an enumeration's member.
AUDIO = Kind.AUDIO
# The longest AAC frame has 6144 bits per channel; a message may have several frames.
MAX_AUDIO_BYTES = 1 << 16
# Is not equal to any byte.
NO_BYTE = -1
OVERLAP = "timestamp-overlap"
# What is repaired.
ADTS = "adts"


class AudioFeed(TrackFeed):
    """The publisher's audio. Its configuration is in the sequence header or, for some codecs, in each frame."""

    def __init__(
        self, publication: Publication, timeline: Timeline, changes: ConfigChanges, video: VideoFeed
    ) -> None:
        super().__init__(publication, timeline, changes)
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
        if len(data) > MAX_AUDIO_BYTES:
            raise OversizedFrame(f"an audio message of {len(data)} bytes")
        if codec != self._codec or (self._signature is not None and self._signature(data) != self._record):
            self._configure_in_band(codec, data)
        if self._is_repeated(timestamp, data):
            return
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
        self._changes.add()
        self._config = config
        self._timeline.set_audio(config.sample_rate, config.frame_samples)
        self._publication.on_audio_config(config)
