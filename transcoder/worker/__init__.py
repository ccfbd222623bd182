"""The transcoder's child process: the only code that touches PyAV's codecs.

``python -m transcoder.worker`` reads :mod:`transcoder.protocol` messages on standard input and writes them on
standard output. Start-up time is a viewer's waiting time: nothing here imports asyncio, pydantic or structlog.
"""
