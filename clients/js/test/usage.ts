// What a program in strict TypeScript writes; compiled by a test, never run.

import {
  EventVerifier,
  InvalidOtp,
  OtpAlreadySent,
  OtpClient,
  ApiError,
  LimitReached,
  ProofVerifier,
  type Message,
  type Sent,
  type Verified,
} from "otp-client";

const client = new OtpClient({ baseUrl: process.env["OTP_URL"], apiKey: process.env["OTP_API_KEY"], deadline: 5 });

export async function begin(phone: string, locale: string | undefined): Promise<Sent> {
  try {
    return await client.send(phone, { locale, channel: "auto", clientIp: "203.0.113.7", respondAsync: true });
  } catch (error) {
    if (error instanceof OtpAlreadySent) return error.sent;
    throw error;
  }
}

export async function check(sent: Sent, typed: string): Promise<Verified | string> {
  try {
    return await client.verify(sent.phoneNumber, typed, { verificationId: sent.verificationId });
  } catch (error) {
    if (error instanceof InvalidOtp) return `${error.attemptsRemaining.toFixed()} left until ${sent.expiresAt.toISOString()}`;
    if (error instanceof LimitReached) return `again after ${error.retryAfter ?? 1} s: ${error.resetsAt?.getTime()}`;
    if (error instanceof ApiError && error.code === "of_a_newer_service") return String(error.details["more"]);
    throw error;
  }
}

export const deliver = (text: string): Promise<Message> => client.deliver("+919876543210", { text, expiresIn: 300 });

export async function told(body: Uint8Array, headers: Record<string, string | string[] | undefined>): Promise<string> {
  const event = await new EventVerifier(["whsec_YQ==", "whsec_Yg=="]).verify(body, headers);
  return event.type === "message.failed" ? (event.data.failure ?? "") : event.id;
}

export async function proven(proof: string): Promise<string> {
  const verifier = new ProofVerifier({ baseUrl: "https://otp.example.com", audience: "shop" });
  return (await verifier.verify(proof, { purpose: "login" })).subject;
}

// @ts-expect-error a code or a text: one of them
void client.deliver("+919876543210", { otp: "4829", text: "4829" });
// @ts-expect-error options have capitals
void client.send("+919876543210", { client_ip: "203.0.113.7" });
// @ts-expect-error answers are not changed
void client.send("+919876543210").then((sent) => (sent.purpose = "pay"));
