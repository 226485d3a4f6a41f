// Proofs of the real service, which has OTP_PROOF=phone and OTP_PROOF_AUDIENCE=shop.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { inspect } from "node:util";

import { InvalidProof, NoAnswer, ProofVerifier } from "otp-client";
import { BASE_URL, client, fake, newPhone } from "./support.js";

const phone = newPhone();
const verifier = (options) => new ProofVerifier({ baseUrl: BASE_URL, audience: "shop", ...options });
const encoded = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const decoded = (part) => JSON.parse(Buffer.from(part, "base64url").toString());
const now = () => Date.now() / 1000;

let proof;

before(async () => {
  const sent = await client().send(phone);
  proof = (await client().verify(phone, sent.otp)).proof;
  assert.ok(proof, "start the service with OTP_PROOF=phone OTP_PROOF_AUDIENCE=shop");
});

/** The same proof, with another head or other claims. */
function forged({ head = {}, claims = {}, signature }) {
  const [first, second, third] = proof.split(".");
  return [
    encoded({ ...decoded(first), ...head }),
    encoded({ ...decoded(second), ...claims }),
    signature ?? third,
  ].join(".");
}

test("a proof says what was verified", async () => {
  const said = await verifier().verify(proof);
  assert.deepEqual([said.subject, said.purpose, said.channel], [phone, "login", "whatsapp"]);
  assert.ok(said.verifiedAt <= said.issuedAt && said.issuedAt < said.expiresAt);
  assert.ok(said.verificationId && said.id);
  assert.ok(!inspect(said).includes(phone));
});

test("what is not for us, over, or changed is refused", async () => {
  const refused = {
    "another audience": [{ audience: "bank" }],
    "another issuer": [{ issuer: "else" }],
    "something else": [{}, proof, { purpose: "pay" }],
    "has ended": [{}, proof, { now: now() + 306 }],
    "of the future": [{}, proof, { now: now() - 60 }],
    "signature is wrong": [{}, forged({ claims: { sub: "+14155550123" } })],
    "in another way": [{}, forged({ head: { alg: "none" }, signature: "AA" })],
    "no key": [{}, forged({ head: { kid: "another" } })],
    "no JWT": [{}, "a.b.c"],
  };
  for (const [why, [options, given = proof, wanted]] of Object.entries(refused)) {
    await assert.rejects(verifier(options).verify(given, wanted), (error) => {
      assert.ok(error instanceof InvalidProof, why);
      return error.message.includes(why) && !error.message.includes(given);
    });
  }
  for (const given of [undefined, "", "..", `${proof}.a`]) {
    await assert.rejects(verifier().verify(given), InvalidProof);
  }
});

test("HMAC with the public key as its secret is no signature", async () => {
  await assert.rejects(verifier().verify(forged({ head: { alg: "HS256" } })), /another way/);
});

test("the keys are kept, and strangers' names of keys don't have them asked for each time", async () => {
  let [asked, time] = [0, 1000];
  const counting = (...request) => (asked++, fetch(...request));
  const one = verifier({ fetch: counting, clock: () => time });
  await Promise.all([one.verify(proof), one.verify(proof)]);
  await assert.rejects(one.verify(forged({ head: { kid: "another" } })), InvalidProof);
  assert.equal(asked, 1);
  time += 11;
  await assert.rejects(one.verify(forged({ head: { kid: "another" } })), InvalidProof);
  assert.equal(asked, 2);
  time += 301;
  await one.verify(proof);
  assert.equal(asked, 3);
});

test("without keys nothing is believed", async (t) => {
  const server = await fake(t, { status: 503, body: {} });
  await assert.rejects(verifier({ baseUrl: server.url }).verify(proof), NoAnswer);
  const empty = await fake(t, { status: 200, body: { keys: [] } });
  await assert.rejects(verifier({ baseUrl: empty.url }).verify(proof), InvalidProof);
});
