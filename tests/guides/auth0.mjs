// The guide's Action, as Auth0 would run it: an event a line in, what it asked of Auth0 a line out.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const action = createRequire(import.meta.url)("./action.cjs");

for await (const line of createInterface({ input: process.stdin })) {
  const asked = [];
  const notification = {
    drop: (reason) => asked.push({ drop: reason }),
    retry: (reason) => asked.push({ retry: reason }),
  };
  await action.onExecuteCustomPhoneProvider(JSON.parse(line), { notification });
  console.log(JSON.stringify(asked.at(-1) ?? {})); // Auth0 goes by the last call
}
