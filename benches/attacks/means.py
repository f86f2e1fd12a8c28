"""What all attacks are made of: what is attacked, from where, and fields of protobuf without a library."""

import asyncio
import collections

from wire import Gone


class At:
    """What is attacked, and what was done to it so far."""

    def __init__(self, port, key, busy, quiet):
        self.port, self.key, self.busy, self.quiet = int(port), key, busy, quiet
        self.done = collections.Counter()

    def with_key(self):
        return ("authorization", f"Bearer {self.key}")

    def named(self):
        """A message whose first field names the event that the honest sign up for."""
        return string_field(1, self.busy)


def string_field(number, value):
    value = value if isinstance(value, bytes) else value.encode()
    return varint(number << 3 | 2) + varint(len(value)) + value


def varint(n):
    out = b""
    while n > 127:
        out, n = out + bytes((n & 127 | 128,)), n >> 7
    return out + bytes((n,))


def address(n):
    """The honest caller has 127.0.0.1."""
    return f"127.0.0.{2 + n}"


async def again(work, *args):
    """Comes again when it is sent away."""
    while True:
        try:
            await work(*args)
        except (Gone, OSError):
            await asyncio.sleep(0.02)


async def crowd(each, work, *args, addresses=1):
    """So many of them from each address."""
    await asyncio.gather(*(again(work, *args, address(n)) for n in range(addresses) for _ in range(each)))
