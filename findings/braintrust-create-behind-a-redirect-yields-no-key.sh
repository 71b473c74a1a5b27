#!/usr/bin/env bash
# braintrust-api 0.6.0 (PyPI) with httpx 0.28.1
#
# Behaviour: the client follows redirects for every method. Behind a host that moved with a 301 or 302, the ordinary
# answer of a proxy that sends clients to another host or path, `api_keys.create(...)` becomes a GET of the same path,
# which is the listing. The client reads the listing as the created key: it returns a `CreateAPIKeyOutput` whose
# `key`, declared as a required `str`, is None, and raises nothing. With 307 or 308 the key is created.
#
# Why it matters: a rotation that creates, stores `key` and then revokes the old one stores "None" and revokes: every
# call succeeded and no key was made. The response object even carries an `objects` member that its class does not
# have.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check braintrust-api==0.6.0 httpx==0.28.1

cat >"$work/probe.py" <<'PY'
import http.server
import json
import threading

from braintrust_api import Braintrust
from braintrust_api.types import CreateAPIKeyOutput

KEY = {"id": "7", "name": "ci", "preview_name": "sk-…7", "org_id": None, "user_id": None, "created": None, "key": "sk-new"}
requests = []


class Vendor(http.server.BaseHTTPRequestHandler):
    """`/301/…` to `/308/…` redirect to the same path below `/here`, where keys are listed and created."""

    protocol_version = "HTTP/1.1"

    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        requests.append(self.command)
        _, place, rest = self.path.split("/", 2)
        body = b""
        if place == "here":
            body = json.dumps(KEY if self.command == "POST" else {"objects": []}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
        else:
            self.send_response(int(place))
            self.send_header("Location", "/here/" + rest)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Vendor)
threading.Thread(target=server.serve_forever, daemon=True).start()
seen = {}
for status in (301, 302, 307, 308):
    requests.clear()
    client = Braintrust(api_key="a-key", base_url="http://127.0.0.1:%d/%d" % (server.server_port, status), max_retries=0)
    created = client.api_keys.create(name="ci")
    seen[status] = (created.key, list(requests))
    print("%d  seen:     %s with key=%r after %s" % (status, type(created).__name__, created.key, " ".join(requests)))
    print("     expected: key='sk-new', or an error")

assert CreateAPIKeyOutput.model_fields["key"].annotation is str, "the declaration changed"
assert seen[301] == seen[302] == (None, ["POST", "GET"]), "changed"
assert seen[307] == seen[308] == ("sk-new", ["POST", "POST"]), "changed"
PY
"$work/venv/bin/python" "$work/probe.py"
