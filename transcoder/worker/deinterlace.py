"""Makes interlaced pictures progressive, with one picture for each frame. Progressive pictures pass unchanged.

The filter is bwdif, the better and, because it is vectorised, the faster of FFmpeg's two motion-adaptive filters.
"""

from collections.abc import Iterator

from av import VideoFormat, VideoFrame
from av.error import BlockingIOError as Again
from av.error import EOFError as End
from av.filter import Graph

from transcoder.worker.times import VIDEO_TIME_BASE

FILTER = "mode=send_frame:parity=auto:deint=interlaced"
PixelLayout = tuple[int, int, str]


class Deinterlacer:
    """Idle until the first interlaced picture (``always``: active from the start), then delays by one picture.

    After the first interlaced picture the stream is filtered to its end, so that pictures stay in order.
    """

    def __init__(self, *, always: bool) -> None:
        self._active = always
        self._graph: Graph | None = None
        self._layout: PixelLayout | None = None

    def filter(self, frame: VideoFrame) -> Iterator[VideoFrame]:
        self._active = self._active or frame.interlaced_frame
        if not self._active:
            yield frame
            return
        layout = (frame.width, frame.height, frame.format.name)
        if layout != self._layout:
            yield from self.flush()
            self._graph, self._layout = _graph(layout), layout
        if self._graph is not None:
            self._graph.vpush(frame)
            yield from _pull(self._graph)

    def flush(self) -> Iterator[VideoFrame]:
        """The picture that the filter holds back, if any."""
        if self._graph is not None:
            self._graph.vpush(None)
            yield from _pull(self._graph)
        self._graph = self._layout = None


def _graph(layout: PixelLayout) -> Graph:
    width, height, pixel_format = layout
    graph = Graph()
    graph.threads = 1
    source = graph.add_buffer(
        width=width, height=height, format=VideoFormat(pixel_format), time_base=VIDEO_TIME_BASE
    )
    graph.link_nodes(source, graph.add("bwdif", FILTER), graph.add("buffersink")).configure()
    return graph


def _pull(graph: Graph) -> Iterator[VideoFrame]:
    while True:
        try:
            frame = graph.vpull()
        except (Again, End):
            return
        # The filter counts in half ticks, because its other mode makes a picture of every field.
        if frame.pts is not None and frame.time_base is not None:
            frame.pts = round(frame.pts * frame.time_base / VIDEO_TIME_BASE)
        frame.time_base = VIDEO_TIME_BASE
        yield frame
