"""A process that runs ffmpeg and publishes the FLV of its output by RTMP, without decoding it.

The address comes from standard input, and the arguments are those of ffmpeg, so no argument has the stream key.
SIGTERM ends ffmpeg, and the publication with it.
"""

import signal
import subprocess
import sys
from collections.abc import Sequence
from typing import IO

import av
import av.logging


def publish(source: IO[bytes], target: str) -> None:
    """Copy all packets. Raises av.FFmpegError, or OSError if the connection breaks."""
    at_once = {"flush_packets": "1", "flvflags": "no_duration_filesize"}
    with (
        av.open(source, "r", format="flv") as media,
        av.open(target, "w", format="flv", options=at_once) as publication,
    ):
        streams = {stream.index: publication.add_stream_from_template(stream) for stream in media.streams}
        for packet in media.demux():
            # The demuxer ends with an empty packet.
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                publication.mux(packet)


def main(command: Sequence[str], target: str) -> int:
    # Unbuffered: a read returns what there is.
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, bufsize=0) as ffmpeg:
        signal.signal(signal.SIGTERM, lambda *_: ffmpeg.terminate())
        assert ffmpeg.stdout is not None
        try:
            publish(ffmpeg.stdout, target)
        except OSError as error:
            print(error, file=sys.stderr)
            return 1
        finally:
            ffmpeg.terminate()
    return 0


if __name__ == "__main__":
    # FFmpeg's log has the reason that a server gives.
    av.logging.restore_default_callback()
    av.logging.set_level(av.logging.ERROR)
    sys.exit(main(sys.argv[1:], sys.stdin.readline().strip()))
