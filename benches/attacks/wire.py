"""HTTP/2 by hand, for callers that no library would be."""

import asyncio
import collections
import contextlib

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
END_STREAM, ACK, END_HEADERS = 1, 1, 4
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
FRAME_MAX = 16_384
CANCEL = 8


def frame(kind, flags, stream, payload=b""):
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


def text(value):
    """A string of HPACK, not squeezed."""
    value = value if isinstance(value, bytes) else value.encode()
    if len(value) < 127:
        return bytes((len(value),)) + value
    rest, length = len(value) - 127, b"\x7f"
    while rest >= 128:
        length, rest = length + bytes((rest % 128 | 128,)), rest // 128
    return length + bytes((rest,)) + value


def field(name, value):
    """One that goes into no table."""
    return b"\x00" + text(name) + text(value)


def head(path, *fields):
    """The fields of a call: POST, http, the path, and what gRPC asks for."""
    grpc = field("content-type", "application/grpc") + field("te", "trailers")
    return b"\x83\x86\x04" + text(path) + b"\x01" + text("here") + grpc + b"".join(field(*f) for f in fields)


def message(body, says=None, squeezed=0):
    """A message of gRPC; it may say another length than it has."""
    return bytes((squeezed,)) + (len(body) if says is None else says).to_bytes(4, "big") + body


class Gone(Exception):
    """The other side has closed."""


class Connection:
    """A connection from an address of the attacker's choice. It keeps to the windows that it is given; `window` is what it
    gives for each answer. Without `reads` it never takes what is sent to it."""

    def __init__(self, reader, writer, window, reads):
        self.reader, self.writer = reader, writer
        self.next_stream, self.open = 1, set()
        self.stream_window, self.windows = 65_535, collections.defaultdict(int)
        self.is_gone, self.moved = False, asyncio.Condition()
        writer.write(PREFACE + frame(SETTINGS, 0, 0, b"\x00\x04" + window.to_bytes(4, "big")))
        # For the whole connection as much as there can be.
        writer.write(frame(WINDOW_UPDATE, 0, 0, (1 << 30).to_bytes(4, "big")))
        self.windows[0] = 65_535
        self.reading = asyncio.create_task(self._read()) if reads else None

    async def _read(self):
        try:
            while True:
                size, kind, flags, stream = self._parsed(await self.reader.readexactly(9))
                payload = await self.reader.readexactly(size)
                async with self.moved:
                    self._hear(kind, flags, stream, payload)
                    self.moved.notify_all()
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            self.is_gone = True
            with contextlib.suppress(RuntimeError):
                async with self.moved:
                    self.moved.notify_all()

    @staticmethod
    def _parsed(bytes_):
        return int.from_bytes(bytes_[:3], "big"), bytes_[3], bytes_[4], int.from_bytes(bytes_[5:9], "big")

    def _hear(self, kind, flags, stream, payload):
        if kind == SETTINGS and not flags & ACK:
            for at in range(0, len(payload), 6):
                if payload[at:at + 2] == b"\x00\x04":
                    self.stream_window = int.from_bytes(payload[at + 2:at + 6], "big")
            self.writer.write(frame(SETTINGS, ACK, 0))
        elif kind == PING and not flags & ACK:
            self.writer.write(frame(PING, ACK, 0, payload))
        elif kind == WINDOW_UPDATE:
            self.windows[stream] += int.from_bytes(payload, "big")
        elif kind == GOAWAY:
            self.is_gone = True
        if kind == RST_STREAM or kind in (HEADERS, DATA) and flags & END_STREAM:
            self.open.discard(stream)
            self.windows.pop(stream, None)

    async def _until(self, condition):
        async with self.moved:
            await self.moved.wait_for(lambda: self.is_gone or condition())
        if self.is_gone:
            raise Gone

    async def flush(self):
        if self.is_gone or self.writer.is_closing():
            raise Gone
        try:
            await self.writer.drain()
        except OSError:
            raise Gone from None

    async def settled(self):
        """Until the other side has said what it takes."""
        await self._until(lambda: self.windows[0] > 65_535 or self.stream_window != 65_535)

    async def room(self, most):
        """Until fewer than so many calls are open here."""
        await self._until(lambda: len(self.open) < most)

    def begin(self, fields, end=False):
        """Sends the head of a call, and answers its number."""
        stream, self.next_stream = self.next_stream, self.next_stream + 2
        self.open.add(stream)
        self.windows[stream] = self.stream_window
        self.writer.write(frame(HEADERS, END_HEADERS | (END_STREAM if end else 0), stream, fields))
        return stream

    async def send(self, stream, body, end=False):
        """Sends a body as far as there are windows for it."""
        while body:
            await self._until(lambda: stream not in self.open or min(self.windows[0], self.windows[stream]) > 0)
            if stream not in self.open:
                return
            room = min(self.windows[0], self.windows[stream], FRAME_MAX)
            piece, body = body[:room], body[room:]
            self.windows[0] -= len(piece)
            self.windows[stream] -= len(piece)
            self.writer.write(frame(DATA, END_STREAM if end and not body else 0, stream, piece))
            await self.flush()

    async def call(self, fields, body):
        """A small call, whole, that nobody waits for."""
        stream = self.begin(fields)
        self.writer.write(frame(DATA, END_STREAM, stream, body))
        self.windows[0] -= len(body)
        await self.flush()
        return stream

    def reset(self, stream):
        self.open.discard(stream)
        self.writer.write(frame(RST_STREAM, 0, stream, CANCEL.to_bytes(4, "big")))

    def close(self):
        if self.reading:
            self.reading.cancel()
        self.writer.transport.abort()


async def socket_from(ip, port):
    try:
        return await asyncio.open_connection("127.0.0.1", port, local_addr=(ip, 0))
    except OSError:
        raise Gone from None


@contextlib.asynccontextmanager
async def connection(ip, port, window=1 << 20, reads=True):
    reader, writer = await socket_from(ip, port)
    here = Connection(reader, writer, window, reads)
    try:
        yield here
    finally:
        here.close()
