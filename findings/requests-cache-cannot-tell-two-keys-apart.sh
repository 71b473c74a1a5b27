#!/usr/bin/env bash
# requests-cache 1.3.3 with requests 2.34.2 (PyPI)
#
# Behaviour: the parameters that are hidden in what is stored (`Authorization`, `X-API-KEY` and others, by default)
# are replaced before the cache key is made, for the matching of headers too. So `match_headers=["Authorization"]`,
# the documented way to keep responses to different headers apart, has no effect for exactly the headers that a
# credential travels in: two accounts share one entry. Only an `ignored_parameters` of one's own, without the header,
# parts them, and then the credential is stored in the cache.
#
# Why it matters: a tool that lists the keys of several accounts through one cached session shows the first account's
# keys under every account, with status 200 and no warning, although it asked for the match.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check requests-cache==1.3.3 requests==2.34.2

cat >"$work/probe.py" <<'PY'
import http.server
import threading

import requests_cache


class Vendor(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = ("%s %s" % (self.headers["Authorization"], self.headers["X-Account"])).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Vendor)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = "http://127.0.0.1:%d/keys" % server.server_port


def ask(header, values, **settings):
    session = requests_cache.CachedSession(backend="memory", **settings)
    return [session.get(url, headers={header: value}).text.strip() for value in values]


ordinary = ask("X-Account", ["blue", "red"], match_headers=["X-Account"])
credential = ask("Authorization", ["Api-Key blue", "Api-Key red"], match_headers=["Authorization"])
every = ask("Authorization", ["Api-Key blue", "Api-Key red"], match_headers=True)
parted = ask("Authorization", ["Api-Key blue", "Api-Key red"], match_headers=["Authorization"], ignored_parameters=[])

print("match_headers=['X-Account']      seen:    ", ordinary)
print("match_headers=['Authorization']  seen:    ", credential)
print("match_headers=True               seen:    ", every)
print("                                 expected: two different answers each time")
print("… and ignored_parameters=[]      seen:    ", parted)
assert ordinary == ["None blue", "None red"], "changed"
assert credential == every == ["Api-Key blue None"] * 2, "changed"
assert parted == ["Api-Key blue None", "Api-Key red None"], "changed"
PY
"$work/venv/bin/python" "$work/probe.py"
