#!/usr/bin/env bash
# aiohttp 3.14.5 (PyPI)
#
# Behaviour: a session without any retry option sends a DELETE a second time when the server closes the connection
# after it has received the request and before it has answered: not only on a kept-alive connection, where the request
# may have crossed the server's idle close, but on one that was opened for this very request. The caller sees only the
# second answer. A POST in the same place is an error after one request.
#
# Why it matters: revoking a key is a DELETE. When the first one did its work and only its answer was lost, the second
# one meets a key that is gone, so the caller is told 404 "no such key" about a revocation that succeeded. A log of
# the caller's requests shows one DELETE, the vendor's audit log shows two.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check aiohttp==3.14.5

cat >"$work/probe.py" <<'PY'
import asyncio

import aiohttp


class Vendor:
    """Revokes a key at the first DELETE and loses the answer; answers everything else."""

    def __init__(self):
        self.requests = []
        self.revoked = False

    async def connection(self, reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                method = head.split(b" ", 1)[0].decode()
                self.requests.append(method)
                status = b"200 OK"
                if method != "GET":
                    if not self.revoked:
                        self.revoked = True
                        break
                    status = b"404 Not Found"
                writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 2\r\n\r\n{}")
                await writer.drain()
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()


async def revoke(method, reads_first):
    vendor = Vendor()
    server = await asyncio.start_server(vendor.connection, "127.0.0.1", 0)
    base = "http://127.0.0.1:%d" % server.sockets[0].getsockname()[1]
    async with aiohttp.ClientSession() as session:
        if reads_first:
            async with session.get(base + "/keys/1") as response:
                await response.read()
        try:
            async with session.request(method, base + "/keys/1") as response:
                outcome = str(response.status)
        except aiohttp.ClientError as error:
            outcome = type(error).__name__
    server.close()
    return outcome, vendor.requests.count(method)


async def main():
    for method, reads_first, recorded in (
        ("DELETE", True, ("404", 2)),
        ("DELETE", False, ("404", 2)),
        ("POST", False, ("ServerDisconnectedError", 1)),
    ):
        seen = await revoke(method, reads_first)
        print("%s on a %s connection" % (method, "kept-alive" if reads_first else "new"))
        print("  seen:     %s after %d %s" % (*seen, method))
        print("  expected: ServerDisconnectedError after 1 %s" % method)
        assert seen == recorded, "changed: %r" % (seen,)


asyncio.run(main())
PY
"$work/venv/bin/python" "$work/probe.py"
