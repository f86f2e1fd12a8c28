"""Attacks beside an honest portal: what each costs its sign-ups, and what it takes of memory.

The service asks for keys, as on an open port; its bounds are the defaults. A portal signs up 20 families a second from one
loopback address, every tenth on a new connection, while an attack runs from others. Latencies count from the moment a
sign-up was due. An attack counts only if it did as much as it says it must. The attackers share the machine with the
service and step back for it (nice), as machines of their own would.

  make bench-attacks ARGS="--seconds 10 --database sqlite"
  make bench-attacks ARGS='"slow readers" bombs'      some of the pack

Exit code 1 where a bound is broken: 99 of 100 sign-ups within 500 ms and none refused while the attack runs, 512 MiB of
memory, and five seconds after its end as before."""

import argparse
import collections
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

import outside  # noqa: F401, finds the modules of the outside client
import house
from attacks import PACK
from client import Api
from words import World, access_key, lt, new_id

HERE = pathlib.Path(__file__).parent
P99_MS, MEMORY_MIB, CALM_AFTER = 500, 512, 5
# As before: so much is the noise of a small machine.
AS_BEFORE_MS = 100
# A page of answers of a MiB, for those who do not take it.
FAT_EVENTS, FAT_TEXT = 230, 4_900


class Town:
    """A service with keys, an event for honest families, and events that make answers large."""

    def __init__(self, binary, database):
        self.server = house.Server(binary, database).start()
        world = World(self.server.address)
        self.event, self.quiet = world.open(seats=500), world.open()
        for _ in range(FAT_EVENTS):
            world.open(descriptions=lt("ė" * (FAT_TEXT // 2) + " " + "a" * (FAT_TEXT // 2)))
        first = world.api.CreateAccessKey(access_key=access_key("administrator")).secret
        office = Api(self.server.address, key=first)
        self.honest_key, self.stolen_key = (
            office.CreateAccessKey(access_key=access_key("portal", world.centre), request_id=new_id()).secret for _ in range(2))


def child(script, *arguments, nice=0):
    command = [*house.tied("KILL"), "nice", f"-n{nice}", sys.executable, HERE / script, *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


class Honest:
    """What became of the sign-ups of the honest portal: when each was due, milliseconds, and what was wrong."""

    def __init__(self, town):
        self.child, self.sign_ups = child("honest.py", town.server.address, town.honest_key, town.event), []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.child.stdout:
            due, took, why = line.rstrip("\n").split("\t")
            self.sign_ups.append((float(due), float(took) * 1000, why))

    def has_begun(self, seconds=60):
        deadline = time.monotonic() + seconds
        while not self.sign_ups:
            assert time.monotonic() < deadline and self.child.poll() is None, "the honest portal has not begun"
            time.sleep(0.1)

    def between(self, begin, end):
        return Window([(took, why) for due, took, why in list(self.sign_ups) if begin <= due < end])


class Window:
    def __init__(self, sign_ups):
        assert sign_ups, "the honest portal has stopped"
        self.ms = sorted(took for took, _ in sign_ups)
        self.refused = collections.Counter(why for _, why in sign_ups if why)

    def percentile(self, p):
        return self.ms[min(len(self.ms) - 1, int(len(self.ms) * p))]

    def shown(self):
        refused = f", {self.refused.total()} refused" if self.refused else ""
        return f"{self.percentile(.5):.0f} / {self.percentile(.99):.0f} / {self.ms[-1]:.0f}{refused}"


class Memory:
    """The most that a process had, looked at twenty times a second."""

    def __init__(self, server):
        self.server, self.most, self.ended = server, 0, False
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self):
        while not self.ended:
            self.most = max(self.most, self.server.memory_kib())
            time.sleep(0.05)

    def since_last_time_mib(self):
        most, self.most = self.most / 1024, 0
        return most


class Row:
    def __init__(self, name, before, during, after, mib, done):
        self.name, self.before, self.during, self.after, self.mib, self.done = name, before, during, after, mib, done

    def broken(self):
        """The bounds that did not hold."""
        if self.during.refused:
            yield f"refused {self.during.refused.most_common(3)}"
        if self.during.percentile(.99) > P99_MS:
            yield f"p99 {self.during.percentile(.99):.0f} ms"
        if self.mib > MEMORY_MIB:
            yield f"{self.mib:.0f} MiB"
        if self.after.refused or self.after.percentile(.99) > max(2 * self.before.percentile(.99), AS_BEFORE_MS):
            yield f"{CALM_AFTER} s after: {self.after.shown()}"
        for what, least in PACK[self.name].floor.items():
            if self.done.get(what, 0) < least:
                yield f"no attack: {what} {self.done.get(what, 0)} of {least}"

    def cells(self):
        did = ", ".join(f"{n:,} {what}" for what, n in self.done.items())
        key = " (with a portal's key)" if PACK[self.name].key else ""
        verdict = "; ".join(self.broken()) or "yes"
        verdict = verdict if PACK[self.name].held else f"not held to it: {verdict}"
        return [self.name + key, did, self.before.shown(), self.during.shown(), self.after.shown(), f"{self.mib:.0f}", verdict]


def run(town, names, seconds):
    honest, memory = Honest(town), Memory(town.server)
    port = town.server.address.split(":")[1]
    honest.has_begun()
    # The first second makes connections.
    time.sleep(1 + CALM_AFTER)
    for name in names:
        memory.since_last_time_mib()
        called = time.monotonic()
        attacker = child("attacks.py", name, port, town.stolen_key, town.event, town.quiet, nice=10)
        assert attacker.stdout.readline() == "begun\n", f"{name} has not begun"
        begun = time.monotonic()
        time.sleep(seconds)
        ended = time.monotonic()
        said, _ = attacker.communicate(timeout=60)
        time.sleep(2 * CALM_AFTER)
        after = honest.between(ended + CALM_AFTER, ended + 2 * CALM_AFTER)
        before = honest.between(called - CALM_AFTER, called)
        yield Row(name, before, honest.between(begun, ended), after, memory.since_last_time_mib(), counted(said))
    memory.ended = True
    honest.child.kill()
    honest.child.wait()


def counted(said):
    """What an attack wrote down of itself: a count and its name on each line."""
    return {what: int(n) for n, what in (line.split(" ", 1) for line in said.splitlines())}


TITLES = ["attack", "what it did", "ms before", "ms during it", "ms 5 s after", "MiB", "held"]


def markdown(rows):
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [TITLES, ["---"] * len(TITLES), *rows])


def databases(kind):
    """Addresses of databases with their names, each gone when the next is asked for."""
    if kind in ("sqlite", "both"):
        with tempfile.TemporaryDirectory(prefix="eile-attacks-") as folder:
            yield "SQLite", f"{folder}/eile.db"
    if kind in ("postgres", "both"):
        cluster = house.Cluster()
        try:
            yield "PostgreSQL", cluster.new_database()
        finally:
            cluster.remove()


def main():
    say = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    say.add_argument("attacks", nargs="*", help="some of: " + ", ".join(PACK))
    say.add_argument("--seconds", type=float, default=10)
    say.add_argument("--database", choices=["sqlite", "postgres", "both"], default="both")
    asked = say.parse_args()
    if unknown := set(asked.attacks) - set(PACK):
        say.error(f"no such attack: {', '.join(unknown)}")
    binary, held = house.built_binary("--release"), True
    for title, database in databases(asked.database):
        town, rows = Town(binary, database), []
        for row in run(town, asked.attacks or list(PACK), asked.seconds):
            rows.append(row.cells())
            print(f"{title}: {' | '.join(rows[-1])}", file=sys.stderr, flush=True)
            held &= not (PACK[row.name].held and list(row.broken()))
        assert town.server.stop() == 0, town.server.log_tail()
        town.server.must_check()
        town.server.remove()
        print(f"\n**{title}**; milliseconds of the honest sign-ups are p50 / p99 / most.\n\n{markdown(rows)}\n")
    return 0 if held else 1


if __name__ == "__main__":
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    sys.exit(main())
