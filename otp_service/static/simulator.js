// The simulator's phone: gets this same page again and takes over what changed. The server renders
// and escapes everything; without this file the page reloads itself.

import { announce, find, keepLooking, setText, sync } from "./phone.js";

const log = find("#log");
let tag = null; // of the page that is shown

async function look(signal) {
  const headers = tag ? { "If-None-Match": tag } : {};
  const response = await fetch(location.href, { headers, cache: "no-store", signal });
  if (response.status !== 200) return;
  take(new DOMParser().parseFromString(await response.text(), "text/html"));
  tag = response.headers.get("ETag");
}

function take(page) {
  const newest = (root) => find("#messages", root).lastElementChild?.dataset.key;
  const news = newest(document) !== newest(page);
  for (const list of ["#phones", "#messages"]) {
    sync(find(list), [...find(list, page).children], (item) => item.dataset.key, make, update);
  }
  for (const id of ["#number", "#status"]) setText(find(id), find(id, page).textContent);
  if (!news) return;
  log.scrollTop = log.scrollHeight;
  if (tag) announce(find("#messages > :last-child .text")?.textContent ?? "");
}

const originals = new WeakMap(); // as the server sent it, before anybody opened or copied anything

function make(item) {
  const fresh = document.importNode(item, true);
  originals.set(fresh, item.outerHTML);
  return fresh;
}

function update(shown, item) {
  if ((originals.get(shown) ?? shown.outerHTML) !== item.outerHTML) replace(shown, make(item));
}

function replace(shown, fresh) {
  for (const details of shown.querySelectorAll("details[open]")) {
    const same = [...fresh.querySelectorAll("details")].find((other) => other.id === details.id);
    if (same) same.open = true;
  }
  const focused = shown.contains(document.activeElement) && document.activeElement.tagName;
  shown.replaceWith(fresh);
  if (focused) fresh.querySelector(focused)?.focus({ preventScroll: true });
}

keepLooking(look, (worked) => {
  if (worked) return;
  setText(find("#status"), "The simulator does not answer");
  tag = null;
});
