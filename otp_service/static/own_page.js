// What the simulator's pages do: get this same page again and take over what changed. The server
// renders and escapes everything; without this file the page reloads itself.

import { find, keepLooking, setText, sync } from "./phone.js";

let tag = null; // of the page that is shown

/** Keeps these lists and texts as the server has them. `taken(page, first)` is told of each page
 *  that differs, before (`first`: none was shown yet) it is taken over; what it returns is called
 *  afterwards. */
export function follow({ lists, texts, taken }) {
  async function look(signal) {
    const headers = tag ? { "If-None-Match": tag } : {};
    const response = await fetch(location.href, { headers, cache: "no-store", signal });
    if (response.status !== 200) return;
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const then = taken(page, !tag);
    for (const list of lists) {
      sync(find(list), [...find(list, page).children], (item) => item.dataset.key, make, update);
    }
    for (const text of texts) setText(find(text), find(text, page).textContent);
    then?.();
    tag = response.headers.get("ETag");
  }
  keepLooking(look, (worked) => {
    if (worked) return;
    setText(find("#status"), "The simulator does not answer");
    tag = null;
  });
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
  const focused = shown.contains(document.activeElement) && selectorOf(document.activeElement);
  shown.replaceWith(fresh);
  if (focused) fresh.querySelector(focused)?.focus({ preventScroll: true });
}

function selectorOf(element) {
  const id = element.closest("details")?.id;
  return `${id ? `#${CSS.escape(id)} ` : ""}${element.tagName}`;
}
