const encoder = new TextEncoder();

export const utf8 = (text) => encoder.encode(text);

/** Of base64 with or without its padding, in either alphabet; undefined if it is none. */
export function base64(text) {
  try {
    const plain = text.replace(/-/g, "+").replace(/_/g, "/");
    return /^[A-Za-z0-9+/]+={0,2}$/.test(plain) ? Uint8Array.from(atob(plain), (one) => one.charCodeAt(0)) : undefined;
  } catch {
    return undefined;
  }
}

export function joined(...parts) {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  parts.reduce((at, part) => (all.set(part, at), at + part.length), 0);
  return all;
}
