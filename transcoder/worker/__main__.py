"""``python -m transcoder.worker``: one job, from Start to Finish, then exit."""

import os
import sys
import traceback

from transcoder.errors import TranscoderError
from transcoder.messages import CutAt, Failed, Finish, Finished, Message, Start, Unit
from transcoder.worker.pipes import Output, incoming, set_up_process
from transcoder.worker.session import TranscodeSession


def main() -> int:
    set_up_process()
    output = Output()
    try:
        return run(output)
    except TranscoderError as error:
        output.send(Failed(error.code, str(error)))
    except BrokenPipeError:
        pass
    except Exception as error:
        traceback.print_exc()
        output.send(Failed(TranscoderError.code, f"the transcoder failed: {error}"))
    return 1


def run(output: Output) -> int:
    session: TranscodeSession | None = None
    for message in incoming():
        if session is None:
            session = start(message, output)
            continue
        match message:
            case Unit(unit):
                session.feed(unit)
            case CutAt(pts):
                session.cut(pts)
            case Finish():
                session.finish()
                output.send(Finished())
                return 0
    # Standard input ended without Finish: the parent has exited.
    return 1


def start(message: Message, output: Output) -> TranscodeSession:
    if not isinstance(message, Start):
        raise TranscoderError("the first message must be Start")
    return TranscodeSession(message.job, output.send, output.give_up)


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    # Encoder threads may still be inside FFmpeg, and the interpreter's own shutdown would wait for them.
    os._exit(code)
