"""Bounds on what one RTMP peer may make us hold."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes are bytes.

    ``max_message_size`` holds for audio and video once publishing is accepted; every other message, and every
    message before that, is held to ``max_command_size``. ``max_partial_size`` is the sum over all messages that
    have begun and not ended.
    """

    max_message_size: int = 8 * 1024 * 1024
    max_command_size: int = 64 * 1024
    max_partial_size: int = 12 * 1024 * 1024
    max_chunk_streams: int = 32
    max_message_streams: int = 16
    max_amf_depth: int = 16
    max_amf_values: int = 4096
