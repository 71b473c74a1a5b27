#!/usr/bin/env bash
# mielto 0.1.7 (PyPI) with httpx 0.28.1
#
# Behaviour: the client exports `PaymentRequiredError`, `CreditLimitExceededError` and `OverageLimitExceededError`,
# and raises them where the response says so. The same function then catches them again, as anything that it did not
# list, and raises a bare `MieltoError` in their place, without status and without the response's data. So no caller
# can ever catch one of the three. An `OVERAGE_LIMIT_EXCEEDED` takes a 429 with it: that is no `RateLimitError`
# either. Every status without a class of its own (400, 409, 3xx) loses its number in the same way.
#
# Why it matters: code that checks keys through the vendor's client cannot tell "out of credit" or "conflict" from a
# failure of the client itself: both are `Unexpected error`, with `status_code` None.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check mielto==0.1.7 httpx==0.28.1

cat >"$work/probe.py" <<'PY'
import http.server
import json
import threading

from mielto.client import exceptions
from mielto.client.base import BaseClient

ANSWERS = {
    "/missing": (404, {"detail": "no such key"}),
    "/pay": (402, {"detail": "payment required"}),
    "/credit": (402, {"detail": "no credit left", "error_code": "CREDIT_LIMIT_EXCEEDED"}),
    "/overage": (429, {"detail": "over the limit", "error_code": "OVERAGE_LIMIT_EXCEEDED"}),
    "/conflict": (409, {"detail": "name taken"}),
}
EXPECTED = {
    "/missing": exceptions.NotFoundError,
    "/pay": exceptions.PaymentRequiredError,
    "/credit": exceptions.CreditLimitExceededError,
    "/overage": exceptions.OverageLimitExceededError,
    "/conflict": exceptions.MieltoError,
}


class Vendor(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        status, answer = ANSWERS[self.path]
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Vendor)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = BaseClient("a-key", "http://127.0.0.1:%d" % server.server_port)
seen = {}
for path, (status, _) in ANSWERS.items():
    try:
        client.get(path)
    except exceptions.MieltoError as error:
        seen[path] = (type(error).__name__, error.status_code)
    print("%-10s seen:     %s, status %s" % ((path,) + seen[path]))
    print("%-10s expected: %s, status %s" % ("", EXPECTED[path].__name__, status))

assert seen.pop("/missing") == ("NotFoundError", 404), "changed"
assert set(seen.values()) == {("MieltoError", None)}, "changed"
PY
"$work/venv/bin/python" "$work/probe.py"
