"""Reads and writes bit fields, most significant bit first, and exp-Golomb codes (ITU-T H.264, 9.1)."""

from media.errors import MalformedConfig

# The longest ue(v) that H.264 allows encodes 2^32 - 2 (7.2, 9.1): 31 zeros, a one, 31 bits.
MAX_LEADING_ZEROS = 31


class BitReader:
    """Reads ``data`` from its first bit. Every read past the end raises MalformedConfig."""

    __slots__ = ("_data", "_end", "_position")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._end = 8 * len(data)
        self._position = 0

    @property
    def remaining(self) -> int:
        """Bits not read yet."""
        return self._end - self._position

    def read(self, count: int) -> int:
        """The next ``count`` bits as an unsigned number."""
        start, end = self._position, self._position + count
        if end > self._end:
            raise MalformedConfig("the data ends in the middle of a field")
        self._position = end
        last = (end + 7) >> 3
        value = int.from_bytes(self._data[start >> 3 : last], "big") >> (8 * last - end)
        return value & ((1 << count) - 1)

    def flag(self) -> bool:
        return self.read(1) == 1

    def skip(self, count: int) -> None:
        if count > self.remaining:
            raise MalformedConfig("the data ends in the middle of a field")
        self._position += count

    def align(self) -> None:
        """Skip to the next byte boundary."""
        self._position = (self._position + 7) & ~7

    def ue(self) -> int:
        """An unsigned exp-Golomb code, ue(v)."""
        start = self._position
        size = min(MAX_LEADING_ZEROS + 1, self._end - start)
        zeros = size - self.read(size).bit_length()
        if zeros > MAX_LEADING_ZEROS:
            raise MalformedConfig("an exp-Golomb code is longer than 63 bits")
        if zeros == size:
            raise MalformedConfig("the data ends in the middle of a field")
        self._position = start + zeros + 1
        return (1 << zeros) - 1 + self.read(zeros)

    def se(self) -> int:
        """A signed exp-Golomb code, se(v)."""
        code = self.ue()
        return (code + 1) >> 1 if code & 1 else -(code >> 1)


class BitWriter:
    """Collects bits; :meth:`to_bytes` fills the last byte with zeros."""

    __slots__ = ("_count", "_value")

    def __init__(self) -> None:
        self._value = 0
        self._count = 0

    def write(self, value: int, count: int) -> None:
        """Append ``value`` as ``count`` bits; it must fit in them."""
        if not 0 <= value < 1 << count:
            raise ValueError(f"{value} does not fit in {count} bits")
        self._value = self._value << count | value
        self._count += count

    def flag(self, value: bool) -> None:
        self.write(int(value), 1)

    def ue(self, value: int) -> None:
        """Append an unsigned exp-Golomb code, ue(v)."""
        self.write(value + 1, 2 * (value + 1).bit_length() - 1)

    def se(self, value: int) -> None:
        """Append a signed exp-Golomb code, se(v)."""
        self.ue(2 * value - 1 if value > 0 else -2 * value)

    def to_bytes(self) -> bytes:
        padding = -self._count % 8
        return (self._value << padding).to_bytes((self._count + padding) // 8, "big")


def remove_emulation_prevention(nal_unit: bytes) -> bytes:
    """A NAL unit without its emulation_prevention_three_bytes (ITU-T H.264, 7.4.1.1)."""
    return nal_unit.replace(b"\x00\x00\x03", b"\x00\x00")
