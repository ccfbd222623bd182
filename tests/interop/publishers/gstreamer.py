"""GStreamer's two RTMP elements: rtmpsink, which is librtmp, and rtmp2sink, which is its own."""

from dataclasses import dataclass

from tests.interop.children import run
from tests.interop.outcome import FPS, PUBLISHED_S
from tests.interop.publishers import Target
from tests.interop.readers.gstreamer import gstreamer_lacks, gstreamer_version

WITHIN_S = 30.0
SAMPLE_RATE, BUFFER = 48_000, 1024
BUFFERS = int(PUBLISHED_S * SAMPLE_RATE / BUFFER)
PICTURES = f"""videotestsrc is-live=true num-buffers={int(PUBLISHED_S * FPS)}
    ! video/x-raw,width=640,height=360,framerate={FPS}/1,format=I420
    ! x264enc tune=zerolatency speed-preset=ultrafast bitrate=600 key-int-max={2 * FPS}
    ! h264parse ! queue ! mux."""
SOUND = f"""audiotestsrc is-live=true samplesperbuffer={BUFFER} num-buffers={BUFFERS}
    ! audio/x-raw,rate={SAMPLE_RATE},channels=2 ! voaacenc bitrate=96000 ! aacparse ! queue ! mux."""


@dataclass(frozen=True, slots=True)
class GstreamerPublisher:
    element: str
    codecs: str = "H.264, AAC"
    refused: bool = False

    @property
    def name(self) -> str:
        return f"GStreamer {self.element}"

    def missing(self) -> str | None:
        return gstreamer_lacks(self.element, "x264enc", "voaacenc", "flvmux")

    def version(self) -> str:
        return gstreamer_version()

    def publish(self, target: Target) -> None:
        sink = ["flvmux", "name=mux", "streamable=true", "!", self.element, f"location={target.url}"]
        command = ["gst-launch-1.0", "-e", *sink, *PICTURES.split(), *SOUND.split()]
        run(command, target.log, within_s=WITHIN_S)
