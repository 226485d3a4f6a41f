/** Calls the OTP service: send, resend, verify a code; verifies its events and proofs. */
export { OtpClient } from "./client.js";
export {
  ApiError,
  CallerError,
  DeliveryError,
  DeliveryFailed,
  DeliveryUnavailable,
  DeliveryUnconfirmed,
  DestinationNotAllowed,
  Forbidden,
  IdempotencyInProgress,
  IdempotencyKeyReused,
  InvalidEvent,
  InvalidOtp,
  InvalidPhoneNumber,
  InvalidProof,
  InvalidRequest,
  LimitReached,
  NoAnswer,
  NotFound,
  OtpAlreadySent,
  OtpClientError,
  OtpNotFound,
  PersonError,
  PhoneLocked,
  RateLimitExceeded,
  SendLimitExceeded,
  ServiceError,
  StorageUnavailable,
  TooManyAttempts,
  Unauthorized,
  UnexpectedAnswer,
} from "./errors.js";
export { EventVerifier } from "./events.js";
export { ProofVerifier } from "./proofs.js";
export { VERSION } from "./version.js";
