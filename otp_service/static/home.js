"use strict";
// Runs the commands of the tour, as they stand, and shows what the server answers.
// What it answers goes in as text, never as HTML.

const find = (selector, root) => root.querySelector(selector);

/** The body in the command: what is shown is what is sent. */
const bodyOf = (form) => find("code", form).textContent.match(/-d '(.*)'/s)[1];

async function run(form) {
  const options = { method: "POST", headers: { "Content-Type": "application/json" } };
  try {
    const response = await fetch(form.dataset.path.slice(1), { ...options, body: bodyOf(form) });
    show(form, await response.json());
  } catch {
    show(form, { success: false, message: "The server does not answer" });
  }
}

function show(form, answer) {
  const result = find(".result", form);
  result.dataset.success = answer.success;
  result.textContent = answer.message;
  result.hidden = false;
  find(".answer code", form).textContent = JSON.stringify(answer, null, 2);
  find(".answer", form).hidden = false;
  if (answer.data?.otp) fillIn(answer.data.otp);
}

/** A number without a fixed code: the one that was sent is the one to check. */
function fillIn(code) {
  const command = find("#check code", document);
  command.textContent = command.textContent.replace('"otp": "CODE"', `"otp": "${code}"`);
}

for (const form of document.querySelectorAll(".step-form")) {
  find(".run", form).disabled = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    run(form);
  });
}
document.documentElement.classList.add("scripted");
