"""Processes: the binary, the server as a child, and a PostgreSQL cluster that is made and thrown away."""

import glob
import json
import os
import pathlib
import pwd
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import grpc
from client import open_channel
from grpc_health.v1 import health_pb2, health_pb2_grpc

ROOT = pathlib.Path(__file__).resolve().parents[2]
LOOPBACK = "127.0.0.1"


def built_binary(*flags):
    """Builds `eile` where it is not built yet, and answers where cargo says that it is."""
    if given := os.environ.get("EILE_BIN"):
        return given
    command = ["cargo", "build", "--quiet", "--bin", "eile", *flags, "--message-format=json-render-diagnostics"]
    lines = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    found = [json.loads(line).get("executable") for line in lines if line.startswith("{")]
    return next(path for path in reversed(found) if path)


def free_port():
    """A port that nobody listens on, below those that the system gives to outgoing connections."""
    while True:
        with socket.socket() as s:
            try:
                s.bind((LOOPBACK, random.randint(20_000, 32_000)))
            except OSError:
                continue
            return s.getsockname()[1]


def tied(signal_name):
    """Words before a command that end it with this process, however this process ends."""
    return ["setpriv", f"--pdeathsig={signal_name}"] if shutil.which("setpriv") else []


def read_all(paths):
    """Each path with its bytes; PostgreSQL takes files away while they are read."""
    for path in paths:
        try:
            yield path, path.read_bytes()
        except FileNotFoundError:
            continue


