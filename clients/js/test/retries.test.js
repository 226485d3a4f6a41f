// What is tried again, and what is not: against a service made by hand, in time that stands still.

import assert from "node:assert/strict";
import { test } from "node:test";

import { ApiError, NoAnswer, OtpClient } from "otp-client";
import { API_KEY, BASE_URL, HANG_UP, client, fake, newPhone, ok, refusal, stoppedClock } from "./support.js";

const PHONE = "+919876543210";
const UNAVAILABLE = refusal(503, "storage_unavailable", { headers: { "Retry-After": "2" } });
const REPLAYED = refusal(503, "delivery_unavailable", {
  headers: { "Retry-After": "7", "Idempotent-Replayed": "true" },
});

test("503 is tried again after as long as it asks, with the same key", async (t) => {
  const [server, time] = [await fake(t, UNAVAILABLE, UNAVAILABLE, ok()), stoppedClock()];
  const sent = await new OtpClient({ baseUrl: server.url, ...time }).send(PHONE);
  assert.equal(sent.expiresIn, 180);
  assert.equal(new Set(server.keys()).size, 1);
  assert.match(server.keys()[0], /^[0-9a-f-]{36}$/);
  assert.equal(time.slept.length, 2);
  for (const [seconds, most] of [[time.slept[0], 2.25], [time.slept[1], 2.5]]) assert.ok(seconds >= 2 && seconds <= most);
});

test("a lost connection is tried again, and each call has a key of its own", async (t) => {
  const [server, time] = [await fake(t, HANG_UP, ok()), stoppedClock()];
  const service = new OtpClient({ baseUrl: server.url, ...time });
  await service.verify(PHONE, "123456");
  await service.verify(PHONE, "123456");
  const [first, second, third] = server.keys();
  assert.equal(first, second);
  assert.notEqual(second, third);
});

test("a lost answer of the real service is one message", async (t) => {
  const phone = newPhone();
  let lost = 0;
  const losing = async (...request) => {
    const response = await fetch(...request);
    if (lost++) return response;
    await response.text(); // it was done
    throw new TypeError("fetch failed");
  };
  const service = new OtpClient({ baseUrl: BASE_URL, apiKey: API_KEY, fetch: losing });
  const sent = await service.send(phone);
  assert.equal(lost, 2);
  assert.equal((await client().get(sent.verificationId)).deliveries.length, 1);
});

for (const answer of [
  refusal(504, "delivery_unconfirmed"),
  refusal(502, "delivery_failed"),
  refusal(500, "internal_error"),
  refusal(429, "rate_limit_exceeded", { headers: { "Retry-After": "1" } }),
  refusal(409, "idempotency_in_progress", { headers: { "Retry-After": "1" } }),
  refusal(400, "invalid_request"),
  refusal(200, "invalid_otp"),
]) {
  test(`${answer.status} ${answer.body.error.code} is not tried again`, async (t) => {
    const [server, time] = [await fake(t, answer), stoppedClock()];
    const call = new OtpClient({ baseUrl: server.url, ...time }).send(PHONE);
    await assert.rejects(call, { code: answer.body.error.code });
    assert.deepEqual([server.requests.length, time.slept], [1, []]);
  });
}

test("whoever repeats a lost try waits for it while it still runs", async (t) => {
  const running = refusal(409, "idempotency_in_progress", { headers: { "Retry-After": "1" } });
  const [server, time] = [await fake(t, HANG_UP, running, ok()), stoppedClock()];
  await new OtpClient({ baseUrl: server.url, ...time }).send(PHONE);
  assert.ok(time.slept[1] >= 1);
  assert.equal(new Set(server.keys()).size, 1);
});

test("a recorded failure needs a new key, unless the key is the caller's", async (t) => {
  const [server, time] = [await fake(t, HANG_UP, REPLAYED, ok()), stoppedClock()];
  const service = new OtpClient({ baseUrl: server.url, ...time });
  await service.send(PHONE);
  const [first, second, third] = server.keys();
  assert.equal(first, second);
  assert.notEqual(second, third);
  assert.ok(time.slept[1] < 1, "its Retry-After is over");
  const kept = await fake(t, REPLAYED);
  const held = new OtpClient({ baseUrl: kept.url, ...stoppedClock() }).send(PHONE, { idempotencyKey: "mine" });
  await assert.rejects(held, { code: "delivery_unavailable", idempotencyKey: "mine" });
  assert.deepEqual(kept.keys(), ["mine"]);
});

test("the deadline ends it, with the last answer that was clear", async (t) => {
  const [server, time] = [await fake(t, UNAVAILABLE), stoppedClock()];
  const call = new OtpClient({ baseUrl: server.url, deadline: 9, ...time }).send(PHONE);
  await assert.rejects(call, { code: "storage_unavailable", retryAfter: 2 });
  assert.ok(time.clock() - 1000 <= 8, "a try needs a second");
  assert.ok(server.requests.length >= 3);
});

