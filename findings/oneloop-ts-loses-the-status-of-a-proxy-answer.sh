#!/usr/bin/env bash
# @oneloop-hq/oneloop-ts 1.0.9 (npm), whose node-fetch is held at 2.7.0
#
# Behaviour: the client has a path of its own for answers that are not JSON: an `OneloopError` with `statusCode` and
# the raw body. It cannot be reached. `response.json()` has used up the body when the path asks for `response.text()`,
# so each such answer becomes an error without status and without body, whose message is node-fetch's "body used
# already". A success without a body, 204, fails in the same way.
#
# Why it matters: what stands between a client and its vendor (a proxy, a load balancer, an expired sign-in page)
# answers in HTML. A 401, a 404 and a 503 of it are one and the same error, so nothing can decide whether to repeat,
# and a revocation that is answered 204 is reported as failed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >package.json <<'JSON'
{"private": true, "dependencies": {"@oneloop-hq/oneloop-ts": "1.0.9"}, "overrides": {"node-fetch": "2.7.0"}}
JSON
npm install --silent --no-audit --no-fund --ignore-scripts

cat >probe.cjs <<'JS'
const http = require("node:http");
const assert = require("node:assert");
const { OneloopClient } = require("@oneloop-hq/oneloop-ts");

let status;
const server = http.createServer((_, response) => {
  response.writeHead(status, status === 204 ? {} : { "content-type": "text/html" });
  response.end(status === 204 ? undefined : `<h1>${status}</h1>`);
});

server.listen(0, "127.0.0.1", async () => {
  const client = new OneloopClient({ environment: `http://127.0.0.1:${server.address().port}`, token: "a-token" });
  for (status of [401, 404, 503, 204]) {
    const outcome = await client.deleteApiKey("w", "k", { maxRetries: 0 }).then(() => "success", (error) => error);
    const expected = status === 204 ? "success" : `an error with statusCode ${status} and the body <h1>${status}</h1>`;
    console.log(`${status}  seen:     an error with statusCode ${outcome.statusCode} and the body ${outcome.body}`);
    console.log(`     expected: ${expected}`);
    assert.strictEqual(outcome.statusCode, undefined);
    assert.strictEqual(outcome.body, undefined);
    assert.match(outcome.message, /body used already/);
  }
  server.close();
});
JS
node probe.cjs
