// One request and what came of it: no second try, no redirect, no exception that tells of it.

import { isObject } from "./names.js";
import { VERSION } from "./version.js";

/** What will be the same at another try: a certificate that is wrong. */
const HOPELESS = /CERT|TLS|SSL|UNABLE_TO_/;

/**
 * Speaks to one service. `exchange` never rejects: it gives `{ status, headers, document }`, where
 * `document` is the answer's JSON object or undefined, or `{ lost, hopeless }`.
 */
export class Transport {
  #baseUrl;
  #key;
  #fetch;

  constructor({ baseUrl, apiKey, fetch }) {
    this.#baseUrl = checkedUrl(baseUrl);
    this.#key = apiKey?.trim() ? visible("apiKey", apiKey.trim()) : undefined;
    this.#fetch = fetch ?? ((...request) => globalThis.fetch(...request));
  }

  /** `seconds` is how long to wait for the whole answer. */
  async exchange({ method, path, body, headers }, seconds) {
    try {
      const response = await this.#fetch(this.#baseUrl + path, {
        method,
        headers: { ...headers, ...this.#own(body) },
        body: body && JSON.stringify(body),
        redirect: "manual", // the key and the code are for this address
        signal: AbortSignal.timeout(Math.max(1, Math.round(seconds * 1000))),
      });
      return { status: response.status, headers: response.headers, document: parsed(await response.text()) };
    } catch (error) {
      return lost(error);
    }
  }

  #own(body) {
    return {
      Accept: "application/json",
      "User-Agent": `otp-client-js/${VERSION}`,
      ...(body && { "Content-Type": "application/json" }),
      ...(this.#key && { Authorization: `Bearer ${this.#key}` }),
    };
  }
}

/** Whether it is the recorded answer to an earlier request with the same key. */
export const replayed = (came) => came.headers.get("Idempotent-Replayed") === "true";

/** Whole seconds (RFC 9110, 10.2.3: a number, or a date, as some proxies write it). */
export function retryAfter(headers) {
  const text = headers.get("Retry-After") ?? "";
  if (/^[0-9]+$/.test(text)) return Number(text);
  const until = Date.parse(text);
  return Number.isNaN(until) ? undefined : Math.max(0, Math.round((until - Date.now()) / 1000));
}

/** What travels in a header. Said here and without the value: fetch would show it. */
export function visible(name, value) {
  if (typeof value !== "string" || !/^[!-~]+$/.test(value)) {
    throw new TypeError(`${name} must be of visible ASCII characters`);
  }
  return value;
}

/** A positive number of seconds. */
export function seconds(name, value) {
  if (!(value > 0 && value <= 600)) throw new RangeError(`${name} must be 0 to 600 seconds, not milliseconds`);
  return value;
}

/** Only why, in a word: the exception itself may hold the request. */
function lost(error) {
  const why = error?.cause?.code ?? error?.name ?? "unknown";
  return { lost: String(why), hopeless: HOPELESS.test(why) };
}

function parsed(text) {
  try {
    const document = JSON.parse(text);
    return isObject(document) ? document : undefined;
  } catch {
    return undefined;
  }
}

function checkedUrl(text) {
  const { protocol, username, search, hash } = URL.canParse(text ?? "") ? new URL(text) : {};
  if (!["http:", "https:"].includes(protocol)) throw new TypeError("baseUrl must be as https://otp.example.com");
  if (username || search || hash) throw new TypeError("baseUrl must have no user, query or fragment");
  return text.replace(/\/+$/, "");
}
