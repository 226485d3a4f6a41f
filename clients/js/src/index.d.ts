/**
 * Calls the OTP service: send, resend, verify a code; verifies its events and proofs.
 *
 * Times are `Date`, durations whole seconds. Fields that a newer service adds come through, with
 * capitals in place of underscores. States, channels and failures are text, so that one that is new
 * is no error; the known ones are named for the editor's sake.
 */

type Known<T extends string> = T | (string & {});
export type Channel = Known<"whatsapp" | "sms">;
export type ChannelChoice = Known<"whatsapp" | "sms" | "auto">;
export type VerificationStatus = Known<"pending" | "verified" | "failed" | "expired" | "canceled">;
export type DeliveryStatus = Known<"queued" | "submitted" | "sent" | "delivered" | "read" | "failed">;

/** The message that carries a live code: whether a person should go on waiting for it. */
export interface LastMessage {
  readonly channel: Channel;
  readonly status: DeliveryStatus;
  readonly failure?: string;
  readonly explanation?: string;
  readonly reason?: string;
}

/** A verification that waits for its code. */
export interface Sent {
  readonly verificationId: string;
  /** E.164 */
  readonly phoneNumber: string;
  readonly purpose: string;
  readonly status: VerificationStatus;
  readonly channel: Channel;
  readonly expiresAt: Date;
  /** Seconds, for a page's countdown. */
  readonly expiresIn: number;
  readonly attemptsRemaining: number;
  readonly sendsRemaining: number;
  /** Seconds until a resend is taken. */
  readonly resendAfter: number;
  /** The code itself, which only a sandbox tells. */
  readonly otp?: string;
  /** With `OtpAlreadySent` only. */
  readonly delivery?: LastMessage;
}

/** The code was right. */
export interface Verified {
  readonly phoneNumber: string;
  readonly purpose: string;
  readonly verificationId: string;
  readonly verifiedAt: Date;
  /** A signed JWT that says so, where the service gives them. */
  readonly proof?: string;
}

/** What the provider told of a message's price, in its words; no amount is told. */
export interface Pricing {
  readonly billable?: boolean;
  readonly pricingModel?: string;
  readonly category?: string;
  readonly type?: string;
}

/** One message, and when it came how far. */
export interface Delivery {
  readonly channel: Channel;
  readonly provider: string;
  readonly status: DeliveryStatus;
  readonly queuedAt: Date;
  readonly submittedAt?: Date;
  readonly sentAt?: Date;
  readonly deliveredAt?: Date;
  readonly readAt?: Date;
  readonly failedAt?: Date;
  readonly errorCode?: string;
  readonly explanation?: string;
  readonly reason?: string;
  readonly pricing?: Pricing;
}

/** A verification with its messages, in order. `client` is told to support keys only. */
export interface Verification {
  readonly verificationId: string;
  readonly phoneNumber: string;
  readonly purpose: string;
  readonly channel: Channel;
  readonly status: VerificationStatus;
  readonly attempts: number;
  readonly attemptsRemaining: number;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly expiresIn: number;
  readonly verifiedAt?: Date;
  readonly canceledAt?: Date;
  readonly deliveries: readonly Delivery[];
  readonly client?: string;
}

/** A code that somebody else made and checks; this service only delivers it. */
export interface Message {
  readonly messageId: string;
  readonly phoneNumber: string;
  readonly purpose: string;
  readonly channel: Channel;
  readonly status: DeliveryStatus;
  /** This and what follows is told by `getMessage`. */
  readonly createdAt?: Date;
  readonly expiresAt?: Date;
  readonly deliveries?: readonly Delivery[];
  readonly client?: string;
}

export interface OtpClientOptions {
  /** As https://otp.example.com */
  baseUrl: string | undefined;
  /** Of the backend alone: never in a page or an app. */
  apiKey?: string | undefined;
  /** Seconds that one try may wait for its answer; 10 unless said otherwise. */
  timeout?: number;
  /** Seconds for a whole call, with its further tries and the pauses between; 20. */
  deadline?: number;
  /** In place of the global one: for a proxy, say. */
  fetch?: typeof fetch;
  /** For tests: seconds that only go up. */
  clock?: () => number;
  /** For tests. */
  sleep?: (seconds: number) => Promise<unknown>;
}

