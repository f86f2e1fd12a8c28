"""The outside client: what anybody could write who has only proto/ and the binary.

Nothing here is shared with the server. The stubs are made from proto/ by grpcio-tools when the tests start, the
server is the real `eile serve` in a process of its own, and PostgreSQL is a cluster that is made for the run and
thrown away after it. Every test runs on SQLite and on PostgreSQL. Every refusal that any test meets is compared with
proto/eile/v1/errors.proto by `client.Refused.audit`.

  make outside                            everything
  make outside ARGS="-k kill -x"          as pytest takes it
"""

import atexit
import importlib
import pathlib
import shutil
import sqlite3
import sys
import tempfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def make_stubs():
    """Compiles proto/ into a folder that vanishes with this process, and puts it where Python looks."""
    from grpc_tools import protoc

    folder = tempfile.mkdtemp(prefix="eile-stubs-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    files = sorted(str(p) for p in (ROOT / "proto/eile/v1").glob("*.proto"))
    own = str(pathlib.Path(importlib.import_module("grpc_tools").__file__).parent / "_proto")
    arguments = ["protoc", f"-I{ROOT / 'proto'}", f"-I{own}", f"--python_out={folder}", *files]
    if protoc.main(arguments) != 0:
        raise SystemExit("the proto files do not compile")
    sys.path.insert(0, folder)


make_stubs()
sys.path.insert(0, str(pathlib.Path(__file__).parent))

import house  # noqa: E402
from client import Refused  # noqa: E402
from words import World  # noqa: E402


@pytest.fixture(scope="session")
def binary():
    return house.built_binary()


@pytest.fixture(scope="session")
def cluster():
    """One throw-away PostgreSQL for the whole run, with as many databases as tests ask for."""
    cluster = house.Cluster()
    yield cluster
    cluster.remove()


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def kind(request):
    return request.param


@pytest.fixture(scope="session")
def new_database(kind, request):
    """Makes addresses of empty databases of the kind that is being tested."""
    folders = []

    def make():
        if kind == "postgres":
            return request.getfixturevalue("cluster").new_database()
        folders.append(tempfile.mkdtemp(prefix="eile-outside-"))
        return f"{folders[-1]}/eile.db"

    yield make
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def stored_rows(kind, request):
    """The rows of a table as they are stored, each as a text, read behind the service's back."""

    def of_file(database, table):
        connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
        connection.text_factory = lambda text: text.decode(errors="replace")
        rows = [repr(row) for row in connection.execute(f"select * from {table}")]
        connection.close()
        return rows

    if kind == "postgres":
        return lambda database, table: request.getfixturevalue("cluster").rows(database, f"select * from {table}")
    return of_file


@pytest.fixture
def new_server(binary, new_database):
    """Starts servers of a test's own; they are stopped with it."""
    started = []

    def start(database=None, *settings):
        started.append(house.Server(binary, database or new_database(), *settings).start())
        return started[-1]

    yield start
    for server in started:
        server.remove()


@pytest.fixture(scope="session")
def server(binary, new_database, kind):
    """The server that most tests share. It must end well, and its database must be in order at the end."""
    server = house.Server(binary, new_database()).start()
    yield server
    try:
        assert server.stop() == 0, server.log_tail()
        server.must_check()
    finally:
        server.remove()


@pytest.fixture(scope="session")
def world(server):
    """A centre with people who sign up, on the shared server."""
    return World(server.address)


@pytest.fixture(scope="session")
def slow(world):
    """What takes a minute of real time, begun early: see test_time.py."""
    from slow_stories import SlowStories

    return SlowStories(world)


@pytest.fixture(scope="session", autouse=True)
def begin_slow(slow):
    """Begins the slow stories before the first test of each database."""


@pytest.fixture(scope="session", autouse=True)
def every_refusal_was_sound():
    """Also those that callers met in threads of their own."""
    yield
    assert not Refused.unsound, "\n".join(sorted(set(Refused.unsound))[:20])
