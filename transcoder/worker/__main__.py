"""``python -m transcoder.worker [MEMORY PIXELS]``: one job, from Start to Finish, then exit."""

import os
import sys
import traceback

from transcoder.errors import TranscoderError
from transcoder.limits import WorkerLimits
from transcoder.messages import CutAt, Failed, Finish, Finished, Message, Select, Start, Unit
from transcoder.worker.pipes import Output, incoming, set_up_process
from transcoder.worker.session import TranscodeSession


def main() -> int:
    limits = WorkerLimits.parse(sys.argv[1:])
    set_up_process(limits)
    output = Output()
    try:
        return run(output, limits)
    except TranscoderError as error:
        output.send(Failed(error.code, str(error)))
    except BrokenPipeError:
        pass
    except MemoryError:
        output.send(Failed("out-of-memory", "the transcoder needs more memory than [transcoder] max_memory"))
    except Exception as error:
        traceback.print_exc()
        output.send(Failed(TranscoderError.code, f"the transcoder failed: {error}"))
    return 1


def run(output: Output, limits: WorkerLimits) -> int:
    session: TranscodeSession | None = None

    def report() -> None:
        if session is not None:
            session.report()

    for message in incoming(on_idle=report):
        if session is None:
            session = start(message, output, limits)
            continue
        match message:
            case Unit(unit):
                session.feed(unit)
            case CutAt(pts):
                session.cut(pts)
            case Select(tracks):
                session.select(tracks)
            case Finish():
                session.finish()
                output.send(Finished())
                return 0
    # Standard input ended without Finish: the parent has exited.
    return 1


def start(message: Message, output: Output, limits: WorkerLimits) -> TranscodeSession:
    if not isinstance(message, Start):
        raise TranscoderError("the first message must be Start")
    return TranscodeSession(message.job, output.send, output.give_up, max_pixels=limits.max_pixels)


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    # Encoder threads may still be inside FFmpeg, and the interpreter's own shutdown would wait for them.
    os._exit(code)