export interface RepeatOptions {
  /**
   * Made anew for each call. Pass one where a call may be repeated after this process has ended:
   * then it is done once, whoever repeats it.
   */
  idempotencyKey?: string;
}

export interface SendOptions extends RepeatOptions {
  purpose?: string | undefined;
  channel?: ChannelChoice | undefined;
  /** The person's language, as BCP 47 writes it. */
  locale?: string | undefined;
  /** The end user's address: the service counts it, and keeps it as a hash only. */
  clientIp?: string | undefined;
  /** Don't wait for the provider. */
  respondAsync?: boolean;
}

export interface VerifyOptions extends RepeatOptions {
  purpose?: string | undefined;
  /** `Sent.verificationId`: then nobody else's wrong guesses lock this person out. */
  verificationId?: string | undefined;
}

export interface DeliverDetails extends SendOptions {
  /** Seconds for which it is worth delivering. */
  expiresIn?: number | undefined;
}

/** The code, or a text that has one. */
export type DeliverOptions = DeliverDetails & ({ otp: string; text?: never } | { text: string; otp?: never });

/**
 * One service, as one client of it; a process needs one.
 * Each call rejects with `NoAnswer` or the `ApiError` of its `error.code`.
 */
export declare class OtpClient {
  /** Throws `TypeError` or `RangeError` for what can't be right; nothing is asked yet. */
  constructor(options: OtpClientOptions);
  /** Send a code. Rejects with `OtpAlreadySent`, which has all of `Sent`, while one is live. */
  send(phoneNumber: string, options?: SendOptions): Promise<Sent>;
  /** Send another code for the live verification; the one before ends. Else as `send`. */
  resend(phoneNumber: string, options?: SendOptions): Promise<Sent>;
  /**
   * Check the code as the person typed it. Rejects with `InvalidOtp`, `OtpNotFound`,
   * `TooManyAttempts` or `PhoneLocked` where the person is not verified, with `InvalidRequest`
   * where `otp` can't be a code.
   */
  verify(phoneNumber: string, otp: string, options?: VerifyOptions): Promise<Verified>;
  /** A verification, and what became of its messages. Rejects with `NotFound`. */
  get(verificationId: string): Promise<Verification>;
  /** Its code never verifies; one that had ended stays as it is. Rejects with `NotFound`. */
  cancel(verificationId: string): Promise<Verification>;
  /** Deliver a code that somebody else made and checks. */
  deliver(phoneNumber: string, options: DeliverOptions): Promise<Message>;
  /** What became of what `deliver` was given. Rejects with `NotFound`. */
  getMessage(messageId: string): Promise<Message>;
}

/** Base of all that this package throws, but for `TypeError` and `RangeError` of wrong use. */
export declare class OtpClientError extends Error {}

/** Connection lost, or no answer in time: the call may have been done or not. */
export declare class NoAnswer extends OtpClientError {
  /** The same call with it is safe. None for `get`, `getMessage` and `cancel`: just repeat them. */
  readonly idempotencyKey?: string;
}

/** The service answered, and it was no success. */
export declare class ApiError extends OtpClientError {
  /** The service's `error.code`: never changes its meaning. */
  readonly code: string;
  /** Of HTTP. */
  readonly status: number;
  /** Finds the line in the service's log. */
  readonly requestId?: string;
  /** Whole seconds; undefined where waiting does not help. */
  readonly retryAfter?: number;
  readonly idempotencyKey?: string;
  /** The answer's `error`, as the service wrote it. */
  readonly details: Readonly<Record<string, unknown>>;
  /** The answer's `data`, as the service wrote it. */
  readonly data: Readonly<Record<string, unknown>>;
}

