"""The time of day as a row of blocks at the top of the picture.

32 bits of milliseconds, most significant first, and 8 check bits that distinguish a time from any other picture. A
block is wide enough to survive scaling and strong compression.
"""

BITS, CHECK_BITS = 32, 8
BLOCKS = BITS + CHECK_BITS
BLOCK = HEIGHT = 32
WIDTH = BLOCKS * BLOCK
BLACK, WHITE = b"\x00", b"\xff"


def blocks(unix_ms: int) -> bytes:
    """A grey picture, WIDTH by HEIGHT."""
    value = unix_ms % (1 << BITS)
    word = value << CHECK_BITS | check(value)
    row = b"".join((WHITE if word >> bit & 1 else BLACK) * BLOCK for bit in reversed(range(BLOCKS)))
    return row * HEIGHT


def check(value: int) -> int:
    """The check bits; not 0 for 0, because a black picture is not a time."""
    return (sum(value.to_bytes(4, "big")) + 0x5A) & 0xFF


# A JavaScript function of the media element: the time that blocks() drew into its current picture, or null.
READ = f"""(() => {{
  const BITS = {BITS}, BLOCKS = {BLOCKS}, HEIGHT = {HEIGHT};
  const canvas = new OffscreenCanvas(BLOCKS * 4, 1);
  const context = canvas.getContext("2d", {{ willReadFrequently: true }});
  return (video) => {{
    const middle = HEIGHT / 2 / 720 * video.videoHeight;
    context.drawImage(video, 0, middle, video.videoWidth, 1, 0, 0, canvas.width, 1);
    const {{ data }} = context.getImageData(0, 0, canvas.width, 1);
    const bits = Array.from({{ length: BLOCKS }}, (_, i) => (data[(i * 4 + 2) * 4 + 1] > 127 ? 1 : 0));
    const number = (from, to) => bits.slice(from, to).reduce((sum, bit) => sum * 2 + bit, 0);
    const value = number(0, BITS);
    const bytes = [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256);
    const check = (bytes.reduce((sum, byte) => sum + byte, 0) + 0x5a) % 256;
    return check === number(BITS, BLOCKS) ? value : null;
  }};
}})()"""

# A JavaScript function of a time read by READ and the Unix time: the age of the first. All in milliseconds.
SINCE = f"""(value, now) => {{
  const late = (now % 2 ** {BITS}) - value;
  return late < 0 ? late + 2 ** {BITS} : late;
}}"""
