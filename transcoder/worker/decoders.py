"""FFmpeg's decoder for each codec. A new codec adds a line here."""

from typing import cast

import av
from av import AudioCodecContext, CodecContext, VideoCodecContext
from av.codec.codec import UnknownCodecError

from media.configs import AudioConfig, TrackConfig, VideoConfig
from media.limits import MAX_PIXELS
from media.units import Codec
from transcoder.errors import DecoderUnavailable

DECODERS: dict[Codec, str] = {Codec.H264: "h264", Codec.AAC: "aac", Codec.MP3: "mp3"}


def open_video_decoder(config: VideoConfig, max_pixels: int = MAX_PIXELS) -> VideoCodecContext:
    """A decoder that refuses parameter sets of pictures with more luma samples than ``max_pixels``, wherever they
    are. Raises DecoderUnavailable."""
    decoder = cast(VideoCodecContext, _create(config))
    decoder.options = {"max_pixels": str(max_pixels)}
    return decoder


def open_audio_decoder(config: AudioConfig) -> AudioCodecContext:
    """Raises DecoderUnavailable."""
    return cast(AudioCodecContext, _create(config))


def _create(config: TrackConfig) -> CodecContext:
    name = DECODERS.get(config.codec)
    if name is None:
        raise DecoderUnavailable(f"{config.codec} cannot be decoded here: the transcoder has no decoder for it")
    try:
        context = av.CodecContext.create(name, "r")
    except UnknownCodecError as error:
        raise DecoderUnavailable(f"the installed PyAV is built without a decoder of {config.codec}") from error
    if config.record:
        context.extradata = config.record
    return context
