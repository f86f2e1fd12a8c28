"""What surrounds the services: reflection, health, command line, drain, overload."""

import concurrent.futures
import queue
import subprocess

import grpc
from client import METHODS, Refused, build
from eile.v1 import registrations_pb2
from google.protobuf import descriptor_pb2
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from test_watch import Reader
from words import CONFIRMED, World, new_id, party

SERVICES = sorted({path.split("/")[1] for path, _ in METHODS.values()})
SERVING = health_pb2.HealthCheckResponse.SERVING


def reflected(address, **request):
    with grpc.insecure_channel(address) as channel:
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        return next(stub.ServerReflectionInfo(iter([reflection_pb2.ServerReflectionRequest(**request)]), timeout=10))


def test_reflection_lists_the_services_and_knows_their_files(server):
    listed = {s.name for s in reflected(server.address, list_services="").list_services_response.service}
    assert listed >= set(SERVICES)
    answer = reflected(server.address, file_containing_symbol="eile.v1.RegistrationService")
    files = [descriptor_pb2.FileDescriptorProto.FromString(f) for f in answer.file_descriptor_response.file_descriptor_proto]
    own = next(f for f in files if f.name == "eile/v1/registrations.proto")
    served = {m.name for s in own.service for m in s.method}
    assert served == {m.name for s in registrations_pb2.DESCRIPTOR.services_by_name.values() for m in s.methods}


def test_reflection_answers_in_its_first_version_too(server):
    """v1 and v1alpha differ by name only."""
    with grpc.insecure_channel(server.address) as channel:
        call = channel.stream_stream(
            "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
            request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
            response_deserializer=reflection_pb2.ServerReflectionResponse.FromString)
        answer = next(call(iter([reflection_pb2.ServerReflectionRequest(list_services="")]), timeout=10))
    assert {s.name for s in answer.list_services_response.service} >= set(SERVICES)



def test_reflection_has_few_seats_of_its_own_since_nobody_shows_a_key_for_it(new_server):
    """Whoever takes them all keeps nobody else from a stream."""
    server, held = new_server(), []
    world = World(server.address)
    with grpc.insecure_channel(server.address) as channel:
        ask = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo
        for _ in range(64):
            asked = queue.SimpleQueue()
            asked.put(reflection_pb2.ServerReflectionRequest(list_services=""))
            held.append((asked, ask(iter(asked.get, None))))
            next(held[-1][1])
        try:
            next(ask(iter([reflection_pb2.ServerReflectionRequest(list_services="")])))
            raise AssertionError("the 65th was let in")
        except grpc.RpcError as error:
            refused = Refused("ServerReflectionInfo", error).audit()
        assert (refused.reason, refused.metadata["limit"]) == ("TOO_MANY_STREAMS", "64")
        Reader(world.api.watch("WatchEvent", name=world.open())).until(lambda m: True)
        for asked, stream in held:
            stream.cancel()
            asked.put(None)


def test_health_is_told_for_the_whole_and_for_each_service(server):
    assert server.health() == SERVING
    for service in SERVICES:
        assert server.health(service) == SERVING, service
    assert server.health("eile.v1.NoSuchService") is None


def test_a_method_that_is_not_there_is_unimplemented(server):
    with grpc.insecure_channel(server.address) as channel:
        try:
            channel.unary_unary("/eile.v1.EventService/Nothing")(b"", timeout=5)
            code = None
        except grpc.RpcError as error:
            code = error.code()
    assert code is grpc.StatusCode.UNIMPLEMENTED


def test_a_stop_ends_watches_with_a_reason_and_answers_what_is_in_work(new_server):
    server = new_server()
    world = World(server.address)
    event = world.open(seats=1)
    reader = Reader(world.api.watch("WatchEvent", name=event, seconds=60))
    reader.until(lambda m: True)
    assert server.stop() == 0, server.log_tail()
    assert reader.ended.wait(5)
    assert Refused("WatchEvent", reader.error).audit().reason == "DRAINING"


def test_too_much_at_once_is_told_to_come_again_and_nothing_is_done(new_server):
    server = new_server(None, "desk.queue_max=1", "desk.batch_max=1")
    world = World(server.address)
    event = world.open(seats=10)
    requests = [build("CreateRegistration", parent=event, registration=party()) for _ in range(200)]

    def once(request):
        try:
            return world.api.call("CreateRegistration", request)
        except Refused as refused:
            return refused

    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(once, requests))
    refused = [a for a in answers if isinstance(a, Refused)]
    assert {r.reason for r in refused} == {"OVERLOADED"}, "a queue of one was never full"
    assert world.counts(event).applied_parties == len(answers) - len(refused)
    for request in requests:
        assert once(request).registration.accepted_number


def test_settings_that_are_unsafe_or_unknown_end_the_start_with_one_clear_line(binary, tmp_path):
    for arguments in (["--listen", "0.0.0.0:0"], ["--set", "no.such=1"], ["--set", "desk.lines=0"]):
        command = [binary, "serve", "--database", f"{tmp_path}/eile.db", *arguments]
        ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=20)
        assert ended.returncode != 0, arguments
        said = [line for line in ended.stderr.splitlines() if line.strip()]
        assert len(said) == 1 and "panicked" not in ended.stderr, ended.stderr


def test_a_second_service_on_the_same_file_is_refused(kind, binary, new_server):
    server = new_server()
    command = [binary, "serve", "--listen", "127.0.0.1:0", "--database", server.database]
    if kind == "postgres":
        other = new_server(server.database)
        world, beside = World(server.address), World(other.address)
        event = world.open(seats=1)
        assert beside.sign_up(event).state == CONFIRMED, "several instances share one PostgreSQL"
        return
    ended = subprocess.run(command, cwd=server.folder, capture_output=True, text=True, timeout=20)
    assert ended.returncode != 0 and ended.stderr.strip()
    assert server.health() == SERVING, "the first one serves on"


def test_a_restart_keeps_everything(new_server):
    server = new_server()
    world = World(server.address)
    event = world.open(seats=1)
    request = build("CreateRegistration", parent=event, registration=party(), request_id=new_id())
    first = world.api.call("CreateRegistration", request)
    world.crowd(event, 1, 1)
    before = world.snapshot()
    assert server.stop() == 0
    server.must_check()
    server.start()
    assert world.snapshot() == before
    assert world.api.call("CreateRegistration", request) == first
    world.cancel(first.registration)
    assert world.counts(event).confirmed_parties == 1
