// The sandbox's phone: what the server says has arrived, shown as a chat.
// What the server sends goes in as text, never as HTML: a message may hold anything.

import { announce, find, keepLooking, setText, sync } from "./phone.js";

const STATES = {
  verified: "✓ Verified",
  expired: "Expired",
  failed: "Too many wrong codes",
  canceled: "Canceled",
  replaced: "Replaced by a newer code",
};

const log = find("#log");

let messages = []; // oldest first, of every phone
let phone = chosenPhone(); // whose chat is open
let known = null; // ids that have arrived; null before the first answer, which is no news
const unread = new Set();
let following = true; // the newest message; who scrolled up to read stays there
let clockAhead = 0; // the server's clock minus ours, in ms: another device may be minutes off
let connected = true;

// ---- what the server says ------------------------------------------------------------------

async function look(signal) {
  const response = await fetch("sandbox/messages", { signal });
  const answer = await response.json();
  clockAhead = Date.parse(response.headers.get("Date")) - Date.now() || 0;
  take(answer.data.messages);
}

function take(arrived) {
  messages = arrived;
  const news = known ? messages.filter((message) => !known.has(message.id)) : [];
  const first = known === null;
  known = new Set(messages.map((message) => message.id));
  for (const message of news) unread.add(message.id);
  if (news.length) {
    announce(news.map((m) => `New message to ${grouped(m.phone_number)}: ${m.text}`).join(" "));
  }
  if (first) render(true);
}

// ---- showing -------------------------------------------------------------------------------

function render(jump = false) {
  phone ||= messages.at(-1)?.phone_number; // then it stays: no chat opens by itself over another
  const numbers = messages.map((message) => message.phone_number).reverse().concat(phone ?? []);
  const phones = [...new Set(numbers)]; // whose message is the newest comes first
  following ||= jump;
  const chat = messages.filter((message) => message.phone_number === phone);
  sync(find("#messages"), chat, (message) => message.id, makeBubble, updateBubble);
  find("#empty").hidden = known === null || chat.length > 0;
  find(".phones").hidden = phones.length < 2; // it takes room from the chat, so it comes before
  sync(find("#phones"), phones, (number) => number, makePhone, updatePhone);
  if (jump) find('[aria-current="true"]')?.scrollIntoView({ block: "nearest", inline: "nearest" });
  if (following) log.scrollTop = log.scrollHeight;
  if (atEnd()) for (const message of chat) unread.delete(message.id);
  for (const number of phones) showCount(find(`[data-key="${number}"] .badge`), number);
  find("#jump").hidden = atEnd();
  showCount(find("#jump-count"), phone);
  showStatus();
  showCommand();
}

/** The phone that the page's address names, as in /sandbox#+1234567890; undefined if none. */
function chosenPhone() {
  return location.hash.match(/^#(\+\d+)$/)?.[1];
}

const copyOf = (template) => find(template).content.firstElementChild.cloneNode(true);

function makeBubble(message) {
  const bubble = copyOf("#message-template");
  find(".purpose", bubble).textContent = message.purpose;
  find(".text", bubble).append(...withBoldCode(message));
  showTime(find("time", bubble), message.sent_at);
  find("button", bubble).dataset.copy = message.code;
  find("button .visually-hidden", bubble).textContent = message.code;
  return bubble;
}

function updateBubble(bubble, message) {
  const left = Math.ceil((Date.parse(message.expires_at) - Date.now() - clockAhead) / 1000);
  const state = message.status === "pending" && left <= 0 ? "expired" : message.status;
  const clock = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
  const words = state === "pending" ? `Expires in ${clock}` : STATES[state] ?? state;
  bubble.dataset.state = state;
  setText(find(".state", bubble), words);
}

function makePhone(number) {
  const item = copyOf("#phone-template");
  find("a", item).href = `#${number}`;
  return item;
}

function updatePhone(item, number) {
  find("a", item).ariaCurrent = String(number === phone);
  setText(find(".number", item), grouped(number));
  const newest = newestTo(number);
  if (newest) showTime(find("time", item), newest.sent_at);
}

const newestTo = (number) => messages.findLast((message) => message.phone_number === number);

/** As people write it, such as +91 98765 43210: the server knows how each country groups them. */
const grouped = (number) => newestTo(number)?.shown_number ?? number;

function showCount(badge, number) {
  const count = messages.filter((m) => m.phone_number === number && unread.has(m.id)).length;
  badge.hidden = count === 0;
  setText(badge, count ? `${count} new` : "");
}

function showStatus() {
  const usual = phone ? `Messages to ${grouped(phone)}` : "Waiting for the first message";
  if (!connected) setText(find("#status"), "Connection lost, retrying…");
  else if (known) setText(find("#status"), usual);
}

/** The command that sends a code to the open phone, to the very address of this page. */
function showCommand() {
  const sendUrl = new URL("send-otp", location.href).href;
  const body = `'{"phone_number": "${phone ?? "+1234567890"}"}'`;
  const command = `curl ${sendUrl} \\\n -H 'Content-Type: application/json' \\\n -d ${body}`;
  for (const box of document.querySelectorAll(".command")) {
    setText(find("code", box), command);
    find("button", box).dataset.copy = command;
  }
}

function withBoldCode({ text, code }) {
  const [before, ...after] = code ? text.split(code) : [text];
  return [before, ...after.flatMap((part) => [bold(code), part])];
}

function bold(text) {
  const element = document.createElement("strong");
  element.textContent = text;
  return element;
}

function showTime(element, sentAt) {
  const date = new Date(sentAt);
  const today = date.toDateString() === new Date().toDateString();
  const day = date.toLocaleDateString("en", { day: "numeric", month: "short" });
  const clock = date.toLocaleTimeString("en", { hourCycle: "h23" });
  setText(element, today ? clock : `${day}, ${clock}`);
  element.dateTime = sentAt;
}

const atEnd = () => log.scrollHeight - log.scrollTop - log.clientHeight < 40;

// ---- starting ------------------------------------------------------------------------------

addEventListener("hashchange", () => {
  phone = chosenPhone();
  render(true);
});
find("#jump").addEventListener("click", () => render(true));
log.addEventListener("scroll", () => {
  following = atEnd();
  render();
});
addEventListener("resize", () => render());
render();
keepLooking(look, (worked) => {
  connected = worked;
  render(); // without an answer too: the countdowns go on
});
