#!/usr/bin/env bash
# httpx-retries 0.6.0 with httpx 0.28.1 (PyPI)
#
# Behaviour: `Retry` takes three lists of what may be repeated: methods, statuses and exceptions. An empty list of
# exceptions means none. An empty list of methods or of statuses means the defaults: `Retry(allowed_methods=[])`
# repeats DELETE and PUT, and `Retry(status_forcelist=[])` repeats at 429, 502, 503 and 504, each ten times and
# without a pause.
#
# Why it matters: "repeat nothing that changes something" is written as an empty list, above all where the list comes
# from a configuration. The client then does the opposite of what was asked, for revocations too, and only for two of
# the three lists, so that a test with the third shows that empty lists work.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check httpx-retries==0.6.0 httpx==0.28.1

cat >"$work/probe.py" <<'PY'
import http.server
import socket
import threading

import httpx
from httpx_retries import Retry, RetryTransport

requests = 0


class Vendor(http.server.BaseHTTPRequestHandler):
    """Is never available, or closes without an answer below `/lost`."""

    protocol_version = "HTTP/1.1"

    def do_DELETE(self):
        global requests
        requests += 1
        if self.path == "/lost":
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response(503)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass

    def finish(self):
        try:
            super().finish()
        except OSError:
            pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Vendor)
threading.Thread(target=server.serve_forever, daemon=True).start()
base = "http://127.0.0.1:%d" % server.server_port
recorded = [("allowed_methods", "/keys/1", 11), ("status_forcelist", "/keys/1", 11), ("retry_on_exceptions", "/lost", 1)]
for name, path, count in recorded:
    requests = 0
    with httpx.Client(transport=RetryTransport(retry=Retry(**{name: []}))) as client:
        try:
            client.delete(base + path)
        except httpx.RemoteProtocolError:
            pass
    print("%-24s seen: %2d DELETE   expected: 1" % (name + "=[]", requests))
    assert requests == count, "changed"
PY
"$work/venv/bin/python" "$work/probe.py"
