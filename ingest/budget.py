"""How much of the server one publisher may use: time on the event loop, messages and bytes.

No encoder that sends a live stream reaches these limits. A publisher that uses too much time, or sends too many
messages, is read more slowly. One that sends too many bytes is disconnected: read more slowly, it would fall behind
for ever.
"""

from typing import ClassVar

from media.errors import MediaLimit

# After so many seconds of one publisher's work, or messages other than audio and video, other callbacks run.
SLICE_S = 0.003
OTHERS_PER_SLICE = 256
# The share of the event loop's time that one publisher may use, and the seconds that it may save up.
TIME_SHARE = 0.25
SAVED_TIME_S = 1.0
# Seconds of messages and bytes that a publisher may save up. Encoders send what they kept
# while the network was down.
SAVED_MESSAGES_S = 4.0
SAVED_BYTES_S = 10.0
# Seconds between two looks at the budget, so that a frame does not pay for them.
LOOK_EVERY_S = 0.5


class BitrateExceeded(MediaLimit):
    code: ClassVar[str] = "bitrate-exceeded"


class Bucket:
    """A token bucket: ``rate`` per second, and at most ``saved`` seconds of it. Times are monotonic seconds."""

    __slots__ = ("_at", "_left", "_most", "_rate")

    def __init__(self, rate: float, saved: float, now: float) -> None:
        self._rate = rate
        self._left = self._most = rate * saved
        self._at = now

    def take(self, amount: float, now: float) -> float:
        """Take ``amount``. Returns the seconds until the bucket owes nothing."""
        self._left = min(self._most, self._left + (now - self._at) * self._rate) - amount
        self._at = now
        return max(0.0, -self._left / self._rate)


class Budget:
    """The budget of one publication. ``max_bitrate`` is bits, ``max_messages`` messages per second."""

    __slots__ = ("_bits", "_max_bitrate", "_messages", "_time")

    def __init__(self, max_bitrate: int, max_messages: int, now: float) -> None:
        self._max_bitrate = max_bitrate
        self._bits = Bucket(max_bitrate, SAVED_BYTES_S, now)
        self._messages = Bucket(max_messages, SAVED_MESSAGES_S, now)
        self._time = Bucket(TIME_SHARE, SAVED_TIME_S / TIME_SHARE, now)

    def spend(self, size: int, messages: int, seconds: float, now: float) -> float:
        """Account for ``size`` bytes in some ``messages``, and for ``seconds`` of work.

        Returns for how many seconds the publisher must not be read. Raises BitrateExceeded.
        """
        if self._bits.take(8 * size, now):
            raise BitrateExceeded(
                f"the stream has more than {self._max_bitrate / 1e6:g} Mbit/s, the limit of this server: lower the "
                "bitrate (in OBS: Settings, Output), or send a file at its own speed (ffmpeg -re)"
            )
        return max(self._messages.take(messages, now), self._time.take(seconds, now))
