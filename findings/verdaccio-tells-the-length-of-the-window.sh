#!/usr/bin/env bash
# verdaccio 6.8.0 (npm), on Node 20 or newer
#
# Behaviour: a refusal of the rate limiter carries two statements of when to come back, and they contradict each
# other. `X-RateLimit-Reset` is the end of the present window. `Retry-After`, by its definition the time to wait, is
# always the length of the whole window, however little of it is left: with the default window of 15 minutes a client
# that obeys waits 900 seconds for a window that may end in one. The window is fixed, not sliding, and begins with the
# server.
#
# Why it matters: Retry-After is the header that clients obey. One that trusts it loses up to a whole window at each
# refusal, and if its own deadline is shorter than the window it gives up on a call that could have passed in a
# moment.
set -euo pipefail
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT
cd "$work"
cat >package.json <<'JSON'
{"private": true, "dependencies": {"verdaccio": "6.8.0"}, "overrides": {"node-fetch": "2.7.0"}}
JSON
npm install --silent --no-audit --no-fund --ignore-scripts

port=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })')
cat >config.yaml <<'YAML'
storage: ./storage
auth: {htpasswd: {file: ./htpasswd}}
uplinks: {}
packages: {'**': {access: $all}}
web: {enable: false}
userRateLimit: {windowMs: 8000, max: 2}
log: {type: stdout, level: error}
YAML
node node_modules/verdaccio/bin/verdaccio -c config.yaml -l "127.0.0.1:$port" >server.log 2>&1 &
server=$!

cat >probe.mjs <<'JS'
import assert from "node:assert";
const base = process.argv[2];
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
for (let i = 0; i < 100; i++) {
  if (await fetch(base + "/-/ping").then((response) => response.ok, () => false)) break;
  await pause(200);
}
const list = () => fetch(base + "/-/npm/v1/tokens");
const left = (response) => Number(response.headers.get("x-ratelimit-reset")) - Date.now() / 1000;

// At the beginning of a window, so that all of it is ahead.
await pause(Math.max(0, left(await list()) * 1000) + 1000);
for (let i = 0; i < 2; i++) assert.strictEqual((await list()).status, 401);
await pause(5000);
const refused = await list();
const told = Number(refused.headers.get("retry-after"));
const real = left(refused);
const start = Date.now();
while ((await list()).status === 429) await pause(200);
const passed = (Date.now() - start) / 1000;

console.log(`status ${refused.status}, five seconds into a window of eight`);
console.log(`Retry-After        seen: ${told} s    expected: at most 3 s`);
console.log(`X-RateLimit-Reset  seen: in ${real.toFixed(1)} s`);
console.log(`the next call that passed came after ${passed.toFixed(1)} s`);
assert.strictEqual(refused.status, 429);
assert.strictEqual(told, 8);
assert.ok(real <= 4 && passed <= 5, "changed");
JS
node probe.mjs "http://127.0.0.1:$port"
