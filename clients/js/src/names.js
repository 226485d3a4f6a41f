// The service writes names with underscores, JavaScript with capitals. Every name is turned by this
// rule and none is listed, so that fields of a newer service come through.

const camel = (name) => name.replace(/_([a-z0-9])/g, (_, letter) => letter.toUpperCase());
const snake = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** What `console.log` of Node.js shows no value of. */
const UNSEEN = ["phoneNumber", "otp", "proof", "subject"];

/** What was passed, as the service names it; what is left out, the service decides. */
export function written(options) {
  const given = Object.entries(options).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(given.map(([name, value]) => [snake(name), value]));
}

/** A frozen value out of JSON: names with capitals, times as `Date`, null left out. */
export function read(given, name = "") {
  if (Array.isArray(given)) return Object.freeze(given.map((each) => read(each)));
  if (isObject(given)) {
    const present = Object.entries(given).filter(([, value]) => value !== null);
    return discreet(Object.fromEntries(present.map(([key, value]) => [camel(key), read(value, key)])));
  }
  return typeof given === "string" && /(_at|^timestamp)$/.test(name) ? time(given) : given;
}

export const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** Frozen, and in no log with the values of `UNSEEN`. They are there: in JSON, too. */
export function discreet(value) {
  const shown = () =>
    Object.fromEntries(Object.entries(value).map(([name, each]) => [name, UNSEEN.includes(name) ? "…" : each]));
  return Object.freeze(Object.defineProperty(value, Symbol.for("nodejs.util.inspect.custom"), { value: shown }));
}

function time(text) {
  const found = new Date(text);
  return Number.isNaN(found.getTime()) ? text : found;
}
