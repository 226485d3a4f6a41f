// Trying again: what is worth it, after which pause, and until when.

import { replayed, retryAfter } from "./transport.js";

const FIRST_PAUSE = 0.25; // seconds, of which a random part is waited
const LONGEST_PAUSE = 4;

export const KEY = "Idempotency-Key";

/** `timeout` for one try, `deadline` for all of them and the pauses between, in seconds. */
export class Retries {
  constructor({ timeout, deadline, clock, sleep }) {
    Object.assign(this, { timeout, deadline, clock, sleep });
  }

  /**
   * The answer, or what the last try came to.
   * `ownKey`: the idempotency key is this call's own, not one that its caller holds on to.
   */
  async ask(transport, request, { ownKey }) {
    const ends = this.clock() + this.deadline;
    for (let tries = 0, lostOne = false; ; tries++) {
      const came = await transport.exchange(request, Math.min(this.timeout, ends - this.clock()));
      const wait = (atLeast(came, lostOne, ownKey) ?? Infinity) + pause(tries);
      if (wait + this.#worthwhile > ends - this.clock()) return came;
      lostOne ||= Boolean(came.lost);
      if (!came.lost && replayed(came)) request = withKey(request); // the old one stands for a failure
      await this.sleep(wait);
    }
  }

  /** A try in less time than this would only turn a clear answer into none. */
  get #worthwhile() {
    return Math.min(1, this.deadline / 10);
  }
}

/** With this idempotency key, or one of its own. */
export function withKey(request, key = crypto.randomUUID()) {
  return { ...request, headers: { ...request.headers, [KEY]: key } };
}

/**
 * How many seconds at least, before another try; undefined if that is of no use. 503 says that
 * nothing was done. One that is replayed is the recorded end of an earlier try, which that key will
 * be told for ever, and whose Retry-After is over.
 */
function atLeast(came, lostOne, ownKey) {
  if (came.lost) return came.hopeless ? undefined : 0;
  if (came.status === 503 && replayed(came)) return ownKey ? 0 : undefined;
  if (came.status === 503 || (lostOne && stillRuns(came))) return retryAfter(came.headers) ?? 0;
  return undefined;
}

/** The try whose answer was lost: it is this call, too. */
const stillRuns = (came) => came.document?.error?.code === "idempotency_in_progress";

/** Up to twice as long as the one before, and random: not all callers come at once. */
const pause = (tries) => Math.random() * Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** tries);
