// What can go wrong, as classes by `error.code`; one that is not known yet goes by its status.
// No error holds a key or a code, nor an exception of fetch.

import { isObject, read } from "./names.js";

/** Base of all that this package throws, but for `TypeError` and `RangeError` of wrong use. */
export class OtpClientError extends Error {
  get name() {
    return this.constructor.name;
  }
}

/** The call may have been done or not. The same call with the same `idempotencyKey` is safe. */
export class NoAnswer extends OtpClientError {
  constructor(why, idempotencyKey) {
    super(`no answer from the OTP service: ${why}`);
    this.idempotencyKey = idempotencyKey;
  }
}

/** The service answered, and it was no success. */
export class ApiError extends OtpClientError {
  constructor({ code, message, status, requestId, retryAfter, idempotencyKey, details = {}, data = {} }) {
    super(`${code}: ${message}${requestId ? ` (request ${requestId})` : ""}`);
    Object.assign(this, { code, status, requestId, retryAfter, idempotencyKey });
    // not enumerable: loggers write what is, and these name the phone
    Object.defineProperties(this, { details: { value: details }, data: { value: data } });
  }
}

const text = (value) => (typeof value === "string" ? value : undefined);

/** What the person at the keyboard caused. */
export class PersonError extends ApiError {}

/** What the calling program must fix. */
export class CallerError extends ApiError {
  get rule() {
    return text(this.details.rule);
  }

  get example() {
    return text(this.details.example);
  }

  get documentation() {
    return text(this.details.documentation);
  }
}

/** Too often. */
export class LimitReached extends ApiError {
  get limit() {
    return text(this.details.limit);
  }

  get resetsAt() {
    return read({ resets_at: this.details.resets_at }).resetsAt;
  }
}

/** What failed at the service or behind it. */
export class ServiceError extends ApiError {}

/** The provider did not take the message. */
export class DeliveryError extends ServiceError {
  get failure() {
    return text(this.details.failure);
  }

  get reason() {
    return text(this.details.reason);
  }

  get verificationId() {
    return text(this.data.verification_id);
  }

  get messageId() {
    return text(this.data.message_id);
  }
}

/** Something answered that does not speak as this service does. */
export class UnexpectedAnswer extends ApiError {}

export class OtpAlreadySent extends PersonError {
  get sent() {
    return read(this.data);
  }
}

export class InvalidOtp extends PersonError {
  get attemptsRemaining() {
    return Number(this.details.attempts_remaining ?? 0);
  }
}

export class OtpNotFound extends PersonError {}

export class InvalidRequest extends CallerError {
  constructor(refusal) {
    super(refusal);
    this.message += `: ${Object.keys(this.fields).join(", ")}`;
  }

  get fields() {
    return isObject(this.details.fields) ? this.details.fields : {};
  }
}

/** What both errors about a number have. */
class NumberError extends CallerError {
  get reason() {
    return text(this.details.reason);
  }
}

export class InvalidPhoneNumber extends NumberError {}
export class DestinationNotAllowed extends NumberError {}
export class Unauthorized extends CallerError {}
export class Forbidden extends CallerError {}
export class NotFound extends CallerError {}
export class IdempotencyKeyReused extends CallerError {}
export class IdempotencyInProgress extends CallerError {}
export class SendLimitExceeded extends LimitReached {}
export class TooManyAttempts extends LimitReached {}
export class PhoneLocked extends LimitReached {}
export class RateLimitExceeded extends LimitReached {}
export class DeliveryFailed extends DeliveryError {}
export class DeliveryUnconfirmed extends DeliveryError {}
export class DeliveryUnavailable extends DeliveryError {}
export class StorageUnavailable extends ServiceError {}

/** It is not from the service, too old, or no event. */
export class InvalidEvent extends OtpClientError {}

/** It is no proof for this issuer, audience and purpose, or has ended. */
export class InvalidProof extends OtpClientError {}

/** The `code` of answers that have none, such as a proxy's page. */
export const UNEXPECTED = "unexpected_answer";

const OF_CODE = new Map(Object.entries({
  otp_already_sent: OtpAlreadySent,
  invalid_otp: InvalidOtp,
  otp_not_found: OtpNotFound,
  invalid_request: InvalidRequest,
  invalid_phone_number: InvalidPhoneNumber,
  destination_not_allowed: DestinationNotAllowed,
  unauthorized: Unauthorized,
  forbidden: Forbidden,
  not_found: NotFound,
  idempotency_key_reused: IdempotencyKeyReused,
  idempotency_in_progress: IdempotencyInProgress,
  send_limit_exceeded: SendLimitExceeded,
  too_many_attempts: TooManyAttempts,
  phone_locked: PhoneLocked,
  rate_limit_exceeded: RateLimitExceeded,
  delivery_failed: DeliveryFailed,
  delivery_unconfirmed: DeliveryUnconfirmed,
  delivery_unavailable: DeliveryUnavailable,
  storage_unavailable: StorageUnavailable,
}));

/** The error that the answer is. */
export function errorOf(refusal) {
  const kind = OF_CODE.get(refusal.code) ?? byStatus(refusal);
  return new kind(refusal);
}

function byStatus({ code, status }) {
  if (status === 429) return LimitReached;
  if (status >= 500) return ServiceError;
  if (status >= 400) return CallerError;
  return status >= 200 && status < 300 && code !== UNEXPECTED ? PersonError : UnexpectedAnswer;
}
