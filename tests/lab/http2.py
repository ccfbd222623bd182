"""An HTTP/2 client with one connection, as a player has it: each answer arrives when it comes."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, ResponseReceived, StreamEnded

from tests.lab.ports import HOST

CHUNK = 65536


@dataclass(slots=True)
class Answer:
    status: int = 0
    body: bytearray = field(default_factory=bytearray)
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class Http2Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._protocol = H2Connection(H2Configuration(header_encoding=None))
        self._answers: dict[int, Answer] = {}
        self._protocol.initiate_connection()
        self._flush()

    async def get(self, path: str) -> Answer:
        stream = self._protocol.get_next_available_stream_id()
        answer = self._answers[stream] = Answer()
        names = {":method": "GET", ":scheme": "https", ":authority": HOST, ":path": path}
        self._protocol.send_headers(stream, list(names.items()), end_stream=True)
        self._flush()
        await answer.ended.wait()
        return answer

    async def read(self) -> None:
        """Read until the connection ends."""
        while data := await self._reader.read(CHUNK):
            for event in self._protocol.receive_data(data):
                if isinstance(event, ResponseReceived):
                    self._answers[event.stream_id].status = int(dict(event.headers)[b":status"])
                elif isinstance(event, DataReceived):
                    self._answers[event.stream_id].body += event.data
                    self._protocol.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, StreamEnded):
                    self._answers[event.stream_id].ended.set()
            self._flush()

    def _flush(self) -> None:
        self._writer.write(self._protocol.data_to_send())


@asynccontextmanager
async def http2_client(port: int, trusted: ssl.SSLContext) -> AsyncIterator[Http2Client]:
    trusted.set_alpn_protocols(["h2"])
    reader, writer = await asyncio.open_connection(HOST, port, ssl=trusted)
    tls: ssl.SSLObject = writer.get_extra_info("ssl_object")
    assert tls.selected_alpn_protocol() == "h2"
    client = Http2Client(reader, writer)
    reading = asyncio.create_task(client.read())
    try:
        yield client
    finally:
        reading.cancel()
        writer.close()
