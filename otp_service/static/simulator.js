"use strict";
// Asks for this same page once a second and takes over what changed. The server renders and
// escapes everything; without this file the page reloads itself.

const POLL_MS = 1000;
const find = (selector, root = document) => root.querySelector(selector);
const log = find("#log");
let tag = null; // of the page that is shown
let timer;
let asking = false;

async function poll() {
  clearTimeout(timer);
  if (asking || document.hidden) return; // a hidden tab asks nothing
  asking = true;
  await look();
  asking = false;
  timer = setTimeout(poll, POLL_MS);
}

async function look() {
  try {
    const headers = tag ? { "If-None-Match": tag } : {};
    const options = { headers, cache: "no-store", signal: AbortSignal.timeout(5000) };
    const response = await fetch(location.href, options);
    if (response.status === 200) {
      take(new DOMParser().parseFromString(await response.text(), "text/html"));
      tag = response.headers.get("ETag");
    }
    document.body.classList.remove("offline");
  } catch {
    document.body.classList.add("offline");
    find("#status").textContent = "The simulator does not answer";
    tag = null;
  }
}

function take(page) {
  const news = find("#messages").lastElementChild?.id !== find("#messages", page).lastElementChild?.id;
  for (const id of ["phones", "messages"]) sync(find(`#${id}`), find(`#${id}`, page));
  for (const id of ["number", "status"]) {
    const text = find(`#${id}`, page).textContent;
    if (find(`#${id}`).textContent !== text) find(`#${id}`).textContent = text;
  }
  if (!news) return;
  log.scrollTop = log.scrollHeight;
  if (tag) find("#announcement").textContent = find("#messages > :last-child .text")?.textContent ?? "";
}

/** Make `list` as `wanted`, item by item: what did not change stays, and with it focus and scroll. */
function sync(list, wanted) {
  const items = [...wanted.children];
  const ids = new Set(items.map((item) => item.id));
  for (const old of [...list.children]) if (!ids.has(old.id)) old.remove();
  items.forEach((item, index) => {
    let own = [...list.children].find((old) => old.id === item.id);
    if (!own) own = document.importNode(item, true);
    else if (original(own) !== item.outerHTML) own = exchange(own, item);
    originals.set(own, item.outerHTML);
    if (list.children[index] !== own) list.insertBefore(own, list.children[index] ?? null);
  });
}

const originals = new WeakMap(); // as the server sent it, before anybody opened or copied anything
const original = (item) => originals.get(item) ?? item.outerHTML;

function exchange(own, item) {
  const fresh = document.importNode(item, true);
  for (const details of own.querySelectorAll("details[open]")) {
    const same = [...fresh.querySelectorAll("details")].find((other) => other.id === details.id);
    if (same) same.open = true;
  }
  const focused = own.contains(document.activeElement) && document.activeElement.tagName;
  own.replaceWith(fresh);
  if (focused) fresh.querySelector(focused)?.focus({ preventScroll: true });
  return fresh;
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const label = find("[data-label-text]", button);
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    label.textContent = "Copied";
  } catch {
    label.textContent = "Select and copy it"; // plain http on another host than localhost
  }
  find("#announcement").textContent = label.textContent;
  setTimeout(() => { label.textContent = "Copy code"; }, 2000);
});
document.addEventListener("visibilitychange", poll);
document.documentElement.classList.add("scripted");
poll();
