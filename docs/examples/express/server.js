// A sign-in by phone: one page for the number, one for the code. README.md tells how to run it.

import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";

import express from "express";
import { DeliveryUnconfirmed, OtpAlreadySent, OtpClient, OtpClientError } from "otp-client";

import { codePage, phonePage, signedInPage } from "./pages.js";
import { isOfOurForms, keep, sessions } from "./session.js";

const otp = new OtpClient({
  baseUrl: process.env.OTP_URL ?? "http://localhost:8000",
  apiKey: process.env.OTP_API_KEY,
});
const app = express();
app.set("trust proxy", Number(process.env.TRUST_PROXY ?? 0)); // how many proxies of yours there are: for request.ip
app.use(express.static(fileURLToPath(new URL("public", import.meta.url))));
app.use(express.urlencoded({ extended: false }), sessions, isOfOurForms);

const OUR_FAULT = "Something went wrong on our side. Please try again.";
const LATER = "We can't send codes at the moment. Please try again";
const WORDS = { // for each error.code; docs/integrating.md says what else to do
  invalid_otp: "This code is wrong. {tries} left.",
  no_code: "Please type the code as it is in the message.",
  otp_not_found: "This code has expired. Ask for a new one.",
  too_many_attempts: "Too many wrong codes. Please ask for a new one.",
  phone_locked: "Too many wrong codes for this number. Please try again in {wait}.",
  invalid_phone_number: "This is not a phone number. Please write it with its country code, such as +91 98765 43210.",
  destination_not_allowed: "We can't send codes to this number. Please use another one.",
  send_limit_exceeded: "We have sent several codes to this number. Please try again in {wait}.",
  delivery_failed: "We could not reach this number. Is it right? If so, please try later.",
  delivery_unconfirmed: "The code is on its way. It may take a moment.",
  not_arrived: "The code may not have arrived. You can ask for a new one.",
  delivery_unavailable: `${LATER} in {wait}.`,
  rate_limit_exceeded: "Many people are signing in. Please try again in a moment.",
  idempotency_in_progress: "The code is on its way. It may take a moment.", // a second click
  unauthorized: `${LATER} later.`,
  forbidden: `${LATER} later.`,
};
const ALARMING = ["unauthorized", "forbidden", "rate_limit_exceeded"]; // and what has no words

app.get("/", (request, response) => {
  const { phoneNumber } = request.session;
  show(request, response, phoneNumber ? signedInPage(request.session) : phonePage(request.session, {}));
});

app.post("/", async (request, response) => {
  onItsWay(request, response, await send(request, request.body.phone_number));
});

app.get("/code", (request, response) => {
  if (!request.session.begun) return go(request, response, "/");
  const { said, ...session } = request.session;
  request.session = session; // said once
  show(request, response, codePage(again(request), { said }));
});

app.post("/code", async (request, response) => {
  const { begun } = request.session;
  if (!begun) return go(request, response, "/");
  const verified = await otp.verify(begun.phoneNumber, request.body.otp, {
    verificationId: begun.verificationId,
    idempotencyKey: `check-${begun.once}`, // a double click is one check
  });
  request.session = { phoneNumber: verified.phoneNumber }; // E.164, however it was typed
  go(request, response, "/");
});

app.post("/resend", async (request, response) => {
  const { begun } = request.session;
  if (!begun) return go(request, response, "/");
  onItsWay(request, response, await send(request, begun.phoneNumber, `resend-${begun.once}`));
});

app.post("/sign-out", (request, response) => {
  request.session = {};
  go(request, response, "/");
});

/** The page that the person is on again, with words for what happened. */
app.use((error, request, response, next) => {
  if (!(error instanceof OtpClientError)) return next(error);
  const { attemptsRemaining: tries = 0, retryAfter: seconds = 1, status = 503 } = error;
  let name = "otp" in (error.fields ?? {}) ? "no_code" : error.code;
  if (!Object.hasOwn(WORDS, name) || ALARMING.includes(name)) console.error(String(error)); // it has the request's id
  if (name === "invalid_otp" && !tries) name = "too_many_attempts";
  const left = `${tries} ${tries === 1 ? "try" : "tries"}`;
  const words = Object.hasOwn(WORDS, name) ? WORDS[name] : OUR_FAULT;
  const text = words.replace("{tries}", left).replace("{wait}", waiting(seconds));
  const isHome = request.path === "/";
  const page = isHome
    ? phonePage(request.session, { error: text, typed: request.body.phone_number })
    : codePage(again(request), { error: text });
  show(request, response, page, Math.max(400, status));
});

/** In words, rounded up: who comes back when told to is not too early. */
function waiting(seconds) {
  if (seconds >= 5400) return `${Math.ceil(seconds / 3600)} hours`;
  if (seconds >= 90) return `${Math.ceil(seconds / 60)} minutes`;
  return seconds === 1 ? "1 second" : `${seconds} seconds`;
}

/** What is on its way to this phone: a new code, or the one that was sent before. */
async function send(request, phoneNumber, idempotencyKey) {
  const person = { clientIp: request.ip, locale: request.acceptsLanguages()[0] };
  try {
    if (idempotencyKey) return await otp.resend(phoneNumber, { ...person, idempotencyKey });
    return await otp.send(phoneNumber, person);
  } catch (error) {
    if (error instanceof OtpAlreadySent) return error.sent;
    if (!(error instanceof DeliveryUnconfirmed)) throw error;
    request.session.said = WORDS.delivery_unconfirmed; // it may arrive, and its code is good
  }
  try {
    return await otp.send(phoneNumber, person); // sends nothing: it tells of that code
  } catch (error) {
    if (error instanceof OtpAlreadySent) return error.sent;
    throw error;
  }
}

/** To the code page. Seconds count from now: no clock but ours is asked. */
function onItsWay(request, response, sent) {
  if (!["unconfirmed", undefined].includes(sent.delivery?.failure)) request.session.said = WORDS.not_arrived;
  request.session.begun = {
    phoneNumber: sent.phoneNumber,
    verificationId: sent.verificationId,
    channel: { whatsapp: "on WhatsApp", sms: "by SMS" }[sent.channel] ?? "",
    expires: Date.now() + sent.expiresIn * 1000,
    resend: Date.now() + sent.resendAfter * 1000,
    mayResend: sent.sendsRemaining > 0,
  };
  go(request, response, "/code");
}

/** The session with a key of its own for what is done next on the code page. */
function again({ session }) {
  session.begun.once = randomUUID();
  return session;
}

function show(request, response, page, status = 200) {
  keep(request, response);
  response.status(status).set("Cache-Control", "no-store").type("html").send(page);
}

function go(request, response, path) {
  keep(request, response);
  response.redirect(303, path);
}

app.listen(Number(process.env.PORT ?? 3000));
