"""Web sites on loopback: a page that speaks gRPC-Web, and the server of a portal that signs families up with its key."""

import functools
import http.server
import importlib
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import threading

from client import Api, Refused
from house import LOOPBACK, ROOT
from words import contact, party

OUTSIDE, PACKAGES = ROOT / "tests/outside", ROOT / ".tools/browser/node_modules"
HTML = {"/": "text/html; charset=utf-8", "/page.js": "text/javascript; charset=utf-8"}


def bundle():
    """The script of the page with all that it needs, made from proto/ as any web developer would."""
    from grpc_tools import protoc

    assert (PACKAGES / ".bin/esbuild").exists(), "the packages of the page are missing: run tests/tools.sh browser"
    folder = tempfile.mkdtemp(prefix="eile-page-")
    try:
        common = pathlib.Path(importlib.import_module("google.rpc.error_details_pb2").__file__).parents[2]
        files = [*sorted(map(str, (ROOT / "proto/eile/v1").glob("*.proto"))), str(common / "google/rpc/error_details.proto")]
        plugin = f"--plugin=protoc-gen-es={PACKAGES}/.bin/protoc-gen-es"
        own = pathlib.Path(importlib.import_module("grpc_tools").__file__).parent / "_proto"
        includes = [f"-I{where}" for where in (ROOT / "proto", common, own)]
        assert protoc.main(["protoc", plugin, *includes, f"--es_out={folder}", "--es_opt=target=js", *files]) == 0
        made = subprocess.run(
            [PACKAGES / ".bin/esbuild", OUTSIDE / "browser/page.js", "--bundle", "--format=iife", "--log-level=error"],
            env={**os.environ, "NODE_PATH": f"{folder}:{PACKAGES}"}, capture_output=True)
        assert made.returncode == 0, made.stderr.decode()
        return made.stdout
    finally:
        shutil.rmtree(folder)


class Site:
    """A web site with the page. Its `origin` is known before it says which service and event it is about."""

    def __init__(self, script):
        handler = functools.partial(Handler, self)
        self.server = http.server.ThreadingHTTPServer((LOOPBACK, 0), handler)
        self.server.daemon_threads = True
        self.origin = f"http://{LOOPBACK}:{self.server.server_port}"
        self.files, self.portal = {"/page.js": script}, None
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def about(self, address, event, portal=None):
        """Serves the page for this event; with a portal that server signs up, else the page by itself."""
        self.portal = portal
        settings = {"service": f"http://{address}", "event": event, "signUp": "byPortal" if portal else "byItself"}
        page = (OUTSIDE / "browser/page.html").read_text().replace("SETTINGS", json.dumps(settings))
        self.files["/"] = page.encode()
        return self

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, site, *args):
        self.site = site
        super().__init__(*args)

    def do_GET(self):
        body = self.site.files.get(self.path)
        self.answer(200 if body else 404, HTML.get(self.path, "text/plain"), body or b"")

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        assert self.path == "/sign-up" and self.headers["sec-fetch-site"] == "same-origin"
        try:
            self.answer(200, "application/json", json.dumps(self.site.portal.sign_up(**asked)).encode())
        except Refused as refused:
            self.answer(409, "text/plain", refused.reason.encode())

    def answer(self, code, kind, body):
        self.send_response(code)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Nobody reads it."""


class Portal:
    """The half of a portal that holds the key. It passes on the page's request id, so that a form that is sent twice
    signs up once, and gives the page what reaches that registration alone."""

    def __init__(self, address, key, event):
        self.api, self.event, self.tokens = Api(address, key=key), event, []

    def sign_up(self, requestId, name, email):  # noqa: N803, as the page names it
        family = party(contact=contact(name, email=email))
        made = self.api.CreateRegistration(parent=self.event, registration=family, request_id=requestId)
        self.tokens.append(made.management_token)
        return {"name": made.registration.name, "managementToken": made.management_token}
