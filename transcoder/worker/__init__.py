"""The transcoder's child process: the only code that uses PyAV's codecs.

``python -m transcoder.worker`` reads :mod:`transcoder.protocol` messages on standard input and writes them on
standard output. Viewers wait for its start, so nothing here imports asyncio, pydantic or structlog.
"""