class Server:
    """One `eile serve`. Started again, it keeps its address and its database. `credentials` are asked for with, over TLS."""

    def __init__(self, binary, database, *settings, credentials=None):
        self.credentials = credentials
        self.binary, self.database = binary, database
        self.settings = [word for s in settings for word in ("--set", s)]
        self.address = f"{LOOPBACK}:{free_port()}"
        self.folder = tempfile.mkdtemp(prefix="eile-server-")
        self.log = open(f"{self.folder}/log", "ab")
        self.child = None

    def start(self):
        command = [*tied("KILL"), self.binary, "serve", "--listen", self.address, "--database", self.database, *self.settings]
        self.child = self._run(subprocess.Popen, command)
        self._await_serving()
        return self

    def _run(self, how, command, **more):
        clean = {k: v for k, v in os.environ.items() if not k.startswith("EILE_")}
        return how(command, cwd=self.folder, env=clean, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, **more)

    def _await_serving(self, seconds=30):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.child.poll() is not None:
                raise AssertionError(f"the server ended with {self.child.returncode}:\n{self.log_tail()}")
            if self.health() == health_pb2.HealthCheckResponse.SERVING:
                return
            time.sleep(0.02)
        raise AssertionError(f"the server does not serve after {seconds} s:\n{self.log_tail()}")

    def health(self, service=""):
        with open_channel(self.address, self.credentials, [("grpc.use_local_subchannel_pool", 1)]) as channel:
            try:
                ask = health_pb2_grpc.HealthStub(channel).Check
                return ask(health_pb2.HealthCheckRequest(service=service), timeout=2).status
            except grpc.RpcError:
                return None

    def await_health(self, wanted, seconds):
        deadline = time.monotonic() + seconds
        while self.health() != wanted:
            assert time.monotonic() < deadline, f"health is {self.health()} after {seconds} s"
            time.sleep(0.1)

    def kill(self):
        """kill -9, as a power cut would for the process."""
        if self.child and self.child.poll() is None:
            self.child.kill()
        if self.child:
            self.child.wait(10)

    def remove(self):
        """Ends it, whatever state it is in, and its folder with the log."""
        self.kill()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def stop(self, seconds=30):
        """Asks it to stop, and answers its exit code."""
        self.child.send_signal(signal.SIGTERM)
        return self.child.wait(seconds)

    def check(self):
        """`eile check` on the database: its exit code, and what it said in the log."""
        command = [self.binary, "check", "--database", self.database]
        return self._run(subprocess.run, command, timeout=60).returncode

    def must_check(self):
        assert self.check() == 0, f"`eile check` found a difference:\n{self.log_tail()}"

    def memory_kib(self):
        """What it has of the machine's memory now."""
        status = pathlib.Path(f"/proc/{self.child.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1])

    def log_text(self):
        return pathlib.Path(f"{self.folder}/log").read_text(errors="replace")

    def log_tail(self):
        return "\n".join(self.log_text().splitlines()[-40:])


class Cluster:
    """A PostgreSQL of our own: loopback only, in a folder that goes with it, with fsync as in production."""

    def __init__(self):
        self.tools = self._find_tools()
        self.folder = tempfile.mkdtemp(prefix="eile-pg-")
        self.port = free_port()
        self.databases = 0
        self.as_user = self._unprivileged()
        self._initdb()
        self.child = None
        self.start()

    @staticmethod
    def _find_tools():
        """The newest PostgreSQL of this machine, 15 or later."""
        versions = {}
        for path in glob.glob("/usr/lib/postgresql/*/bin/postgres"):
            versions[float(path.split("/")[4])] = os.path.dirname(path)
        if found := shutil.which("postgres"):
            text = subprocess.run([found, "--version"], check=True, capture_output=True, text=True).stdout
            versions[float(re.search(r"(\d+(\.\d+)?)", text)[1])] = os.path.dirname(os.path.realpath(found))
        if not versions or max(versions) < 15:
            raise AssertionError("no PostgreSQL 15 or later here: run tests/tools.sh postgres")
        return versions[max(versions)]

    def _unprivileged(self):
        """PostgreSQL refuses to run as root."""
        if os.getuid() != 0:
            return tied("INT")
        names = {user.pw_name for user in pwd.getpwall()}
        user = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
        os.chown(self.folder, user.pw_uid, user.pw_gid)
        return [*tied("INT"), f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]

    def _tool(self, name, *arguments):
        return [*self.as_user, f"{self.tools}/{name}", *arguments]

    def _initdb(self):
        flags = ["-D", f"{self.folder}/data", "-U", "eile", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
        subprocess.run(self._tool("initdb", *flags), check=True, cwd=self.folder, stdout=subprocess.DEVNULL)

    def start(self):
        settings = {
            "listen_addresses": LOOPBACK, "port": self.port, "unix_socket_directories": self.folder,
            "max_connections": 100, "fsync": "on", "shared_buffers": "32MB",
        }
        flags = [word for k, v in settings.items() for word in ("-c", f"{k}={v}")]
        with open(f"{self.folder}/log", "ab") as log:
            command = self._tool("postgres", "-D", f"{self.folder}/data", *flags)
            self.child = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log)
        deadline = time.monotonic() + 30
        while self._sql("select 1").returncode != 0:
            assert time.monotonic() < deadline, "PostgreSQL does not start"
            time.sleep(0.05)

    def freeze(self):
        """Every process stands still: connections stay open, and nobody answers on them."""
        self._signal_all(signal.SIGSTOP)

    def thaw(self):
        self._signal_all(signal.SIGCONT)

    def _signal_all(self, what):
        with open(f"/proc/{self.child.pid}/task/{self.child.pid}/children") as children:
            for pid in [str(self.child.pid), *children.read().split()]:
                os.kill(int(pid), what)

    def stop(self, how=signal.SIGINT):
        """A fast shutdown: every connection is cut."""
        if self.child and self.child.poll() is None:
            self.child.send_signal(how)
            self.child.wait(30)

    def _sql(self, text):
        where = ["-h", LOOPBACK, "-p", str(self.port), "-U", "eile", "-d", "postgres", "-X", "-q", "-c", text]
        return subprocess.run(self._tool("psql", *where), cwd=self.folder, capture_output=True, text=True)

    def rows(self, database, text):
        """What a query answers in one of its databases, a line per row."""
        name = database.rsplit("/", 1)[1]
        where = ["-h", LOOPBACK, "-p", str(self.port), "-U", "eile", "-d", name, "-X", "-q", "-A", "-t", "-c", text]
        done = subprocess.run(self._tool("psql", *where), cwd=self.folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    def new_database(self):
        self.databases += 1
        made = self._sql(f"create database outside_{self.databases}")
        assert made.returncode == 0, made.stderr
        return f"postgres://eile@{LOOPBACK}:{self.port}/outside_{self.databases}"

    def remove(self):
        """Nothing in it is needed any more."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)
