#!/usr/bin/env bash
# jupyterhub 6.1.1 (PyPI)
#
# Behaviour: a token that has expired stays in the database, and GET of it answers 200 with an `expires_at` in the
# past. GET of the listing of its owner's tokens is what deletes it: the listing leaves it out, and from then on GET
# of the same token is 404. So a request that is safe by its method changes what other requests see, and whether an
# expired token "is there" depends on whether somebody has looked at the page of tokens.
#
# Why it matters: a client that tells "expired" from "no such key" by reading the key gets the one or the other from
# an unrelated listing, its own inventory run for instance: the run that should record the expiry removes the
# evidence. A check with the expired token itself is refused in both states, with the same answer, and deletes
# nothing.
set -euo pipefail
work=$(mktemp -d)
hub=
trap '[ -z "$hub" ] || kill "$hub"; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check jupyterhub==6.1.1

read -r port other < <(python3 -c '
import socket
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*(s.getsockname()[1] for s in sockets))')
cat >"$work/config.py" <<PY
from jupyterhub.proxy import Proxy


class NoProxy(Proxy):
    """The API alone: nothing is routed to notebooks."""

    should_start = False

    async def add_route(self, routespec, target, data):
        pass

    async def delete_route(self, routespec):
        pass

    async def get_all_routes(self):
        return {}


c.JupyterHub.proxy_class = NoProxy
c.JupyterHub.hub_bind_url = "http://127.0.0.1:$port/"
c.JupyterHub.bind_url = "http://127.0.0.1:$other/"
c.JupyterHub.db_url = "sqlite:///:memory:"
c.JupyterHub.cookie_secret = bytes(32)
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.services = [{"name": "probe", "api_token": "a" * 40}]
c.JupyterHub.load_roles = [{"name": "probe", "scopes": ["admin:users", "tokens"], "services": ["probe"]}]
PY
cd "$work"
venv/bin/jupyterhub -f config.py >hub.log 2>&1 &
hub=$!

cat >probe.py <<'PY'
import json
import sys
import time
import urllib.error
import urllib.request

base = "http://127.0.0.1:%s/hub/api" % sys.argv[1]


def ask(method, path, body=None, token="a" * 40):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(base + path, data, {"Authorization": "token " + token}, method=method)
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, json.loads(response.read() or b"null")
    except urllib.error.HTTPError as error:
        return error.code, None


for _ in range(300):
    try:
        ask("GET", "/")
        break
    except urllib.error.URLError:
        time.sleep(0.2)

ask("POST", "/users/ann")
_, made = ask("POST", "/users/ann/tokens", {"expires_in": 2})
path = "/users/ann/tokens/" + made["id"]
time.sleep(3)
checked_before, _ = ask("GET", "/user", token=made["token"])
before, record = ask("GET", path)
again, _ = ask("GET", path)
_, listing = ask("GET", "/users/ann/tokens")
after, _ = ask("GET", path)
checked_after, _ = ask("GET", "/user", token=made["token"])

print("GET of the expired token           seen: %d, and again %d, expires_at %s" % (before, again, record["expires_at"]))
print("GET of the listing                 seen: %d tokens" % len(listing["api_tokens"]))
print("GET of the expired token           seen: %d   expected: %d, as before" % (after, before))
print("the expired token as a credential  seen: %d before, %d after the listing" % (checked_before, checked_after))
assert (before, again, listing["api_tokens"], after) == (200, 200, [], 404), "changed"
assert checked_before == checked_after == 403, "changed"
PY
venv/bin/python probe.py "$port"
