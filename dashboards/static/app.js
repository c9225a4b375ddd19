// Small helps; every page works without them.
"use strict";

document.documentElement.classList.remove("no-script");

// A filter that was changed is asked for at once; the button stays for those without script.
document.addEventListener("change", (event) => {
  const form = event.target.closest("form.filters");
  if (form && event.target.matches("select, input[type=checkbox]")) form.requestSubmit();
});

// One hint open at a time; Escape closes it.
document.addEventListener("toggle", (event) => {
  if (!event.target.matches("details.hint[open]")) return;
  for (const other of document.querySelectorAll("details.hint[open]")) {
    if (other !== event.target) other.open = false;
  }
}, true);
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const open of document.querySelectorAll("details.hint[open], details.menu-toggle[open]")) {
    open.open = false;
    open.querySelector("summary").focus();
  }
});

// A decision is sent once, however often the button is pressed.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});
