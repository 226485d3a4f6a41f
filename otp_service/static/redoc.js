"use strict";

// Fonts that are there: ReDoc's own choice would have to be fetched.
const SANS = "'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";
const MONO = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', monospace";

// Light only: some of ReDoc's colours are fixed and can't be read on a dark page.
const theme = {
  colors: { primary: { main: "#00705c" } },
  typography: {
    fontFamily: SANS,
    headings: { fontFamily: SANS },
    code: { fontFamily: MONO },
  },
};

const element = document.getElementById("redoc");
// Code that scrolls, for who has no mouse.
const reachable = () => {
  for (const code of element.querySelectorAll("pre:not([tabindex])")) code.tabIndex = 0;
};
new MutationObserver(reachable).observe(element, { childList: true, subtree: true });
Redoc.init(element.dataset.specUrl, { theme }, element);
