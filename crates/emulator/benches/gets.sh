#!/bin/sh
# How many look-ups of one key the emulator answers in a second: 64 connections that are kept open, each vendor in turn.
# Needs wrk and Linux. Options go to the emulator; SECONDS_EACH is how long each vendor is asked (default 5).
#
#   crates/emulator/benches/gets.sh --keys 1000000
set -eu
cd "$(dirname "$0")/../../.."
cargo build --release --quiet -p keymux-emulator
folder=$(mktemp -d)
"${CARGO_TARGET_DIR:-target}/release/keymux-emulator" "$@" >"$folder/exports" 2>"$folder/notes" &
emulator=$!
trap 'kill $emulator 2>/dev/null; rm -r "$folder"' EXIT
until [ "$(wc -l <"$folder/notes")" -ge 6 ]; do kill -0 $emulator; sleep 0.1; done
. "$folder/exports"

sample() { sed -n "s/^  $1://p" "$folder/notes"; }
# Processor time of the emulator, in hundredths of a second.
spent() { awk '{ print $14 + $15 }' /proc/$emulator/stat; }
gets() {
  before=$(spent)
  wrk -t1 -c64 -d"${SECONDS_EACH:-5}s" -H "$2" "$3" >"$folder/wrk"
  after=$(spent)
  if grep Non-2xx "$folder/wrk"; then exit 1; fi
  awk -v name="$1" -v spent=$((after - before)) '
    /requests in/ { requests = $1 }
    /^Requests\/sec/ { printf "%-10s %7.0f/s, %4.1f us of processor time each\n", name, $2, spent * 10000 / requests }
  ' "$folder/wrk"
}

key=$(sample baseten)
gets baseten "Authorization: Api-Key $BASETEN_API_KEY" "$BASETEN_BASE_URL/v1/gateway/groups/${key%/*}/api_keys/${key#*/}"
gets braintrust "Authorization: Bearer $BRAINTRUST_API_KEY" "$BRAINTRUST_BASE_URL/v1/api_key/$(sample braintrust)"
gets mielto "Authorization: Bearer $MIELTO_API_KEY" "$MIELTO_BASE_URL/api/v1/api-keys/$(sample mielto)"
gets datkey "x-api-key: $DATKEY_API_KEY" "$DATKEY_BASE_URL/keys/$(sample datkey)"
key=$(sample oneloop)
gets oneloop "Authorization: Bearer $ONELOOP_API_KEY" "$ONELOOP_BASE_URL/api/v1/workspace/${key%/*}/api-key/${key#*/}"
awk '/VmHWM/ { print "memory at most", $2, $3 }' /proc/$emulator/status
