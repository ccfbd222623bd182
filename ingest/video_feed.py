"""Converts a publisher's video messages to access units."""

from collections.abc import Callable, Sequence
from functools import partial

from ingest.flv import parse_video_tag
from ingest.flv.errors import ImplausibleOffset, MalformedFrame, NoConfig
from ingest.flv.tags import SequenceHeader, VideoFrame
from ingest.interface import Publication
from ingest.offset_guard import OffsetGuard
from ingest.picture_joiner import Picture, PictureJoiner
from ingest.timeline import TICKS_PER_MS, Timeline
from ingest.track_clock import WRAP
from ingest.track_feed import ConfigChanges, TrackFeed
from media.codecs import VideoCodec, video_codec
from media.codecs.descriptor import Content, Message
from media.configs import VideoConfig
from media.errors import MalformedConfig, MediaError, PictureTooLarge
from media.units import AccessUnit, Codec, Kind

# Used for every frame: reading a module global costs a tenth of reading an enumeration's member.
VIDEO, PICTURE = Kind.VIDEO, Content.PICTURE
# Encoders send two messages of parameter sets before the first picture.
MAX_EARLY = 16
MAX_EARLY_BYTES = 1 << 16
# What is repaired.
ANNEX_B = "annex-b"
SPLIT_PICTURE = "split-picture"


class VideoFeed(TrackFeed):
    """The publisher's video. Its configuration is in the sequence header, and from some encoders in messages."""

    def __init__(
        self, publication: Publication, timeline: Timeline, changes: ConfigChanges, max_pixels: int
    ) -> None:
        super().__init__(publication, timeline, changes)
        self._max_pixels = max_pixels
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
        self._offsets = OffsetGuard()
        # The least composition time, if it is negative. Decoding times are earlier by so much, because a frame
        # cannot be presented before it is decoded.
        self._earliest_ms = 0
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
        codec, _, composition_ms, data = tag
        offsets = self._offsets
        if offsets.least_ms <= composition_ms <= offsets.limit_ms:
            offsets.far = 0
        elif (usual_ms := offsets.check(composition_ms)) != composition_ms:
            composition_ms = usual_ms
            self._publication.on_repaired(ImplausibleOffset.code)
        if composition_ms < self._earliest_ms:
            self._earliest_ms = composition_ms
        sent_at = timestamp
        if self._earliest_ms:
            timestamp = (timestamp + self._earliest_ms) % WRAP
            composition_ms -= self._earliest_ms
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
        if content is PICTURE and self._is_repeated(sent_at, data):
            return
        if content is not PICTURE or not self._direct:
            self._join(timestamp, composition_ms, payload, content)
            return
        # Not the tag's key flag: some encoders set it at every frame, or never.
        key = self._is_random_access(payload)
        dts, discontinuity, late = self._timeline.video(timestamp)
        if discontinuity:
            self._publication.on_discontinuity()
        cts = composition_ms * TICKS_PER_MS
        if late:
            cts = less_late(cts, late)
        self._publication.on_unit(AccessUnit(VIDEO, dts, cts, key, payload))

    def _join(self, timestamp: int, composition_ms: int, payload: bytes, content: Content) -> None:
        """Take a message that may not be a whole picture."""
        if content is not PICTURE:
            self._check_size(self._descriptor, payload)
        joiner = self.joiner
        self._direct = False
        complete: Sequence[Picture] = ()
        match content:
            case Content.PICTURE | Content.CONFIGURED_PICTURE:
                placement = self._timeline.video(timestamp)
                configured = content is Content.CONFIGURED_PICTURE
                complete = joiner.start(Picture(timestamp, placement, composition_ms, [payload], configured))
            case Content.BEFORE:
                complete = joiner.add_before(payload)
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
        key = self._is_random_access(payload)
        if picture.configured:
            self._update_config(payload)
        if key and self._next_config is not None:
            self._announce(self._next_config)
        placement = picture.placement
        if placement.discontinuity:
            self._publication.on_discontinuity()
        cts = less_late(picture.composition_ms * TICKS_PER_MS, placement.late)
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
        self._check_size(descriptor, descriptor.parameter_sets(config.record))
        read_message = descriptor.message_reader(record)
        self.release()
        self._descriptor, self._read_message = descriptor, read_message
        self._is_random_access = descriptor.is_random_access
        self._codec, self._record = descriptor.codec, record
        self._early.clear()
        self._announce(config)

    def _check_size(self, descriptor: VideoCodec, payload: bytes) -> None:
        """Raises PictureTooLarge, before a decoder sees the parameter sets in ``payload``."""
        pixels = descriptor.largest_picture(payload)
        if pixels > self._max_pixels:
            raise PictureTooLarge(
                f"the picture has {pixels / 1e6:.1f} megapixels, and this server takes at most "
                f"{self._max_pixels / 1e6:.1f}: choose a smaller one; in OBS: Settings, Video, Output Resolution"
            )

    def _announce(self, config: VideoConfig) -> None:
        self._next_config = None
        if config != self._config:
            self._changes.add()
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


def less_late(cts: int, late: int) -> int:
    """The composition offset of a frame that is decoded ``late`` ticks after its timestamp: its presentation time
    stays, as far as it is not before the decoding."""
    return max(cts - late, min(cts, 0))
