// The service that is tested against, and one made by hand for what the real one does seldom.

import { createServer } from "node:http";
import { once } from "node:events";

import { OtpClient } from "otp-client";

export const BASE_URL = process.env.OTP_BASE_URL ?? "http://localhost:8000";
export const API_KEY = process.env.OTP_API_KEY;

export const client = () => new OtpClient({ baseUrl: BASE_URL, apiKey: API_KEY });

let number = 100_000 + Math.floor(Math.random() * 890_000); // the files of tests are processes of their own
/** Another one in each test. */
export const newPhone = () => `+919876${number++}`;

/** Another code of as many digits. */
export const wrong = (code) => code.replace(/[0-9]$/, (digit) => (Number(digit) + 1) % 10);

export const SENT = {
  verification_id: "s0123456789abcdef0123456789abcdef",
  phone_number: "+919876543210",
  purpose: "login",
  status: "pending",
  channel: "whatsapp",
  expires_at: "2026-11-22T17:30:49.125Z",
  expires_in: 180,
  attempts_remaining: 5,
  sends_remaining: 4,
  resend_after: 0,
};

export const ok = (data = SENT) => ({ status: 200, body: { success: true, message: "OTP sent", data } });

export const refusal = (status, code, { error = {}, data = {}, headers = {} } = {}) => ({
  status,
  headers,
  body: { success: false, message: "No", data, error: { code, ...error } },
});

/** The connection is lost before there is an answer. */
export const HANG_UP = Symbol("hang up");

/** Answers these in turn, the last one for ever; `requests` are those that came. */
export async function fake(t, ...answers) {
  const requests = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const piece of request) body += piece;
    requests.push({ method: request.method, path: request.url, headers: request.headers, body });
    const answer = answers[Math.min(requests.length, answers.length) - 1];
    if (answer === HANG_UP) return request.socket.destroy();
    const text = typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body);
    response.writeHead(answer.status, answer.headers).end(text);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => (server.closeAllConnections(), server.close()));
  const url = `http://127.0.0.1:${server.address().port}`;
  return { url, requests, keys: () => requests.map((each) => each.headers["idempotency-key"]) };
}

/** Time that goes by only while somebody sleeps. */
export function stoppedClock() {
  const slept = [];
  let now = 1000;
  return {
    slept,
    clock: () => now,
    sleep: async (seconds) => {
      slept.push(seconds);
      now += seconds;
    },
    pass: (seconds) => (now += seconds),
  };
}