/** What the person at the keyboard caused (HTTP 200): tell them, and stay on the page. */
export declare class PersonError extends ApiError {}
/** A live code exists: go on to the code field, with what `sent` tells. */
export declare class OtpAlreadySent extends PersonError {
  readonly code: "otp_already_sent";
  readonly sent: Sent;
}
/** The code is another one. */
export declare class InvalidOtp extends PersonError {
  readonly code: "invalid_otp";
  /** Guesses left for this verification; with 0, another code has to be sent. */
  readonly attemptsRemaining: number;
}
/** None was sent, or it expired, was used or was canceled: deliberately all the same. */
export declare class OtpNotFound extends PersonError {
  readonly code: "otp_not_found";
}

/** What the calling program must fix (4xx). */
export declare class CallerError extends ApiError {
  /** What holds. */
  readonly rule?: string;
  /** What would be right. */
  readonly example?: string;
  /** A path at the service. */
  readonly documentation?: string;
}
/** A field is missing, unknown or wrong; of a code: it has another number of digits. */
export declare class InvalidRequest extends CallerError {
  readonly code: "invalid_request";
  /** What is wrong with each field, by the service's name of it (`phone_number`). */
  readonly fields: Readonly<Record<string, unknown>>;
}
/** What was typed is no phone number: tell the person. */
export declare class InvalidPhoneNumber extends CallerError {
  readonly code: "invalid_phone_number";
  /** Why, such as `country_code_missing`. */
  readonly reason?: string;
}
/** The operator sends no messages there. */
export declare class DestinationNotAllowed extends CallerError {
  readonly code: "destination_not_allowed";
  /** Why: `country`, `prefix`, `number_type`, … */
  readonly reason?: string;
}
/** No key, or a wrong one. */
export declare class Unauthorized extends CallerError {
  readonly code: "unauthorized";
}
/** The key is without the scope for this call. */
export declare class Forbidden extends CallerError {
  readonly code: "forbidden";
}
/** No verification or message of this client's has this id. */
export declare class NotFound extends CallerError {
  readonly code: "not_found";
}
/** The key that was passed belongs to another call. */
export declare class IdempotencyKeyReused extends CallerError {
  readonly code: "idempotency_key_reused";
}
/** The first call with the key that was passed still runs. */
export declare class IdempotencyInProgress extends CallerError {
  readonly code: "idempotency_in_progress";
}

/** Too often (429): again after `retryAfter` seconds. */
export declare class LimitReached extends ApiError {
  /** Which limit it was, such as `phone_sends`. */
  readonly limit?: string;
  /** When it ends. */
  readonly resetsAt?: Date;
}
/** This phone, or this end user's address, has had its messages. */
export declare class SendLimitExceeded extends LimitReached {
  readonly code: "send_limit_exceeded";
}
/** This verification's guesses are used up: another code has to be sent. */
export declare class TooManyAttempts extends LimitReached {
  readonly code: "too_many_attempts";
}
/** Too many wrong guesses for this phone, over all its verifications. */
export declare class PhoneLocked extends LimitReached {
  readonly code: "phone_locked";
}
/** This key calls too often. */
export declare class RateLimitExceeded extends LimitReached {
  readonly code: "rate_limit_exceeded";
}

/** What failed at the service or behind it (5xx). */
export declare class ServiceError extends ApiError {}
/** No database could be asked; nothing was sent, counted or used up. */
export declare class StorageUnavailable extends ServiceError {
  readonly code: "storage_unavailable";
}
/** The provider did not take the message. */
export declare class DeliveryError extends ServiceError {
  /** Why, as a stable code such as `not_on_whatsapp`. */
  readonly failure?: string;
  /** The provider's own words. */
  readonly reason?: string;
  /** That of what was stored; `get` tells the whole story. */
  readonly verificationId?: string;
  /** The same for `deliver` and `getMessage`. */
  readonly messageId?: string;
}
/** Refused for good: another number, or the operator, has to help. */
export declare class DeliveryFailed extends DeliveryError {
  readonly code: "delivery_failed";
}
/** It may or may not arrive, and its code is valid: go on to the code field. */
export declare class DeliveryUnconfirmed extends DeliveryError {
  readonly code: "delivery_unconfirmed";
}
/** The provider is down or busy; nothing was sent. */
export declare class DeliveryUnavailable extends DeliveryError {
  readonly code: "delivery_unavailable";
}

