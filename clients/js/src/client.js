// The calls.

import { NoAnswer, UNEXPECTED, errorOf } from "./errors.js";
import { isObject, read, written } from "./names.js";
import { KEY, Retries, withKey } from "./retries.js";
import { Transport, retryAfter, seconds, visible } from "./transport.js";

/** One service, as one client of it. A process needs one. What each option means: index.d.ts. */
export class OtpClient {
  #transport;
  #retries;

  constructor({ baseUrl, apiKey, timeout = 10, deadline = 20, fetch, clock = monotonic, sleep = pause } = {}) {
    this.#transport = new Transport({ baseUrl, apiKey, fetch });
    const times = { timeout: seconds("timeout", timeout), deadline: seconds("deadline", deadline) };
    this.#retries = new Retries({ ...times, clock, sleep });
  }

  async send(phoneNumber, options = {}) {
    return this.#post("/send-otp", "verification_id", { phoneNumber, ...options });
  }

  async resend(phoneNumber, options = {}) {
    return this.#post("/resend-otp", "verification_id", { phoneNumber, ...options });
  }

  async verify(phoneNumber, otp, options = {}) {
    return this.#post("/verify-otp", "verification_id", { phoneNumber, otp, ...options });
  }

  async deliver(phoneNumber, options) {
    return this.#post("/messages", "message_id", { phoneNumber, ...options });
  }

  async get(verificationId) {
    return this.#ask({ method: "GET", path: `/verifications/${encodeURIComponent(verificationId)}` }, "verification_id");
  }

  async cancel(verificationId) {
    const path = `/verifications/${encodeURIComponent(verificationId)}`;
    return this.#ask({ method: "DELETE", path }, "verification_id");
  }

  async getMessage(messageId) {
    return this.#ask({ method: "GET", path: `/messages/${encodeURIComponent(messageId)}` }, "message_id");
  }

  /** What the service does not know, it refuses by name: nothing is left out here. */
  #post(path, id, { respondAsync = false, idempotencyKey, ...fields }) {
    if (idempotencyKey !== undefined) visible("idempotencyKey", idempotencyKey);
    const headers = respondAsync ? { Prefer: "respond-async" } : {};
    const request = withKey({ method: "POST", path, body: written(fields), headers }, idempotencyKey);
    return this.#ask(request, id, idempotencyKey === undefined);
  }

  async #ask(request, id, ownKey = true) {
    const came = await this.#retries.ask(this.#transport, request, { ownKey });
    const key = request.headers?.[KEY];
    if (came.lost) throw new NoAnswer(came.lost, key);
    const { success, data } = came.document ?? {};
    if (!isSuccess(came.status) || success !== true) throw errorOf(refusal(came, key));
    if (typeof data?.[id] !== "string") throw errorOf(unexpected(came, `${id} is missing`));
    return read(data);
  }
}

const isSuccess = (status) => status >= 200 && status < 300;
const monotonic = () => performance.now() / 1000;
const pause = (duration) => new Promise((resolve) => setTimeout(resolve, duration * 1000));

function refusal(came, idempotencyKey) {
  const { error, data, message } = came.document ?? {};
  if (typeof error?.code !== "string") return unexpected(came, "this is no answer of the OTP service");
  return {
    code: error.code,
    message: String(message ?? ""),
    status: came.status,
    requestId: came.headers.get("X-Request-ID") ?? undefined,
    retryAfter: retryAfter(came.headers),
    idempotencyKey,
    details: error,
    data: isObject(data) ? data : {},
  };
}

function unexpected({ status, headers }, why) {
  const requestId = headers.get("X-Request-ID") ?? undefined;
  return { code: UNEXPECTED, message: `HTTP ${status}, ${why}`, status, requestId };
}
