"""Re-encodes a source's audio on the source's timeline.

Presentation time is exact to the sample: the encoder's priming is removed, small drift between timestamps and
sample count is compensated by stretching, lost frames become silence, and repeated frames are dropped.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Any, cast

import av
from av import AudioCodecContext, AudioFrame, Packet
from av.codec.context import Flags
from av.error import BlockingIOError as Again
from av.error import EOFError as End
from av.error import FFmpegError
from av.filter import Graph

from media.codecs import audio_codec
from media.configs import AudioConfig
from media.timescale import rescale
from media.units import AccessUnit, Kind
from transcoder.errors import EncoderUnavailable
from transcoder.messages import AudioRung, Encoded, Message, TrackReady
from transcoder.options import AUDIO_ENCODER, AUDIO_OUTPUT
from transcoder.worker.decoders import open_audio_decoder

FRAME_SAMPLES = 1024
LAYOUTS = {1: "mono", 2: "stereo"}

# A longer gap in the audio is not filled, and a longer overlap is not cut: the track continues at the new time.
MAX_CORRECTION_SECONDS = 10

# Drift of 2 ms or more is compensated by stretching (up to 1000 samples per second); drift of 10 ms or more is cut
# or filled at once. `flags=res` keeps the resampler active at equal rates too, so that its start is not audible.
TIMELINE = "async=1000:min_comp=0.002:min_hard_comp=0.01:flags=res"

SampleLayout = tuple[int, str, str]


class AudioTranscoder:
    """One output track. ``errors`` counts units that the decoder rejected. Raises EncoderUnavailable,
    DecoderUnavailable."""

    def __init__(self, source: AudioConfig, rung: AudioRung, emit: Callable[[Message], None]) -> None:
        self.errors = 0
        self._track = rung.track
        self._emit = emit
        self._source = source
        self._decoder = open_audio_decoder(source)
        self._rate = rung.sample_rate or source.sample_rate
        self._channels = min(rung.channels or source.channels, max(LAYOUTS))
        self._bitrate = rung.bitrate_bps
        self._encoder = self._open_encoder()
        self._chain: Graph | None = None
        self._chain_layout: SampleLayout | None = None
        self._first_pts = 0
        self._next_pts = 0
        record = self._encoder.extradata or b""
        emit(TrackReady(self._track, audio_codec(AUDIO_OUTPUT).parse_config(record)))

    def feed(self, unit: AccessUnit) -> None:
        if not unit.payload:
            # FFmpeg treats an empty packet as the end of the stream.
            self.errors += 1
            return
        packet = av.Packet(unit.payload)
        packet.pts = packet.dts = unit.pts
        packet.time_base = Fraction(1, self._source.sample_rate)
        self._decode(packet)

    def flush(self) -> None:
        """Encode everything that is still queued, up to the last sample."""
        self._decode(None)
        self._end_chain()

    def _decode(self, packet: "Packet[Any] | None") -> None:
        try:
            frames = self._decoder.decode(packet)
        except FFmpegError:
            self.errors += 1
            return
        for frame in frames:
            self._resample(frame)

    def _resample(self, frame: AudioFrame) -> None:
        if frame.pts is None or not frame.samples:
            return
        layout = (frame.sample_rate, frame.format.name, frame.layout.name)
        pts = rescale(frame.pts, self._source.sample_rate, self._rate)
        jumped = abs(pts - self._next_pts) > MAX_CORRECTION_SECONDS * self._rate
        if self._chain is None or layout != self._chain_layout or jumped:
            self._end_chain()
            self._chain, self._chain_layout = self._open_chain(layout), layout
            self._first_pts = pts
        self._next_pts = pts + rescale(frame.samples, frame.sample_rate, self._rate)
        frame.pts = rescale(frame.pts, self._source.sample_rate, frame.sample_rate)
        frame.time_base = Fraction(1, frame.sample_rate)
        self._chain.push(frame)
        self._drain(self._chain)

    def _drain(self, chain: Graph) -> None:
        while True:
            try:
                frame = chain.pull()
            except (Again, End):
                return
            if isinstance(frame, AudioFrame):
                self._send(self._encoder.encode(frame))

    def _end_chain(self) -> None:
        if self._chain is None:
            return
        self._chain.push(None)
        self._drain(self._chain)
        self._send(self._encoder.encode(None))
        self._chain = None
        self._encoder = self._open_encoder()

    def _send(self, packets: "list[Packet[Any]]") -> None:
        for packet in packets:
            # Priming: samples that the encoder puts before the first input sample.
            if packet.pts is None or packet.pts < self._first_pts:
                continue
            unit = AccessUnit(Kind.AUDIO, packet.pts, 0, True, bytes(packet))
            self._emit(Encoded(self._track, unit))

    def _open_chain(self, layout: SampleLayout) -> Graph:
        rate, sample_format, channels = layout
        graph = Graph()
        source = graph.add(
            "abuffer",
            sample_rate=str(rate),
            sample_fmt=sample_format,
            channel_layout=channels,
            time_base=f"1/{rate}",
        )
        resample = graph.add("aresample", f"{self._rate}:{TIMELINE}")
        shape = graph.add(
            "aformat",
            sample_fmts="fltp",
            sample_rates=str(self._rate),
            channel_layouts=LAYOUTS[self._channels],
        )
        graph.link_nodes(source, resample, shape, graph.add("abuffersink")).configure()
        graph.set_audio_frame_size(FRAME_SAMPLES)
        return graph

    def _open_encoder(self) -> AudioCodecContext:
        context = cast(AudioCodecContext, av.CodecContext.create(AUDIO_ENCODER, "w"))
        context.sample_rate = self._rate
        context.layout = LAYOUTS[self._channels]
        context.format = "fltp"
        context.time_base = Fraction(1, self._rate)
        context.bit_rate = self._bitrate
        context.flags |= Flags.global_header
        try:
            context.open()
        except FFmpegError as error:
            raise EncoderUnavailable(
                f"the {AUDIO_OUTPUT.upper()} encoder cannot be opened at {self._rate} Hz, "
                f"{self._channels} channels: {error}"
            ) from error
        return context
