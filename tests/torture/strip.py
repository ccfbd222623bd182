"""The number of a picture as a row of black and white blocks at its top, which a decoded picture still shows."""

BITS, CHECK_BITS = 12, 4
BLOCKS = BITS + CHECK_BITS
BLOCK = HEIGHT = 16
WIDTH = BLOCKS * BLOCK
BLACK, WHITE = b"\x10", b"\xeb"


def draw(number: int) -> bytes:
    """A grey picture, WIDTH by HEIGHT."""
    word = number << CHECK_BITS | check(number)
    row = b"".join((WHITE if word >> bit & 1 else BLACK) * BLOCK for bit in reversed(range(BLOCKS)))
    return row * HEIGHT


def read(luma: memoryview, stride: int, width: int = WIDTH) -> int | None:
    """The number that a decoded picture shows, or None if it cannot be read. ``luma`` is its luma plane. ``width``
    is that of the picture, which may have been scaled."""
    row = HEIGHT * width // (2 * WIDTH) * stride
    word = 0
    for block in range(BLOCKS):
        word = word << 1 | (luma[row + (2 * block + 1) * width // (2 * BLOCKS)] > 127)
    number = word >> CHECK_BITS
    return number if word & (1 << CHECK_BITS) - 1 == check(number) else None


def check(number: int) -> int:
    """The check bits; not 0 for 0, because a black picture has no number."""
    return (sum(number >> shift & 0xF for shift in range(0, BITS, CHECK_BITS)) + 0x5) & 0xF
