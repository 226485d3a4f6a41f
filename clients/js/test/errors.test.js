// Each error.code is a class.

import assert from "node:assert/strict";
import { test } from "node:test";

import * as otp from "otp-client";
import { fake, refusal } from "./support.js";

const CODES = {
  otp_already_sent: [200, otp.OtpAlreadySent, otp.PersonError],
  invalid_otp: [200, otp.InvalidOtp, otp.PersonError],
  otp_not_found: [200, otp.OtpNotFound, otp.PersonError],
  invalid_request: [400, otp.InvalidRequest, otp.CallerError],
  invalid_phone_number: [400, otp.InvalidPhoneNumber, otp.CallerError],
  destination_not_allowed: [403, otp.DestinationNotAllowed, otp.CallerError],
  unauthorized: [401, otp.Unauthorized, otp.CallerError],
  forbidden: [403, otp.Forbidden, otp.CallerError],
  not_found: [404, otp.NotFound, otp.CallerError],
  idempotency_key_reused: [422, otp.IdempotencyKeyReused, otp.CallerError],
  idempotency_in_progress: [409, otp.IdempotencyInProgress, otp.CallerError],
  send_limit_exceeded: [429, otp.SendLimitExceeded, otp.LimitReached],
  too_many_attempts: [429, otp.TooManyAttempts, otp.LimitReached],
  phone_locked: [429, otp.PhoneLocked, otp.LimitReached],
  rate_limit_exceeded: [429, otp.RateLimitExceeded, otp.LimitReached],
  delivery_failed: [502, otp.DeliveryFailed, otp.DeliveryError],
  delivery_unconfirmed: [504, otp.DeliveryUnconfirmed, otp.DeliveryError],
  delivery_unavailable: [503, otp.DeliveryUnavailable, otp.DeliveryError],
  storage_unavailable: [503, otp.StorageUnavailable, otp.ServiceError],
};
const NEWER = { 200: otp.PersonError, 418: otp.CallerError, 429: otp.LimitReached, 500: otp.ServiceError };

async function failure(t, status, code, more = {}) {
  const headers = { "X-Request-ID": "r-1", "Retry-After": "60" };
  const server = await fake(t, refusal(status, code, { headers, ...more }));
  return new otp.OtpClient({ baseUrl: server.url }).send("+919876543210").then(assert.fail, (error) => error);
}

for (const [code, [status, kind, group]] of Object.entries(CODES)) {
  test(`${code} is ${kind.name}`, async (t) => {
    const error = await failure(t, status, code);
    assert.equal(error.constructor, kind);
    assert.ok(error instanceof group && error instanceof otp.ApiError && error instanceof otp.OtpClientError);
    assert.deepEqual([error.code, error.name, error.status], [code, kind.name, status]);
    assert.match(error.message, new RegExp(`^${code}: No \\(request r-1\\)`));
    assert.deepEqual([error.requestId, error.retryAfter], ["r-1", 60]);
  });
}

for (const [status, kind] of Object.entries(NEWER)) {
  test(`a code that is newer than the client goes by its status: ${status}`, async (t) => {
    const error = await failure(t, Number(status), "of_a_newer_service", { error: { more: 1 } });
    assert.equal(error.constructor, kind);
    assert.deepEqual([error.code, error.details.more], ["of_a_newer_service", 1]);
  });
}

test("what the provider said comes with a delivery that failed", async (t) => {
  const error = { failure: "balance_empty", reason: "1003: Wallet Balance Low" };
  const data = { phone_number: "+919876543210", verification_id: "s1" };
  const failed = await failure(t, 502, "delivery_failed", { error, data });
  assert.deepEqual([failed.failure, failed.reason], [error.failure, error.reason]);
  assert.deepEqual([failed.verificationId, failed.messageId], ["s1", undefined]);
});

test("a success without what it has to have is none", async (t) => {
  const server = await fake(t, { status: 200, body: { success: true, message: "", data: { a: 1 } } });
  const call = new otp.OtpClient({ baseUrl: server.url }).send("+919876543210");
  await assert.rejects(call, { name: "UnexpectedAnswer", message: /verification_id is missing/ });
});
