// What both phones do, the sandbox's and the simulator's: look once a second for what is new,
// keep their lists in step with it, copy a code.

const POLL_MS = 1000;
const PATIENCE_MS = 5000;

export const find = (selector, root = document) => root.querySelector(selector);

/** Sets a text that differs only: setting the same one again would be read aloud again. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export const announce = (text) => setText(find("#announcement"), text);

// ---- looking for what is new ---------------------------------------------------------------

/** Looks now, then once a second; afterwards `then` is told whether that worked. */
export function keepLooking(look, then) {
  let timer;
  let looking = false;
  async function turn() {
    clearTimeout(timer);
    if (looking || document.hidden) return; // a hidden tab requests nothing
    looking = true;
    let connected = true;
    try {
      await look(AbortSignal.timeout(PATIENCE_MS));
    } catch {
      connected = false;
    }
    looking = false;
    document.body.classList.toggle("offline", !connected);
    then(connected);
    timer = setTimeout(turn, POLL_MS);
  }
  document.addEventListener("visibilitychange", turn);
  turn();
}

/** Makes a list show these items, touching only what differs: focus and selection stay. */
export function sync(list, items, keyOf, make, update) {
  const keys = new Set(items.map(keyOf));
  for (const old of [...list.children]) if (!keys.has(old.dataset.key)) old.remove();
  items.forEach((item, index) => {
    const key = keyOf(item);
    let element = [...list.children].find((old) => old.dataset.key === key);
    if (!element) {
      element = make(item);
      element.dataset.key = key;
    }
    if (list.children[index] !== element) list.insertBefore(element, list.children[index] ?? null);
    update(element, item);
  });
}

// ---- copying -------------------------------------------------------------------------------

async function copyFrom(button) {
  const copied = await copy(button.dataset.copy);
  const label = find("[data-label-text]", button);
  button.dataset.copied = copied;
  label.textContent = copied ? "Copied" : "Select and copy it";
  announce(copied ? `Copied ${button.dataset.copy}` : "The browser did not let this page copy.");
  clearTimeout(button.timer);
  button.timer = setTimeout(() => {
    delete button.dataset.copied;
    label.textContent = button.dataset.label;
    announce("");
  }, 2000);
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelecting(text); // plain http on another host than localhost has no clipboard API
  }
}

function copyBySelecting(text) {
  const focused = document.activeElement;
  const field = document.createElement("textarea");
  field.className = "visually-hidden";
  field.readOnly = true; // no keyboard pops up on a phone
  field.value = text;
  document.body.append(field);
  field.select();
  const copied = document.execCommand("copy");
  field.remove();
  focused.focus({ preventScroll: true });
  return copied;
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) copyFrom(button);
});
document.documentElement.classList.add("scripted");
