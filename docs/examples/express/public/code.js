// Counts seconds from when the page came, on a clock that nobody sets.
"use strict";

const hint = document.getElementById("hint");
const timer = hint.querySelector("span");
const resend = document.getElementById("resend");
const label = resend?.textContent;

function left(element) {
  return Math.max(0, Math.ceil(Number(element.dataset.seconds) - performance.now() / 1000));
}

function clock(seconds) {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function tick() {
  if (left(hint)) timer.textContent = clock(left(hint));
  else hint.textContent = hint.dataset.over;
  if (resend) {
    resend.disabled = left(resend) > 0;
    resend.textContent = resend.disabled ? `${label} in ${clock(left(resend))}` : label;
  }
  if (left(hint) || (resend && left(resend))) setTimeout(tick, 250);
}

tick();
