// The pages, as text. Whatever a person typed goes through `safe`.

const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;" };
const safe = (text) => String(text ?? "").replace(/[&<>"']/g, (character) => ENTITIES[character]);

function page(title, content) {
  return `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>${title} · Example shop</title>
  <link rel="stylesheet" href="/style.css">
  <link rel="icon" href="data:,">
</head>
<body>
  <main>
    <p class="shop">Example shop</p>
${content}
  </main>
</body>
</html>`;
}

const hidden = ({ csrf }) => `<input type="hidden" name="csrf" value="${safe(csrf)}">`;

/** What there is to say above a form's field. */
function told({ error, said }) {
  if (error) return `<p class="said error" id="said" role="alert">${safe(error)}</p>`;
  return said ? `<p class="said message" id="said" role="status">${safe(said)}</p>` : "";
}

export const phonePage = (session, { typed, ...words }) => page("Sign in", `
<h1>Sign in</h1>
<p>We send you a code, on WhatsApp or by SMS.</p>
<form method="post" action="/">
  ${hidden(session)}
  ${told(words)}
  <label for="phone">Phone number</label>
  <input id="phone" name="phone_number" type="tel" autocomplete="tel" inputmode="tel" required autofocus
         value="${safe(typed)}" aria-describedby="hint said">
  <p class="hint" id="hint">With its country code, such as +91&nbsp;98765&nbsp;43210</p>
  <button>Send code</button>
</form>`);

export function codePage(session, words) {
  const { phoneNumber, channel, expires, resend, mayResend } = session.begun;
  const [left, pause] = [expires, resend].map((end) => Math.max(0, Math.round((end - Date.now()) / 1000)));
  const clock = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
  return page("Enter your code", `
<h1>Enter your code</h1>
<p>We have sent it to <b>${safe(phoneNumber)}</b> ${channel}. <a href="/">Not your number?</a></p>
<form method="post" action="/code">
  ${hidden(session)}
  ${told(words)}
  <label for="otp">Code</label>
  <input id="otp" name="otp" class="code" autocomplete="one-time-code" inputmode="numeric" required autofocus
         aria-describedby="hint said">
  <p class="hint" id="hint" data-seconds="${left}" data-over="It has expired. Ask for a new one.">
    It is good for <span role="timer">${clock}</span></p>
  <button>Sign in</button>
</form>
${mayResend ? `<form method="post" action="/resend">
  ${hidden(session)}
  <button class="quiet" id="resend" data-seconds="${pause}">Send a new code</button>
</form>` : ""}
<script src="/code.js"></script>`);
}

export const signedInPage = (session) => page("Signed in", `
<h1>You are signed in</h1>
<p>as <b>${safe(session.phoneNumber)}</b></p>
<form method="post" action="/sign-out">
  ${hidden(session)}
  <button class="quiet">Sign out</button>
</form>`);
