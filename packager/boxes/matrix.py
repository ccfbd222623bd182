"""The transformation matrix of movie and track headers (ISO/IEC 14496-12, 6.2.2)."""

import struct

# 16.16 fixed point, the last column 2.30.
UNITY = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
