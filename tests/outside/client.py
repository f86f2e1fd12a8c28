"""Calls over gRPC, built from the descriptors alone, and what is wrong with a refusal."""

import functools
import itertools
import pathlib
import re
import uuid

import grpc
from eile.v1 import admin_pb2, attendance_pb2, changes_pb2, errors_pb2, events_pb2, people_pb2, privacy_pb2, registrations_pb2, reports_pb2
from google.protobuf import any_pb2, message_factory
from google.rpc import error_details_pb2
from grpc_status import rpc_status

ROOT = pathlib.Path(__file__).resolve().parents[2]
OPTIONS = [
    ("grpc.use_local_subchannel_pool", 1),  # each channel is a connection of its own
    ("grpc.enable_retries", 0),
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 5000),  # which is also how long a connection may take to be made
    ("grpc.max_reconnect_backoff_ms", 200),
]
METHODS = {
    method.name: (f"/{service.full_name}/{method.name}", method)
    for module in (
        admin_pb2, attendance_pb2, changes_pb2, events_pb2, people_pb2, privacy_pb2, registrations_pb2, reports_pb2)
    for service in module.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}
# Words of databases and libraries, which no caller is to see.
DRIVER_WORDS = re.compile(
    r"sqlx|sqlite|postgres|unique|constraint|database is|relation|column|\bsql\b|panicked|tokio|hyper|h2 |prost"
    r"|select |insert |\.rs\b|src/", re.I)


def message_class(method, which="input_type"):
    return message_factory.GetMessageClass(getattr(METHODS[method][1], which))


class Refused(Exception):
    """A status that is not OK, with its details unpacked."""

    unsound = []  # what was wrong with any that any test met, threads included

    def __init__(self, method, error):
        self.method, self.code, self.message = method, error.code(), error.details() or ""
        status = self._status(error)
        self.details = [unpack(d) for d in status.details] if status else []
        infos = [d for d in self.details if isinstance(d, error_details_pb2.ErrorInfo)]
        self.info = infos[0] if infos else None
        self.reason = self.info.reason if self.info else ""
        self.metadata = dict(self.info.metadata) if self.info else {}
        super().__init__(f"{method}: {self.code.name} {self.reason} {self.metadata}: {self.message} {self.fields()}")

    @staticmethod
    def _status(error):
        try:
            return rpc_status.from_call(error)
        except ValueError:
            return None

    def detail(self, kind):
        return next((d for d in self.details if isinstance(d, kind)), None)

    def fields(self):
        """The paths of the violated fields."""
        bad = self.detail(error_details_pb2.BadRequest)
        return sorted({v.field for v in bad.field_violations}) if bad else []

    def is_own(self):
        """Whether the service made it; the others come from the client's own gRPC library."""
        return self.info is not None or self.code not in LOCAL_CODES

    def audit(self):
        """Compares with errors.proto: every refusal of every test passes here."""
        if not self.is_own():
            return self
        faults = list(self._faults())
        Refused.unsound += [f"{self}: {fault}" for fault in faults]
        assert not faults, f"{self}: {faults}"
        return self

    def _faults(self):
        text = f"{self.message} {self.details}"
        if found := DRIVER_WORDS.search(text):
            yield f"leaks {found[0]!r}"
        if self.code is grpc.StatusCode.INTERNAL:
            yield "is INTERNAL"
        if not self.message.strip():
            yield "has no message"
        documented = CATALOGUE.get(self.reason)
        if documented is None:
            yield f"reason {self.reason!r} is not in errors.proto"
            return
        if self.info.domain != "eile.v1":
            yield f"domain {self.info.domain!r}"
        if self.code.name != documented.code:
            yield f"errors.proto says {documented.code}"
        if missing := documented.metadata - set(self.metadata):
            yield f"metadata lacks {sorted(missing)}"
        wanted = self._wanted_detail()
        if wanted and self.detail(wanted) is None:
            yield f"has no {wanted.__name__}"

    def _wanted_detail(self):
        """What errors.proto promises beside ErrorInfo."""
        if self.reason in ("INVALID_FIELDS", "PERSONAL_CODE_REFUSED"):
            return error_details_pb2.BadRequest
        return {
            grpc.StatusCode.FAILED_PRECONDITION: error_details_pb2.PreconditionFailure,
            grpc.StatusCode.NOT_FOUND: error_details_pb2.ResourceInfo,
            grpc.StatusCode.RESOURCE_EXHAUSTED: error_details_pb2.QuotaFailure,
            grpc.StatusCode.UNAVAILABLE: error_details_pb2.RetryInfo,
        }.get(self.code)


LOCAL_CODES = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED)
DETAIL_KINDS = [getattr(error_details_pb2, name) for name in (
    "ErrorInfo", "BadRequest", "PreconditionFailure", "QuotaFailure", "ResourceInfo", "RetryInfo", "RequestInfo",
    "Help", "LocalizedMessage", "DebugInfo")]


def unpack(detail: any_pb2.Any):
    for kind in DETAIL_KINDS:
        if detail.Is(kind.DESCRIPTOR):
            out = kind()
            detail.Unpack(out)
            return out
    return detail


class Documented:
    """One reason as the comments of errors.proto describe it: its code, and the metadata of its example."""

    def __init__(self, comment):
        text = " ".join(line.strip().removeprefix("//").strip() for line in comment.splitlines())
        self.code = (re.match(r"([A-Z_]+):", text) or [None, None])[1]
        example = re.search(r'"metadata":\s*\{(.*?)\}', text)
        self.metadata = set(re.findall(r'"(\w+)":', example[1])) if example else set()


