// Events, signed by the rules of Standard Webhooks 1.0.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { inspect } from "node:util";

import { EventVerifier, InvalidEvent } from "otp-client";

const NOW = 1_795_955_405;
const [SECRET, OTHER] = ["a", "b"].map((letter) => `whsec_${Buffer.from(letter.repeat(32)).toString("base64")}`);
const DATA = { verification_id: "s1", phone_number: "+919876543210", status: "delivered", failure: null };
const BODY = JSON.stringify({ type: "message.delivered", timestamp: "2026-11-29T12:30:05.123Z", data: DATA });

function signature(secret, { id = "evt_1", at = NOW, body = BODY } = {}) {
  const key = Buffer.from(secret.slice("whsec_".length), "base64");
  return `v1,${createHmac("sha256", key).update(`${id}.${at}.${body}`).digest("base64")}`;
}

const headers = (signatures, at = NOW) => ({
  "webhook-id": "evt_1",
  "Webhook-Timestamp": String(at),
  "WEBHOOK-SIGNATURE": signatures,
});

const verified = (signatures, { secrets = SECRET, body = BODY, at = NOW, now = NOW } = {}) =>
  new EventVerifier(secrets).verify(body, headers(signatures, at), { now });

test("an event is read", async () => {
  const event = await verified(signature(SECRET));
  assert.deepEqual([event.id, event.type], ["evt_1", "message.delivered"]);
  assert.equal(event.timestamp.toISOString(), "2026-11-29T12:30:05.123Z");
  assert.deepEqual({ ...event.data }, { verificationId: "s1", phoneNumber: DATA.phone_number, status: "delivered" });
  assert.ok(!inspect(event, { depth: 9 }).includes(DATA.phone_number));
});

test("bytes and fetch's headers do as well", async () => {
  const given = new Headers(headers(signature(SECRET)));
  for (const body of [Buffer.from(BODY), new TextEncoder().encode(BODY), new TextEncoder().encode(BODY).buffer]) {
    assert.ok(await new EventVerifier(SECRET).verify(body, given, { now: NOW }));
  }
});

test("any right signature for any secret is enough, while a secret is replaced", async () => {
  assert.ok(await verified(`${signature(OTHER)} ${signature(SECRET)}`));
  assert.ok(await verified(`v1a,abc= ${signature(SECRET)}`));
  assert.ok(await verified(signature(OTHER), { secrets: [SECRET, OTHER] }));
});

for (const [why, call] of Object.entries({
  "of another secret": () => verified(signature(OTHER)),
  "of another body": () => verified(signature(SECRET), { body: BODY.replace("s1", "s2") }),
  "of another time": () => verified(signature(SECRET), { at: NOW + 1 }),
  "of another id": () => verified(signature(SECRET, { id: "evt_2" })),
  "cut short": () => verified(signature(SECRET).slice(0, -8)),
  "of no base64": () => verified("v1,%%%%"),
  "of another version": () => verified(signature(SECRET).replace("v1,", "v2,")),
  "old": () => verified(signature(SECRET), { now: NOW + 301 }),
  "of the future": () => verified(signature(SECRET), { now: NOW - 301 }),
  "of no time": () => new EventVerifier(SECRET).verify(BODY, headers(signature(SECRET), "soon"), { now: NOW }),
  "without headers": () => new EventVerifier(SECRET).verify(BODY, {}, { now: NOW }),
  "no event": () => verified(signature(SECRET, { body: "[]" }), { body: "[]" }),
  "no JSON": () => verified(signature(SECRET, { body: "{" }), { body: "{" }),
})) {
  test(`what is ${why} is refused`, () => assert.rejects(call(), InvalidEvent));
}

test("five minutes are taken", async () => {
  for (const now of [NOW - 300, NOW + 300]) assert.ok(await verified(signature(SECRET), { now }));
});

test("what can't be right is said at once, and without the secret", async () => {
  for (const secret of [undefined, "", "whsec_", "whsec_not base64", []]) {
    assert.throws(() => new EventVerifier(secret), (error) => error instanceof TypeError && !/not base64/.test(error.message));
  }
  await assert.rejects(new EventVerifier(SECRET).verify(JSON.parse(BODY), headers("v1,a")), /raw body/);
});

test("a signature made by another implementation is right", async (t) => {
  const vector = JSON.parse(process.env.OTP_EVENT_VECTOR ?? "null");
  if (!vector) return t.diagnostic("by tests/clients/test_js_client.py only, which signs one with standardwebhooks");
  const now = Number(vector.headers["webhook-timestamp"]);
  const event = await new EventVerifier(vector.secret).verify(vector.body, vector.headers, { now });
  assert.equal(event.type, "verification.verified");
});
