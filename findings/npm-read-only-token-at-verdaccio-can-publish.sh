#!/usr/bin/env bash
# npm 11.21.2 (the npm client, from npm) with verdaccio 6.8.0 (npm), on Node 20.17 or newer
#
# Behaviour: `npm token create --read-only --expires=7` ends with success and a token that may publish and never
# expires. The client still documents `--read-only` for `token create`, and no longer sends it; it sends `expires`,
# which the server drops in silence, since its routes are those of the older client. Nobody warns: the answer says
# `"readonly": false` and has no end. `--cidr`, between the same two, is honoured. npm 10.9 sends `readonly`.
#
# Why it matters: a script that has made least-privilege tokens for years makes full ones since the client was
# updated. What the request asked for says nothing about the token: only the answer does, and it has to be compared.
set -euo pipefail
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT
cd "$work"
cat >package.json <<'JSON'
{"private": true, "dependencies": {"npm": "11.21.2", "verdaccio": "6.8.0"}, "overrides": {"node-fetch": "2.7.0"}}
JSON
npm install --silent --no-audit --no-fund --ignore-scripts

port=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })')
base=http://127.0.0.1:$port
cat >config.yaml <<'YAML'
storage: ./storage
auth: {htpasswd: {file: ./htpasswd}}
uplinks: {}
packages: {'**': {access: $all, publish: $authenticated}}
web: {enable: false}
log: {type: stdout, level: error}
YAML
node node_modules/verdaccio/bin/verdaccio -c config.yaml -l "127.0.0.1:$port" >server.log 2>&1 &
server=$!
for _ in $(seq 100); do curl -sf "$base/-/ping" >ping && break; sleep 0.2; done

login=$(curl -sf -X PUT -H 'content-type: application/json' -d '{"name": "ann", "password": "a-long-password"}' \
  "$base/-/user/org.couchdb.user:ann" | node -p 'JSON.parse(require("fs").readFileSync(0)).token')
client() {
  printf 'registry=%s/\n//127.0.0.1:%s/:_authToken=%s\n' "$base" "$port" "$1" >npmrc
  shift
  node node_modules/npm/bin/npm-cli.js --userconfig "$work/npmrc" --cache "$work/cache" "$@"
}

client "$login" token create --help >help
documented=$(grep -c -e '--read-only' help || true)
client "$login" token create --name=ci --read-only --expires=7 --password=a-long-password --json >created.json
answer() { node -p "const t = JSON.parse(require('fs').readFileSync('created.json')); $1"; }
readonly_answer=$(answer 't.readonly')
end_answer=$(answer "t.expires ?? t.expiry ?? 'none'")

mkdir package
echo '{"name": "published-by-a-read-only-token", "version": "1.0.0"}' >package/package.json
token=$(answer 't.token')
if client "$token" publish ./package >publish.log 2>&1; then published=accepted; else published=refused; fi

echo "--read-only in the client's help  seen: $([ "$documented" -gt 0 ] && echo yes || echo no)"
echo "readonly of the new token         seen: $readonly_answer     expected: true"
echo "end of the new token              seen: $end_answer      expected: in 7 days, or an error"
echo "publishing with it                seen: $published  expected: refused"
[ "$documented" -gt 0 ] && [ "$readonly_answer $end_answer $published" = "false none accepted" ]
