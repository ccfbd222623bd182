"""The rows of docs/interop.md: who publishes, who reads, and which readers fail by their own fault."""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.interop.outcome import CASES, Case, Format, Kind
from tests.interop.publishers import Publisher
from tests.interop.publishers.ffmpeg import AAC, H264, FfmpegPublisher
from tests.interop.publishers.gomedia import GomediaPublisher
from tests.interop.publishers.gstreamer import GstreamerPublisher
from tests.interop.publishers.nginx_push import NginxPublisher
from tests.interop.publishers.obs import ObsPublisher
from tests.interop.publishers.pyav import PyavPublisher
from tests.interop.publishers.vlc import VlcPublisher
from tests.interop.readers import Reader
from tests.interop.readers.browser import PlayerReader
from tests.interop.readers.ffmpeg import FfmpegReader
from tests.interop.readers.gstreamer import GstreamerReader
from tests.interop.readers.mpv import MpvReader
from tests.interop.readers.streamlink import StreamlinkReader
from tests.interop.readers.vlc import VlcReader
from tests.interop.readers.ytdlp import YtDlpReader

HLS, DASH, BOTH = (Format.HLS,), (Format.DASH,), (Format.HLS, Format.DASH)


def encoded(codecs: str, video: tuple[str, ...], audio: tuple[str, ...]) -> FfmpegPublisher:
    """The wheel's ffmpeg with codecs that Headwater refuses."""
    return FfmpegPublisher(codecs, (*video, *audio), refused=True)


PUBLISHERS: tuple[Publisher, ...] = (
    ObsPublisher(),
    GstreamerPublisher("rtmpsink"),
    GstreamerPublisher("rtmp2sink"),
    VlcPublisher(),
    PyavPublisher(),
    NginxPublisher(),
    GomediaPublisher(),
    FfmpegPublisher("H.264, AAC", (*H264, *AAC), title="ffmpeg of Debian", program="ffmpeg"),
    FfmpegPublisher("H.264, AAC", (*H264, *AAC)),
    FfmpegPublisher("H.264, MP3", (*H264, "-c:a", "libmp3lame")),
    encoded("HEVC, AAC", ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none"), AAC),
    encoded("AV1, AAC", ("-c:v", "libsvtav1", "-preset", "12", "-svtav1-params", "lp=1"), AAC),
    encoded("VP9, AAC", ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"), AAC),
    encoded("Sorenson H.263, AAC", ("-c:v", "flv1"), AAC),
    encoded("Screen Video, AAC", ("-c:v", "flashsv", "-pix_fmt", "bgr24"), AAC),
    encoded("H.264, Opus", H264, ("-c:a", "libopus")),
    encoded("H.264, FLAC", H264, ("-c:a", "flac", "-sample_fmt", "s16")),
    encoded("H.264, AC-3", H264, ("-c:a", "ac3")),
    encoded("H.264, E-AC-3", H264, ("-c:a", "eac3")),
    encoded("H.264, Nellymoser", H264, ("-c:a", "nellymoser", "-ar", "44100")),
    encoded("H.264, ADPCM", H264, ("-c:a", "adpcm_swf", "-ar", "44100")),
    encoded("H.264, PCM", H264, ("-c:a", "pcm_s16le", "-ar", "44100")),
    encoded("H.264, G.711 A-law", H264, ("-c:a", "pcm_alaw", "-ar", "8000")),
    encoded("H.264, G.711 mu-law", H264, ("-c:a", "pcm_mulaw", "-ar", "8000")),
)

READERS: tuple[Reader, ...] = (
    FfmpegReader("ffmpeg of Debian", "ffmpeg"),
    FfmpegReader("ffmpeg of the wheel"),
    VlcReader(),
    MpvReader(),
    GstreamerReader("hlsdemux2", HLS),
    GstreamerReader("dashdemux2", DASH),
    StreamlinkReader(),
    YtDlpReader(),
    PlayerReader("hls.js, old", "hls.js-old", "hls", HLS),
    PlayerReader("hls.js", "hls.js-new", "hls", HLS),
    PlayerReader("dash.js 3", "dashjs-3", "dash", DASH),
    PlayerReader("dash.js 4", "dashjs-4", "dash", DASH),
    PlayerReader("dash.js 5", "dashjs-5", "dash", DASH),
    PlayerReader("Shaka Player 3", "shaka-player-3", "shaka", BOTH),
    PlayerReader("Shaka Player 4", "shaka-player-4", "shaka", BOTH),
    PlayerReader("Shaka Player 5", "shaka-player-5", "shaka", BOTH),
    PlayerReader("Video.js", "video.js", "video", BOTH),
    PlayerReader("RxPlayer", "rx-player", "rx", DASH),
)


@dataclass(frozen=True, slots=True)
class ReaderRow:
    """One reader on one case."""

    reader: Reader
    case: Case

    def __str__(self) -> str:
        return f"{self.reader.name}: {self.case}"


@dataclass(frozen=True, slots=True)
class PublisherRow:
    publisher: Publisher

    def __str__(self) -> str:
        return f"publisher {self.publisher.name}"


Row = ReaderRow | PublisherRow


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a reader fails by its own fault, and the clause that it breaks."""

    text: str
    clause: str


FAULTS: dict[tuple[str, Case], Fault] = {
    ("GStreamer dashdemux2", Case(Format.DASH, Kind.LIVE)): Fault(
        "In a `SegmentTimeline` it adds the time of the first listed segment to the position "
        "(`gst_mpd_client2_stream_seek`). Once the first segment has left the window, it therefore waits for a "
        "segment of the future; before that, it plays.",
        "ISO/IEC 23009-1, 5.3.9.6.2: `S@t` is the start of the segment, and `S@r` counts from there",
    ),
    ("Shaka Player 3", Case(Format.HLS, Kind.LOW_LATENCY)): Fault(
        "With `streaming.lowLatencyMode` it starts at any part. The browser cannot decode one that does not begin "
        "with a keyframe, and the player then waits before the hole. It plays if the part happens to begin with a "
        "keyframe, and always without that mode. Shaka Player 4 reads the attribute.",
        "draft-pantos-hls-rfc8216bis, 4.4.4.9: `INDEPENDENT=YES` marks the parts with an independent frame",
    ),
    ("Video.js", Case(Format.HLS, Kind.LOW_LATENCY)): Fault(
        "It takes `EXT-X-INDEPENDENT-SEGMENTS` for a promise about parts, and may begin with one that has no "
        "keyframe. After five such parts it gives the rendition up; without another one, playback ends. It plays "
        "if the first part happens to begin with a keyframe.",
        "draft-pantos-hls-rfc8216bis, 4.4.2.1: the tag is about segments; 4.4.4.9: `INDEPENDENT=YES` marks the "
        "parts",
    ),
}


def rows() -> Iterator[Row]:
    """All rows: those that need no live media first, because that needs time to warm up."""
    pairs = [(reader, case) for reader in READERS for case in CASES if case.format in reader.formats]
    yield from map(PublisherRow, PUBLISHERS)
    yield from (ReaderRow(reader, case) for reader, case in pairs if case.kind is Kind.RECORDING)
    yield from (ReaderRow(reader, case) for reader, case in pairs if case.kind is not Kind.RECORDING)
