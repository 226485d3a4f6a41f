#!/usr/bin/env bash
# The README's curl tour against a running server in its sandbox; fails on any surprise.
set -euo pipefail

usage() {
  cat <<'HELP'
Usage: scripts/smoke.sh [URL]

Sends, resends and verifies a code at URL (http://localhost:8000 by default), and looks at the
pages. Needs curl, and a server in its sandbox, where the answers hold the code.

Example: scripts/smoke.sh http://localhost:9000
HELP
}
case "${1:-}" in -h | --help) usage; exit 0 ;; esac

url=${1:-http://localhost:8000}
documented=+1234567890 # the sandbox's test number: its code is 123456
# A number that had no wrong guesses yet: only so many are judged for one phone in an hour.
phone=+919876$(printf '%06d' $(((RANDOM * 32768 + RANDOM) % 1000000)))
failed=0

# call METHOD PATH [BODY]: prints the answer's body, a newline and its status.
call() {
  curl -sS --max-time 15 -w '\n%{http_code}' -X "$1" "$url$2" \
    -H 'Content-Type: application/json' ${3:+-d "$3"}
}

# expect WHAT STATUS TEXT ANSWER: says whether the answer has that status and that text.
expect() {
  local status=${4##*$'\n'}
  if [[ $status == "$2" && $4 == *"$3"* ]]; then
    echo "ok    $1"
  else
    echo "FAIL  $1: wanted $2 with $3, got: $4"
    failed=1
  fi
}

# field NAME ANSWER: the value of one text field.
field() {
  sed -n 's/.*"'"$1"'": *"\([^"]*\)".*/\1/p' <<<"$2" | head -n 1
}

if ! health=$(call GET /health); then
  echo "No server answers at $url. Start one with: make run" >&2
  exit 1
fi
expect 'GET /health' 200 '"status":"healthy"' "$health"
expect 'GET /ready' 200 '"database":"ok"' "$(call GET /ready)"

# The documented calls. A code that is still live from before is canceled first, so that they can
# be repeated.
tour="{\"phone_number\": \"$documented\"}"
sent=$(call POST /send-otp "$tour")
if [[ $sent == *otp_already_sent* ]]; then
  call DELETE "/verifications/$(field verification_id "$sent")" >/dev/null
  sent=$(call POST /send-otp "$tour")
fi
expect 'the documented POST /send-otp' 200 '"message":"OTP sent successfully"' "$sent"
code=$(field otp "$sent") digits=1234567890
expect 'the documented POST /resend-otp' 200 '"message":"OTP resent successfully"' \
  "$(call POST /resend-otp "$tour")"
expect 'the documented POST /verify-otp' 200 '"message":"OTP verified successfully"' \
  "$(call POST /verify-otp \
    "{\"phone_number\": \"$documented\", \"otp\": \"${digits:0:${#code}}\"}")"

sent=$(call POST /send-otp "{\"phone_number\": \"$phone\"}")
expect 'POST /send-otp' 200 '"message":"OTP sent successfully"' "$sent"
id=$(field verification_id "$sent")
expect 'POST /send-otp again' 200 'otp_already_sent' \
  "$(call POST /send-otp "{\"phone_number\": \"$phone\"}")"

resent=$(call POST /resend-otp "{\"phone_number\": \"$phone\"}")
expect 'POST /resend-otp' 200 '"message":"OTP resent successfully"' "$resent"
code=$(field otp "$resent")
expect 'GET /sandbox/messages' 200 "\"code\":\"$code\"" "$(call GET /sandbox/messages)"

wrong=$(printf '%0*d' ${#code} $(((10#$code + 1) % 10 ** ${#code})))
expect 'POST /verify-otp, wrong code' 200 '"message":"Invalid OTP"' \
  "$(call POST /verify-otp "{\"phone_number\": \"$phone\", \"otp\": \"$wrong\"}")"
right="{\"phone_number\": \"$phone\", \"otp\": \"$code\"}"
expect 'POST /verify-otp' 200 '"message":"OTP verified successfully"' \
  "$(call POST /verify-otp "$right")"
expect 'POST /verify-otp again' 200 '"message":"OTP not found or expired"' \
  "$(call POST /verify-otp "$right")"
expect 'GET /verifications/{id}' 200 '"status":"verified"' "$(call GET "/verifications/$id")"
expect 'DELETE /verifications/{id}' 200 '"status":"verified"' "$(call DELETE "/verifications/$id")"

expect 'a wrong number' 400 '"message":"Invalid phone number format"' \
  "$(call POST /send-otp '{"phone_number": "12"}')"
expect 'a number that gets no messages' 403 '"reason":"number_type"' \
  "$(call POST /send-otp '{"phone_number": "+442071838750"}')"
expect 'a missing field' 400 '"fields":{"phone_number"' "$(call POST /send-otp '{}')"
expect 'an unknown path' 404 '"code":"not_found"' "$(call GET /nope)"
expect 'a wrong method' 405 '"code":"method_not_allowed"' "$(call GET /send-otp)"

expect 'GET /debug/whatsapp' 200 '"missing":' "$(call GET /debug/whatsapp)"
expect 'GET /debug/test-request' 200 '"destination":"1234567890"' "$(call GET /debug/test-request)"
expect 'GET /metrics' 200 'otp_http_requests_total{' "$(call GET /metrics)"
expect 'GET /.well-known/jwks.json' 200 '"keys":' "$(call GET /.well-known/jwks.json)"
expect 'GET /openapi.json' 200 '"openapi":"3.1.0"' "$(call GET /openapi.json)"
expect 'GET /docs' 200 '<html' "$(call GET /docs)"
expect 'GET /redoc' 200 '<html' "$(call GET /redoc)"
expect 'GET /sandbox' 200 '<html' "$(call GET /sandbox)"

if [[ $failed == 0 ]]; then echo "All as expected at $url."; fi
exit $failed
