// Verifies that an event is this service's: Standard Webhooks 1.0, symmetric signatures.

import { base64, joined, utf8 } from "./bytes.js";
import { InvalidEvent } from "./errors.js";
import { isObject, read } from "./names.js";

const TOLERANCE = 300; // seconds that the sender's clock and ours may differ, as Standard Webhooks has it
const HMAC = { name: "HMAC", hash: "SHA-256" };
const MOST_SIGNATURES = 16; // a few while a secret is replaced; each costs a pass over the body

/** Holds an endpoint's secrets: one, or the old and the new one while it is replaced. */
export class EventVerifier {
  #secrets;
  #tolerance;

  constructor(secrets, { tolerance = TOLERANCE } = {}) {
    this.#secrets = [secrets].flat().map(decodedSecret);
    if (!this.#secrets.length) throw new TypeError("there must be a secret");
    this.#tolerance = tolerance;
  }

  async verify(body, headers, { now = Date.now() / 1000 } = {}) {
    const [content, id, sentAt] = [bytes(body), header(headers, "id"), header(headers, "timestamp")];
    if (!/^[0-9]{1,12}$/.test(sentAt) || Math.abs(now - Number(sentAt)) > this.#tolerance) {
      throw new InvalidEvent("its timestamp is no time of the last minutes");
    }
    const signed = joined(utf8(`${id}.${sentAt}.`), content);
    if (!(await this.#isSigned(signed, header(headers, "signature")))) {
      throw new InvalidEvent("no signature of it is right");
    }
    return event(id, content);
  }

  /** Whether any of theirs is right for any of ours; WebCrypto compares in constant time. */
  async #isSigned(content, header) {
    const theirs = header.split(/\s+/).filter((each) => each.startsWith("v1,")).slice(0, MOST_SIGNATURES);
    const signatures = theirs.map((each) => base64(each.slice(3))).filter(Boolean);
    const keys = await Promise.all(
      this.#secrets.map((secret) => crypto.subtle.importKey("raw", secret, HMAC, false, ["verify"])),
    );
    const pairs = keys.flatMap((key) => signatures.map((one) => crypto.subtle.verify(HMAC, key, one, content)));
    return (await Promise.all(pairs)).includes(true);
  }
}

function decodedSecret(secret) {
  const key = typeof secret === "string" ? base64(secret.trim().replace(/^whsec_/, "")) : undefined;
  if (!key) throw new TypeError("an event secret is whsec_ and base64");
  return key;
}

/** What was signed is what came, byte by byte: not what a parser made of it. */
function bytes(body) {
  if (typeof body === "string") return utf8(body);
  if (body instanceof Uint8Array) return body;
  if (body instanceof ArrayBuffer) return new Uint8Array(body);
  throw new TypeError("body must be the raw body as it came, and not what was parsed of it");
}

function header(headers, name) {
  const wanted = `webhook-${name}`;
  const found =
    typeof headers.get === "function"
      ? headers.get(wanted)
      : Object.entries(headers).find(([each]) => each.toLowerCase() === wanted)?.[1];
  if (typeof found !== "string" || !found) throw new InvalidEvent(`it has no ${wanted}`);
  return found;
}

function event(id, content) {
  let document;
  try {
    document = JSON.parse(new TextDecoder().decode(content));
  } catch {
    // told below
  }
  const found = isObject(document) && read({ ...document, id });
  if (typeof found?.type !== "string" || !(found.timestamp instanceof Date) || !isObject(found.data)) {
    throw new InvalidEvent("its body is no event");
  }
  return found;
}
