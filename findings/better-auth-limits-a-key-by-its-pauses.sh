#!/usr/bin/env bash
# better-auth 1.7.5 with @better-auth/api-key 1.7.5 (npm), on Node 20.11 or newer
#
# Behaviour: the limit of an API key is configured as so many requests per time window, 10 in a day by default. The
# count starts again only after a pause that is longer than the whole window: what is compared is the time since the
# last accepted request, not since the first one of the window. So a key that is used once in 23 hours, about once a
# day, is refused at its eleventh use, in the second week, with `Rate limit exceeded.`
#
# Why it matters: the key of a nightly job works for ten nights and then fails, with a limit that its load never comes
# near. A watcher that checks a key now and then uses up the count of the key for everybody, and lowering the
# frequency does not help until the pause exceeds the window.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >package.json <<'JSON'
{"private": true, "type": "module", "dependencies": {"better-auth": "1.7.5", "@better-auth/api-key": "1.7.5",
 "@better-auth/core": "1.7.5", "@better-auth/utils": "0.4.2", "better-call": "1.4.0"}}
JSON
npm install --silent --no-audit --no-fund --ignore-scripts

cat >probe.mjs <<'JS'
import assert from "node:assert";
import { mock } from "node:test";
import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { apiKey } from "@better-auth/api-key";

const HOUR = 3_600_000;
mock.timers.enable({ apis: ["Date"], now: Date.now() });
const auth = betterAuth({
  baseURL: "http://127.0.0.1:1", // never listened on
  secret: "a".repeat(20) + "bcdefghijklmnopqrst",
  database: memoryAdapter({ user: [], session: [], account: [], verification: [], apikey: [] }),
  emailAndPassword: { enabled: true },
  telemetry: { enabled: false },
  logger: { disabled: true },
  plugins: [apiKey()],
});
const { user } = await auth.api.signUpEmail({ body: { email: "a@example.org", password: "a long password", name: "a" } });

async function usesUntilRefused(pause) {
  const { key, rateLimitMax, rateLimitTimeWindow } = await auth.api.createApiKey({ body: { userId: user.id } });
  assert.deepStrictEqual([rateLimitMax, rateLimitTimeWindow], [10, 24 * HOUR], "the defaults changed");
  for (let use = 1; use <= 30; use++) {
    const { valid, error } = await auth.api.verifyApiKey({ body: { key } });
    if (!valid) return `use ${use}, day ${Math.ceil(((use - 1) * pause) / 24 / HOUR)}: ${error.code}`;
    mock.timers.tick(pause);
  }
  return "no refusal in 30 uses";
}

const daily = await usesUntilRefused(23 * HOUR);
const rarer = await usesUntilRefused(25 * HOUR);
console.log(`limit 10 per 24 h, a use every 23 h  seen:     ${daily}`);
console.log(`                                     expected: no refusal in 30 uses`);
console.log(`limit 10 per 24 h, a use every 25 h  seen:     ${rarer}`);
console.log(`                                     expected: no refusal in 30 uses`);
assert.strictEqual(daily, "use 11, day 10: RATE_LIMITED");
assert.strictEqual(rarer, "no refusal in 30 uses");
process.exit(0);
JS
node --no-warnings probe.mjs
