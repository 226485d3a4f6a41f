// A person's session, in a cookie that is signed: who has it can read it, and nobody can change it.

import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

const SECRET = process.env.SECRET_KEY || randomBytes(32); // set it: processes share it
const COOKIE = /(?:^|; )session=([\w-]+)\.([\w-]+)/;
const LASTS = 3600 * 1000; // milliseconds

const signature = (text) => createHmac("sha256", SECRET).update(text).digest();
const same = (one, other) => one.length === other.length && timingSafeEqual(one, other);

/** Makes `request.session`, an object; `keep` has to be called before the answer. */
export function sessions(request, response, next) {
  request.session = opened(request.headers.cookie ?? "");
  request.body ??= {};
  next();
}

/** What is posted has what no other site knows. */
export function isOfOurForms(request, response, next) {
  const [ours, theirs] = [request.session.csrf, request.body.csrf].map((text) => Buffer.from(String(text ?? "")));
  if (request.method === "POST" && !(ours.length && same(ours, theirs))) {
    return response.status(400).type("text").send("This page is too old. Please open it again.");
  }
  request.session.csrf ??= randomBytes(16).toString("hex");
  next();
}

export function keep({ session, secure }, response) {
  const text = Buffer.from(JSON.stringify({ ...session, until: Date.now() + LASTS })).toString("base64url");
  const value = `${text}.${signature(text).toString("base64url")}`;
  response.cookie("session", value, { httpOnly: true, sameSite: "lax", secure, maxAge: LASTS });
}

function opened(cookies) {
  const [, text, signed] = COOKIE.exec(cookies) ?? [];
  if (!text || !same(signature(text), Buffer.from(signed, "base64url"))) return {};
  const { until, ...session } = JSON.parse(Buffer.from(text, "base64url").toString());
  return until > Date.now() ? session : {};
}