/** Something answered that does not speak as this service does: is the address right? */
export declare class UnexpectedAnswer extends ApiError {}

export type EventType = Known<
  | "verification.started"
  | "verification.verified"
  | "verification.failed"
  | "verification.expired"
  | "verification.canceled"
  | "message.submitted"
  | "message.delivered"
  | "message.read"
  | "message.failed"
>;

/** `verificationId`, or of a code that was only delivered `messageId`. */
export interface EventData {
  readonly verificationId?: string;
  readonly messageId?: string;
  /** Not there where the endpoint was added with `--no-phone`. */
  readonly phoneNumber?: string;
  readonly purpose?: string;
  readonly channel?: Channel;
  readonly status?: VerificationStatus | DeliveryStatus;
  /** A stable code. */
  readonly failure?: string;
  /** The provider's words. */
  readonly reason?: string;
  /** Where the endpoint gets the events of all clients. */
  readonly client?: string;
}

/** Told at least once: `id` is the same when it is told again. */
export interface OtpEvent {
  readonly id: string;
  readonly type: EventType;
  readonly timestamp: Date;
  readonly data: EventData;
}

/** Those of fetch, of Node.js, of any framework. */
export type HeadersLike =
  | { get(name: string): string | null }
  | Readonly<Record<string, string | readonly string[] | undefined>>;

/** Holds an endpoint's secrets: one, or the old and the new one while it is replaced. */
export declare class EventVerifier {
  /** `secrets` begin with `whsec_`; `tolerance` is in seconds, 300 unless said otherwise. */
  constructor(secrets: string | readonly string[] | undefined, options?: { tolerance?: number });
  /**
   * The event, if its signature and its time are right; else it rejects with `InvalidEvent`.
   * `body` is the raw body as it came; `now` (seconds since 1970) is for tests.
   */
  verify(body: string | Uint8Array | ArrayBuffer, headers: HeadersLike, options?: { now?: number }): Promise<OtpEvent>;
}

/** It is not from the service, too old, or no event: answer 400, and believe nothing of it. */
export declare class InvalidEvent extends OtpClientError {}

/** What a proof says. */
export interface Proof {
  /** The phone in E.164, or 64 hex digits that stand for it. */
  readonly subject: string;
  readonly purpose: string;
  readonly verificationId: string;
  readonly channel?: Channel;
  readonly verifiedAt: Date;
  readonly issuedAt: Date;
  readonly expiresAt: Date;
  /** Another in each proof: keep it until `expiresAt` where something must happen once. */
  readonly id: string;
}

export interface ProofVerifierOptions {
  /** Where the public keys are asked for: should be https. */
  baseUrl: string | undefined;
  /** The service's OTP_PROOF_AUDIENCE, or the name of the API key's client. */
  audience: string;
  /** The service's OTP_PROOF_ISSUER; `otp-service` unless said otherwise. */
  issuer?: string;
  /** Seconds to wait for the keys; 5 unless said otherwise. */
  timeout?: number;
  fetch?: typeof fetch;
  /** For tests: seconds that only go up. */
  clock?: () => number;
}

/** Holds the public keys of one service. */
export declare class ProofVerifier {
  constructor(options: ProofVerifierOptions);
  /**
   * What the proof says. Rejects with `InvalidProof`, and with `NoAnswer` if the keys can't be had.
   * `purpose` is `login` unless said otherwise; `now` (seconds since 1970) is for tests.
   */
  verify(proof: string, options?: { purpose?: string; now?: number }): Promise<Proof>;
}

/** It is no proof for this issuer, audience and purpose, or has ended. */
export declare class InvalidProof extends OtpClientError {}

/** Which release of the client this is: apart from the service's own. */
export declare const VERSION: string;