def read_catalogue():
    text = (ROOT / "proto/eile/v1/errors.proto").read_text()
    found = re.findall(r"((?: *//.*\n)+) *ERROR_REASON_(\w+) = (\d+);", text)
    return {name: Documented(comment) for comment, name, number in found if number != "0"}


CATALOGUE = read_catalogue()
assert set(CATALOGUE) == {n.removeprefix("ERROR_REASON_") for n in errors_pb2.ErrorReason.keys()} - {"UNSPECIFIED"}


def open_channel(address, credentials, options):
    if credentials is None:
        return grpc.insecure_channel(address, options)
    return grpc.secure_channel(address, credentials, options)


class Api:
    """A connection. `api.CreateEvent(event=..., ...)` takes a request's fields; a request_id is made where one is
    needed and none is given. What is not OK is raised as Refused, audited. `key` is the secret of an access key;
    `credentials` are those of gRPC, for TLS."""

    def __init__(self, address, vouches=True, timeout=60, key=None, metadata=(), credentials=None):
        self.address, self.timeout = address, timeout
        lowered = () if vouches else (("eile-vouches", "no"),)
        shown = () if key is None else (("authorization", f"Bearer {key}"),)
        self.metadata = (*lowered, *shown, *metadata)
        self.channel = open_channel(address, credentials, OPTIONS)

    def __getattr__(self, method):
        if method not in METHODS:
            raise AttributeError(method)
        call = functools.partial(self.call, method)
        setattr(self, method, call)
        return call

    def call(self, method, request=None, **fields):
        if request is None:
            request = build(method, **fields)
        try:
            return self._callable(method)(request, timeout=self.timeout, metadata=self.metadata)
        except grpc.RpcError as error:
            raise Refused(method, error).audit() from None

    @functools.lru_cache(maxsize=None)
    def _callable(self, method):
        path, descriptor = METHODS[method]
        how = self.channel.unary_stream if descriptor.server_streaming else self.channel.unary_unary
        read = message_class(method, "output_type").FromString
        return how(path, request_serializer=lambda m: m.SerializeToString(), response_deserializer=read)

    def raw(self, method, body):
        """Sends bytes as they are."""
        call = self.channel.unary_unary(METHODS[method][0], request_serializer=None, response_deserializer=None)
        try:
            return call(body, timeout=self.timeout, metadata=self.metadata)
        except grpc.RpcError as error:
            raise Refused(method, error).audit() from None

    def watch(self, method, seconds=15, **fields):
        """A stream, iterated by the test; ends with the deadline."""
        return self._callable(method)(build(method, **fields), timeout=seconds, metadata=self.metadata)

    def attempt(self, method, request, seconds=30):
        """Makes a call of which anything may come, and answers all that came; of a stream the first message."""
        return self.begin(method, request, seconds)()

    def begin(self, method, request, seconds=30):
        """Sends what `attempt` does, and answers what waits for the outcome: many calls can be on their way at once."""
        call, is_stream = self._callable(method), METHODS[method][1].server_streaming
        running = (call if is_stream else call.future)(request, timeout=seconds, metadata=self.metadata)
        return lambda: self._outcome(method, running, is_stream)

    @staticmethod
    def _outcome(method, running, is_stream):
        try:
            answers = list(itertools.islice(running, 1)) if is_stream else [running.result()]
            # A stream that is left has no trailers yet.
            return Outcome.good(answers, running, trailers=not is_stream)
        except grpc.RpcError as error:
            return Outcome.bad(Refused(method, error).audit(), error)
        finally:
            running.cancel()

    def refused(self, method, request=None, **fields):
        """Makes a call that must be refused, and answers the refusal."""
        try:
            answer = self.call(method, request, **fields)
        except Refused as refused:
            return refused
        raise AssertionError(f"{method} was not refused: {answer}")

    def close(self):
        self.channel.close()


class Bytes:
    """Sent as they are, in place of a message."""

    def __init__(self, body):
        self.body = body

    def SerializeToString(self):
        return self.body


class Outcome:
    """What came of a call, to the byte: the answers, or the status with its message and everything sent along."""

    def __init__(self, code, answers, sent_along, refused=None):
        self.code, self.answers, self.refused = code, answers, refused
        self.reason = refused.reason if refused else ""
        # The time of day, and the number of the call in the traces, are in every answer.
        self.sent_along = sorted((k, v) for k, v in sent_along if k not in ("date", "traceparent"))

    @classmethod
    def good(cls, answers, call, trailers=True):
        sent = [*call.initial_metadata(), *(call.trailing_metadata() if trailers else ())]
        return cls(grpc.StatusCode.OK, answers, sent)

    @classmethod
    def bad(cls, refused, error):
        sent = [*(error.initial_metadata() or ()), *(error.trailing_metadata() or ())]
        return cls(refused.code, [], sent, refused)

    def bytes(self):
        """All that the caller was told, in one piece."""
        told = [self.code.name.encode(), *(a.SerializeToString() for a in self.answers)]
        told += [self.refused.message.encode()] if self.refused else []
        told += [k.encode() + b"=" + (v if isinstance(v, bytes) else v.encode()) for k, v in self.sent_along]
        return b"\n".join(told)

    def __str__(self):
        return str(self.refused) if self.refused else f"OK {str(self.answers)[:300]}"


def build(method, **fields):
    kind = message_class(method)
    if "request_id" in kind.DESCRIPTOR.fields_by_name and "request_id" not in fields:
        fields["request_id"] = str(uuid.uuid4())
    return kind(**fields)
