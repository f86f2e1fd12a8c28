"""An honest portal: so many sign-ups a second, each due at its moment whatever became of the others, some of them on new
connections. Writes a line for each: when it was due, how long it took from then on, and what was wrong, if anything."""

import sys
import threading
import time

import outside  # noqa: F401, finds the modules of the outside client
from client import Api, build
from words import party

PER_SECOND = 20
# Every so many sign-ups come on a connection of their own, as those of a portal that was just started.
NEW_CONNECTION_EVERY = 10
PATIENCE = 10
writing = threading.Lock()


def begin(api, event, due, is_new):
    request = build("CreateRegistration", parent=event, registration=party())
    running = api._callable("CreateRegistration").future(request, timeout=PATIENCE, metadata=api.metadata)

    def ended(call):
        took, error = time.monotonic() - due, call.exception()
        why = "" if error is None else f"{error.code().name}: {error.details()}".replace("\n", " ")
        with writing:
            print(due, took, why, sep="\t", flush=True)

    running.add_done_callback(ended)
    if is_new:
        # Not in the callback: a channel cannot be closed from its own thread.
        threading.Timer(PATIENCE + 1, api.close).start()


def main(address, key, event):
    api, due, number = Api(address, key=key), time.monotonic(), 0
    while True:
        due, number = due + 1 / PER_SECOND, number + 1
        time.sleep(max(0, due - time.monotonic()))
        is_new = number % NEW_CONNECTION_EVERY == 0
        begin(Api(address, key=key) if is_new else api, event, due, is_new)


if __name__ == "__main__":
    main(*sys.argv[1:])
