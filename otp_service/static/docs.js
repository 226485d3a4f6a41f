"use strict";

// Swagger UI has a dark scheme, but waits for this class instead of asking the browser.
const dark = matchMedia("(prefers-color-scheme: dark)");
const followScheme = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", followScheme);
followScheme();

// What Swagger UI shows without a name: a screen reader would have nothing to say.
const NAMES = {
  "#servers": "Server",
  ".examples-select-element": "Example",
  ".content-type": "Media type",
  ".body-param__text": "Request body",
  ".parameters select": "Value",
  ".json-schema-2020-12-accordion:not(:has(.json-schema-2020-12__title))": "Schema",
  ".close-modal": "Close",
  ".copy-to-clipboard button": "Copy",
};
const element = document.getElementById("swagger-ui");
const nameAll = () => {
  for (const [selector, name] of Object.entries(NAMES)) {
    for (const unnamed of element.querySelectorAll(`${selector}:not([aria-label])`)) {
      unnamed.setAttribute("aria-label", name);
    }
  }
  // Code that scrolls, for who has no mouse.
  for (const code of element.querySelectorAll("pre:not([tabindex])")) code.tabIndex = 0;
};
new MutationObserver(nameAll).observe(element, { childList: true, subtree: true });

SwaggerUIBundle({
  url: element.dataset.specUrl,
  domNode: element,
  deepLinking: true,
  validatorUrl: null, // its badge would send the description's address to another site
});
