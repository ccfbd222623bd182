"""Limits on the memory and work that one RTMP peer can cause."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes are bytes.

    ``max_message_size`` applies to audio and video once publishing is accepted. ``max_command_size`` applies to all
    other messages, and to all messages before that. ``max_partial_size`` limits the sum of all partial messages.

    The limits named ``before_publish`` are totals of a connection, over all the time that it does not publish. A
    peer has shown no key then, and encoders send about ten messages in one or two kilobytes.
    """

    max_message_size: int = 8 * 1024 * 1024
    max_command_size: int = 64 * 1024
    max_partial_size: int = 12 * 1024 * 1024
    max_chunk_streams: int = 32
    max_message_streams: int = 16
    max_amf_depth: int = 16
    max_amf_values: int = 4096
    max_aggregated: int = 1024
    messages_before_publish: int = 64
    bytes_before_publish: int = 128 * 1024
    partial_before_publish: int = 64 * 1024
    chunks_before_publish: int = 2048
    amf_values_before_publish: int = 1024
