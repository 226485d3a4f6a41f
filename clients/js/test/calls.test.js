// The calls, against the real service: OTP_BASE_URL, in its sandbox.

import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";

import * as otp from "otp-client";
import { API_KEY, BASE_URL, client, newPhone, wrong } from "./support.js";

const caught = (promise) => promise.then(assert.fail, (error) => error);

test("a code is sent and verified", async () => {
  const phone = newPhone();
  const sent = await client().send(phone, { clientIp: "203.0.113.7", locale: "en-IN", channel: "whatsapp" });
  assert.deepEqual([sent.phoneNumber, sent.purpose, sent.status, sent.channel], [phone, "login", "pending", "whatsapp"]);
  assert.ok(sent.expiresAt instanceof Date && sent.expiresIn > 0 && sent.resendAfter === 0);
  const { verificationId } = sent;
  const verified = await client().verify(phone, sent.otp, { verificationId });
  assert.deepEqual([verified.phoneNumber, verified.verificationId], [phone, verificationId]);
  assert.ok(verified.verifiedAt instanceof Date);
});

test("who asks twice gets an error with all that the first answer had", async () => {
  const phone = newPhone();
  const { otp: code, ...sent } = await client().send(phone);
  const error = await caught(client().send(phone));
  assert.ok(error instanceof otp.OtpAlreadySent && error instanceof otp.PersonError);
  assert.equal(error.sent.verificationId, sent.verificationId);
  assert.equal(error.sent.delivery.status, "submitted");
  assert.ok(error.sent.expiresAt instanceof Date);
  assert.ok(code);
});

test("a resend is another code of the same verification", async () => {
  const phone = newPhone();
  const first = await client().send(phone, { purpose: "pay" });
  const again = await client().resend(phone, { purpose: "pay" });
  assert.equal(again.verificationId, first.verificationId);
  const seen = await client().get(first.verificationId);
  assert.deepEqual([seen.deliveries.length, seen.deliveries[0].queuedAt instanceof Date], [2, true]);
  assert.equal((await client().verify(phone, again.otp, { purpose: "pay" })).purpose, "pay");
});

test("wrong codes are counted, and end", async () => {
  const phone = newPhone();
  const sent = await client().send(phone);
  const guess = () => caught(client().verify(phone, wrong(sent.otp), { verificationId: sent.verificationId }));
  for (const left of [4, 3, 2, 1, 0]) {
    const error = await guess();
    assert.deepEqual([error.name, error.attemptsRemaining], ["InvalidOtp", left]);
  }
  const error = await guess();
  assert.ok(error instanceof otp.TooManyAttempts && error.retryAfter > 0);
  assert.deepEqual([error.limit, error.resetsAt instanceof Date], ["verification_attempts", true]);
});

test("a canceled code, and one that never was, are not found", async () => {
  const phone = newPhone();
  const sent = await client().send(phone);
  assert.equal((await client().cancel(sent.verificationId)).status, "canceled");
  assert.equal((await caught(client().verify(phone, sent.otp))).code, "otp_not_found");
  assert.ok((await caught(client().verify(newPhone(), "123456"))) instanceof otp.OtpNotFound);
});

test("a code of somebody else's is delivered, and told of", async () => {
  const phone = newPhone();
  const message = await client().deliver(phone, { otp: "4829", expiresIn: 300 });
  const seen = await client().getMessage(message.messageId);
  assert.deepEqual([seen.phoneNumber, seen.status, seen.deliveries.length], [phone, "submitted", 1]);
  assert.ok((await client().deliver(newPhone(), { text: "Your code: 739201." })).messageId);
  const waiting = await client().deliver(newPhone(), { otp: "4829", respondAsync: true });
  assert.ok(["queued", "submitted"].includes(waiting.status));
});

test("a call with a key of its caller's is done once", async () => {
  const phone = newPhone();
  const options = { idempotencyKey: `job-${phone}` };
  const sent = await client().send(phone, options);
  assert.equal((await client().send(phone, options)).verificationId, sent.verificationId);
  assert.equal((await client().get(sent.verificationId)).deliveries.length, 1);
  const error = await caught(client().send(newPhone(), options));
  assert.deepEqual([error.name, error.idempotencyKey], ["IdempotencyKeyReused", options.idempotencyKey]);
});

test("what the caller must fix says what and how", async () => {
  const error = await caught(client().send("call me"));
  assert.ok(error instanceof otp.InvalidPhoneNumber && error instanceof otp.CallerError);
  assert.deepEqual([error.status, error.reason], [400, "not_a_number"]);
  assert.ok(error.rule && error.example && error.documentation.startsWith("/docs/"));
  const short = await caught(client().verify(newPhone(), "12"));
  assert.deepEqual(Object.keys(short.fields), ["otp"]);
  const misspelt = await caught(client().send(newPhone(), { clientIP: "203.0.113.7" }));
  assert.ok(misspelt instanceof otp.InvalidRequest, "no option is left out in silence");
  assert.ok((await caught(client().get("s".padEnd(33, "0")))) instanceof otp.NotFound);
});

test("a wrong key is refused, and is in no error", async () => {
  const stranger = new otp.OtpClient({ baseUrl: BASE_URL, apiKey: "otp_a-wrong-key" });
  const error = await caught(stranger.send(newPhone()));
  assert.ok(error instanceof otp.Unauthorized);
  assert.ok(!inspect([error, stranger], { depth: 9, showHidden: true }).includes("a-wrong-key"));
});

test("what is logged shows no phone, code, proof or key", async () => {
  const phone = newPhone();
  const sent = await client().send(phone);
  const live = await caught(client().send(phone));
  const wrongCode = await caught(client().verify(phone, wrong(sent.otp)));
  const verified = await client().verify(phone, sent.otp);
  const shown = inspect([sent, live, wrongCode, verified, client()], { depth: 9 });
  const told = JSON.stringify([live, wrongCode]);
  assert.ok(verified.proof);
  for (const secret of [phone, sent.otp, wrong(sent.otp), verified.proof, API_KEY]) {
    assert.ok(!shown.includes(secret) && !told.includes(secret));
  }
  assert.ok(shown.includes(sent.verificationId));
});
