#!/usr/bin/env bash
# @oneloop-hq/oneloop-ts 1.0.9 (npm), whose node-fetch is held at 2.7.0, on Node 20 or newer
#
# Behaviour: loading the vendor's client assigns node-fetch 2 to `global.fetch`, for the whole process and for good.
# From then on every other library that calls `fetch` gets its semantics: a response is no `Response` and its body no
# web stream, `AbortSignal.timeout` ends in an `AbortError`, not a `TimeoutError`, and a `FormData` as body is sent as
# the text `[object FormData]`, without an error.
#
# Why it matters: one process that manages keys at several vendors loads several clients. Another vendor's client that
# tells a time-out from a cancellation, or sends a form, breaks after a `require` in an unrelated module, and only in
# the order of loading in which Oneloop's client comes first.
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

const server = http.createServer((request, response) => {
  if (request.url === "/slow") return; // never answered
  let body = "";
  request.on("data", (chunk) => (body += chunk));
  request.on("end", () => response.end(body));
});

async function look(base) {
  const form = new FormData();
  form.set("name", "ci");
  const posted = await fetch(base, { method: "POST", body: form });
  const slow = await fetch(base + "slow", { signal: AbortSignal.timeout(50) }).catch((error) => error);
  return {
    "is a Response": posted instanceof Response,
    "body is a web stream": posted.body instanceof ReadableStream,
    "form arrives": (await posted.text()).includes('name="name"'),
    "time-out error": slow.name,
  };
}

server.listen(0, "127.0.0.1", async () => {
  const base = `http://127.0.0.1:${server.address().port}/`;
  const before = await look(base);
  require("@oneloop-hq/oneloop-ts");
  const after = await look(base);
  for (const what of Object.keys(before)) {
    console.log(`${what.padEnd(21)} seen: ${String(after[what]).padEnd(11)} expected, as before loading: ${before[what]}`);
  }
  assert.deepStrictEqual(Object.values(before), [true, true, true, "TimeoutError"]);
  assert.deepStrictEqual(Object.values(after), [false, false, false, "AbortError"]);
  server.closeAllConnections();
  server.close();
});
JS
node probe.cjs