test("a Retry-After beyond the deadline is not waited for", async (t) => {
  const later = refusal(503, "delivery_unavailable", { headers: { "Retry-After": "60" } });
  const [server, time] = [await fake(t, later), stoppedClock()];
  await assert.rejects(new OtpClient({ baseUrl: server.url, ...time }).send(PHONE), { retryAfter: 60 });
  assert.deepEqual(time.slept, []);
});

test("nobody there: no answer, with the key for another try", async (t) => {
  const [server, time] = [await fake(t, HANG_UP), stoppedClock()];
  const service = new OtpClient({ baseUrl: server.url, ...time });
  const error = await service.send(PHONE).then(assert.fail, (each) => each);
  assert.ok(error instanceof NoAnswer);
  assert.equal(error.idempotencyKey, server.keys()[0]);
  const looking = await service.get("s1").then(assert.fail, (each) => each);
  assert.deepEqual([looking.name, looking.idempotencyKey], ["NoAnswer", undefined]);
});

test("an answer that does not come in time is a lost one", async (t) => {
  const never = (_, { signal }) => new Promise((_, reject) => (signal.onabort = () => reject(signal.reason)));
  const time = stoppedClock();
  const service = new OtpClient({ baseUrl: "http://127.0.0.1:1", timeout: 0.01, deadline: 0.5, fetch: never, ...time });
  const alive = setInterval(() => {}, 1000); // the timer of a signal keeps no process
  t.after(() => clearInterval(alive));
  await assert.rejects(service.send(PHONE), { name: "NoAnswer", message: /TimeoutError/ });
  assert.ok(time.slept.length >= 1);
});

test("a certificate that is wrong stays so", async () => {
  let tries = 0;
  const refused = async () => {
    tries++;
    throw new TypeError("fetch failed", { cause: { code: "DEPTH_ZERO_SELF_SIGNED_CERT" } });
  };
  const service = new OtpClient({ baseUrl: "https://localhost", fetch: refused, ...stoppedClock() });
  await assert.rejects(service.send(PHONE), { name: "NoAnswer", message: /SELF_SIGNED_CERT/ });
  assert.equal(tries, 1);
});

test("redirects are not followed: key and code are for one address", async (t) => {
  const other = await fake(t, ok());
  const moved = await fake(t, { status: 307, headers: { Location: other.url }, body: "" });
  const call = new OtpClient({ baseUrl: moved.url, apiKey: "a-key" }).send(PHONE);
  await assert.rejects(call, { name: "UnexpectedAnswer", status: 307 });
  assert.equal(other.requests.length, 0);
});

test("a proxy's page is no answer of the service", async (t) => {
  for (const [status, name] of [[200, "UnexpectedAnswer"], [404, "CallerError"], [502, "ServiceError"]]) {
    const server = await fake(t, { status, body: "<h1>Hello</h1>" });
    const error = await new OtpClient({ baseUrl: server.url }).get("s1").then(assert.fail, (each) => each);
    assert.ok(error instanceof ApiError);
    assert.deepEqual([error.code, error.name], ["unexpected_answer", name]);
  }
});

test("what is asked for travels under the service's names", async (t) => {
  const server = await fake(t, ok());
  const service = new OtpClient({ baseUrl: `${server.url}/`, apiKey: " a-key\n" });
  await service.resend(PHONE, { clientIp: "203.0.113.7", locale: undefined, respondAsync: true });
  const [{ method, path, headers, body }] = server.requests;
  assert.deepEqual([method, path], ["POST", "/resend-otp"]);
  assert.deepEqual(JSON.parse(body), { phone_number: PHONE, client_ip: "203.0.113.7" });
  assert.equal(headers.authorization, "Bearer a-key");
  assert.equal(headers.prefer, "respond-async");
  assert.match(headers["user-agent"], /^otp-client-js\/\d/);
});

test("what can't be right is said at once, and without the key", () => {
  for (const baseUrl of [undefined, "localhost:8000", "ftp://x", "https://a:b@x", "https://x?key=1"]) {
    assert.throws(() => new OtpClient({ baseUrl }), TypeError);
  }
  const told = (error) => error instanceof TypeError && !error.message.includes("kéy");
  assert.throws(() => new OtpClient({ baseUrl: BASE_URL, apiKey: "a kéy" }), told);
  assert.throws(() => new OtpClient({ baseUrl: BASE_URL, timeout: 10_000 }), /not milliseconds/);
  assert.throws(() => new OtpClient({ baseUrl: BASE_URL, deadline: 0 }), RangeError);
});
