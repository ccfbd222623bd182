"""``python -m transcoder.worker.versions MEMORY PIXELS``: prints the versions of PyAV and FFmpeg as JSON."""

import json
import sys

import av

from transcoder.limits import WorkerLimits
from transcoder.worker.pipes import set_up_process

if __name__ == "__main__":
    set_up_process(WorkerLimits.parse(sys.argv[1:]))
    print(json.dumps({"pyav": av.__version__, "ffmpeg": av.ffmpeg_version_info}))
