// better-auth with the guide's plugin: a request a line in, its answer a line out.
import { createInterface } from "node:readline";
import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { phone } from "./whatsapp.mjs";

const origin = "http://localhost:3000";
const rows = { user: [], session: [], account: [], verification: [] };
const auth = betterAuth({
  baseURL: origin,
  secret: "aVerySecretSecretOf40CharactersForTests!",
  database: memoryAdapter(rows),
  rateLimit: { enabled: false }, // better-auth's own
  telemetry: { enabled: false },
  plugins: [phone],
});

for await (const line of createInterface({ input: process.stdin })) {
  const { path, body, address } = JSON.parse(line);
  const headers = { "Content-Type": "application/json", Origin: origin };
  if (address) headers["X-Forwarded-For"] = address;
  const request = new Request(`${origin}/api/auth/phone-number/${path}`, {
    method: "POST", headers, body: JSON.stringify(body),
  });
  const response = await auth.handler(request);
  const users = rows.user.map((user) => user.phoneNumber);
  console.log(JSON.stringify({ status: response.status, body: await response.json(), users }));
}
