"""``python -m transcoder.worker.thumbnails [MEMORY PIXELS]``: JPEGs of random access points until input ends."""

import sys

from transcoder.errors import ProtocolViolation
from transcoder.limits import WorkerLimits
from transcoder.messages import PictureAnswer, PictureRequest
from transcoder.worker.pipes import Output, incoming, set_up_process
from transcoder.worker.thumbnail import picture


def main() -> int:
    limits = WorkerLimits.parse(sys.argv[1:])
    set_up_process(limits)
    output = Output()
    try:
        for message in incoming():
            if isinstance(message, PictureRequest):
                output.send(PictureAnswer(message.number, picture(message.config, message.unit, limits.max_pixels)))
    except (ProtocolViolation, BrokenPipeError) as error:
        print(f"thumbnails: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
