#!/usr/bin/env bash
# ratelimit-header-parser 0.1.0 with express-rate-limit 8.7.5 (npm), both of the same project
#
# Behaviour: the newest header of the server, `standardHeaders: "draft-8"`, is recognised by the parser and read into
# `{limit: NaN, used: NaN, remaining: NaN, reset: Invalid Date}`. That is no failure to the caller: the parser returns
# `undefined` where it finds nothing, and an object where it believes that it understood. Where a server gives the
# rest without a reset, the parser falls back on `Retry-After`, and takes its seconds for Unix time: a wait of 60
# seconds ends in January 1970.
#
# Why it matters: every comparison with NaN or an invalid date is false. `if (info.remaining < 1) await
# until(info.reset)` never waits, so a client that watched its budget runs at full speed into refusals once the server
# is updated, and each 429 is repeated at once because its reset lies in the past.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >package.json <<'JSON'
{"private": true, "type": "module",
 "dependencies": {"express": "5.1.0", "express-rate-limit": "8.7.5", "ratelimit-header-parser": "0.1.0"}}
JSON
npm install --silent --no-audit --no-fund --ignore-scripts

cat >probe.mjs <<'JS'
import assert from "node:assert";
import { once } from "node:events";
import express from "express";
import { rateLimit } from "express-rate-limit";
import { parseRateLimit } from "ratelimit-header-parser";

const seconds = (info) => Math.round((info.reset - Date.now()) / 1000);

async function seen(standardHeaders) {
  const app = express();
  app.use(rateLimit({ windowMs: 60_000, limit: 2, standardHeaders, legacyHeaders: false }));
  app.get("/", (_, response) => response.send());
  const server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  const response = await fetch(`http://127.0.0.1:${server.address().port}/`);
  server.close();
  const info = parseRateLimit(response);
  console.log(`${standardHeaders}  header:   ${response.headers.get("ratelimit")}`);
  console.log(`         seen:     remaining ${info.remaining}, reset in ${seconds(info)} s`);
  console.log("         expected: remaining 1, reset in 60 s");
  return info;
}

const older = await seen("draft-7");
const newer = await seen("draft-8");
const refusal = parseRateLimit(new Headers({ "x-ratelimit-limit": "2", "x-ratelimit-remaining": "0", "retry-after": "60" }));
console.log("X-RateLimit-Remaining: 0, Retry-After: 60");
console.log(`         seen:     reset ${refusal.reset.toISOString()}`);
console.log("         expected: reset in 60 s");
assert.ok(older.remaining === 1 && Math.abs(seconds(older) - 60) <= 1, "draft-7 changed");
assert.ok(Number.isNaN(newer.remaining) && Number.isNaN(newer.limit) && Number.isNaN(newer.reset.getTime()), "draft-8 changed");
assert.strictEqual(refusal.reset.getTime(), 60_000);
JS
node probe.mjs
