"""The tags of an FLV file that ffmpeg wrote (Video File Format Specification 10.1, annex E)."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.lab.errors import LabError

AUDIO, VIDEO, SCRIPT = 8, 9, 18
HEADER_SIZE, PREVIOUS_TAG_SIZE, TAG_HEADER_SIZE = 9, 4, 11
AVC_SEQUENCE_HEADER, AAC_SEQUENCE_HEADER = (b"\x17\x00",), (b"\xaf\x00", b"\xae\x00")


class Tag(NamedTuple):
    """``timestamp`` is in milliseconds. The types are also those of RTMP messages."""

    type_id: int
    timestamp: int
    data: bytes

    @property
    def is_header(self) -> bool:
        """Whether the tag configures a decoder or describes the file."""
        headers = AVC_SEQUENCE_HEADER if self.type_id == VIDEO else AAC_SEQUENCE_HEADER
        return self.type_id == SCRIPT or self.data[:2] in headers

    @property
    def is_end(self) -> bool:
        """Whether it is AVC's end of sequence, which a repeated clip does not send."""
        return self.type_id == VIDEO and self.data[1:2] == b"\x02"


def read_tags(path: Path) -> Iterator[Tag]:
    """Raises LabError if it is not a complete FLV file."""
    data = path.read_bytes()
    if data[:3] != b"FLV":
        raise LabError(f"{path} is not an FLV file: make one with ffmpeg -f flv")
    at = HEADER_SIZE + PREVIOUS_TAG_SIZE
    while at < len(data):
        size = int.from_bytes(data[at + 1 : at + 4], "big")
        timestamp = int.from_bytes(data[at + 4 : at + 7], "big") | data[at + 7] << 24
        body = data[at + TAG_HEADER_SIZE : at + TAG_HEADER_SIZE + size]
        if len(body) < size:
            raise LabError(f"{path} is cut off at byte {at}")
        yield Tag(data[at] & 0x1F, timestamp, body)
        at += TAG_HEADER_SIZE + size + PREVIOUS_TAG_SIZE
