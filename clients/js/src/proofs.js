// Verifies proofs: that a phone was verified, without asking the service each time. What a proof
// says, and how it is to be used: docs/proofs.md of the service.

import { base64, utf8 } from "./bytes.js";
import { InvalidProof, NoAnswer } from "./errors.js";
import { discreet, isObject } from "./names.js";
import { Transport, seconds } from "./transport.js";

const KEYS = { method: "GET", path: "/.well-known/jwks.json" };
const KEPT = 300; // seconds for which public keys are not asked for again
const PAUSE = 10; // seconds between two looks, whatever keys are named: strangers can name any
const LEEWAY = 5; // seconds that two clocks may differ
const TEXTS = ["iss", "sub", "jti", "purpose", "verification_id"];
const TIMES = ["iat", "exp", "auth_time"];
const ED25519 = { name: "Ed25519" };

/** Holds the public keys of one service. */
export class ProofVerifier {
  #expected;
  #keys;

  constructor({ baseUrl, audience, issuer = "otp-service", timeout = 5, fetch, clock } = {}) {
    if (!audience) throw new TypeError("audience must say for whom proofs have to be");
    this.#expected = { issuer, audience };
    this.#keys = new Keys(new Transport({ baseUrl, fetch }), seconds("timeout", timeout), clock);
  }

  async verify(proof, { purpose = "login", now = Date.now() / 1000 } = {}) {
    const { signed, header, claims, signature } = parts(proof);
    if (header.alg !== "EdDSA" || header.crit !== undefined) throw new InvalidProof("it is signed in another way");
    const key = typeof header.kid === "string" ? await this.#keys.named(header.kid) : undefined;
    if (!key) throw new InvalidProof("it names no key of the service");
    if (!(await crypto.subtle.verify(ED25519, key, signature, signed))) {
      throw new InvalidProof("its signature is wrong");
    }
    refuse(problem(claims, { ...this.#expected, purpose, now }));
    return said(claims);
  }
}

class Keys {
  #known = new Map();
  #readAt = -Infinity;
  #reading;

  constructor(transport, timeout, clock = () => performance.now() / 1000) {
    Object.assign(this, { transport, timeout, clock });
  }

  /** The key of this name. One that is not known is looked for, but not all the time. */
  async named(kid) {
    const age = this.clock() - this.#readAt;
    if (age > KEPT || (age > PAUSE && !this.#known.has(kid))) {
      this.#reading ??= this.#read().finally(() => (this.#reading = undefined));
      await this.#reading; // once for all who wait
    }
    return this.#known.get(kid);
  }

  async #read() {
    const came = await this.transport.exchange(KEYS, this.timeout);
    if (came.lost) throw new NoAnswer(came.lost);
    const listed = came.document?.keys;
    if (came.status !== 200 || !Array.isArray(listed)) throw new NoAnswer(`HTTP ${came.status} instead of public keys`);
    const usable = listed.filter((key) => key?.kty === "OKP" && key.crv === "Ed25519" && typeof key.kid === "string");
    this.#known = new Map(await Promise.all(usable.map(async (key) => [key.kid, await imported(key)])));
    this.#readAt = this.clock();
  }
}

const imported = ({ kty, crv, x }) => crypto.subtle.importKey("jwk", { kty, crv, x }, ED25519, false, ["verify"]);

function parts(proof) {
  const [header, claims, signature, ...more] = typeof proof === "string" ? proof.split(".") : [];
  const found = { header: json(header), claims: json(claims), signature: base64(signature ?? "") };
  if (more.length || !found.header || !found.claims || !found.signature) throw new InvalidProof("it is no JWT");
  return { ...found, signed: utf8(`${header}.${claims}`) };
}

function json(part) {
  try {
    const found = JSON.parse(new TextDecoder().decode(base64(part)));
    return isObject(found) ? found : undefined;
  } catch {
    return undefined;
  }
}

function problem(claims, { issuer, audience, purpose, now }) {
  const missing =
    TEXTS.find((name) => typeof claims[name] !== "string") ?? TIMES.find((name) => !Number.isFinite(claims[name]));
  if (missing) return `it has no ${missing}`;
  if (claims.iss !== issuer) return "it is of another issuer";
  if (![claims.aud].flat().includes(audience)) return "it is for another audience";
  if (claims.exp <= now - LEEWAY) return "it has ended";
  if (claims.iat > now + LEEWAY || claims.nbf > now + LEEWAY) return "it is of the future";
  return claims.purpose === purpose ? undefined : "it is a proof of something else";
}

function refuse(why) {
  if (why) throw new InvalidProof(why);
}

function said(claims) {
  const time = (since) => new Date(since * 1000);
  return discreet({
    subject: claims.sub,
    purpose: claims.purpose,
    verificationId: claims.verification_id,
    channel: claims.channel,
    verifiedAt: time(claims.auth_time),
    issuedAt: time(claims.iat),
    expiresAt: time(claims.exp),
    id: claims.jti,
  });
}
