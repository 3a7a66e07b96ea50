// `/` search, `?` help, `g` and a letter to go, and in a table with data-keys: j k to move, x to tick, Enter to open.
const rows = () => [...document.querySelectorAll("[data-keys] tbody tr, ul[data-keys] > li, ol[data-keys] > li")].filter((row) => row.offsetParent !== null);
const here = () => document.querySelector("[data-keys] .here");
let going = 0;

function move(step) {
  const all = rows();
  if (!all.length) return false;
  const next = all[Math.min(Math.max(all.indexOf(here()) + step, 0), all.length - 1)];
  here()?.classList.remove("here");
  next.classList.add("here");
  next.scrollIntoView({ block: "nearest" });
  next.querySelector("a[href]")?.focus({ preventScroll: true });
  return true;
}

function tick() {
  const box = here()?.querySelector("input[type=checkbox]");
  box?.click();
  return Boolean(box);
}

function open() {
  const link = here()?.querySelector("a[href]");
  link?.click();
  return Boolean(link);
}

function help() {
  const dialog = document.getElementById("shortcuts");
  dialog?.showModal();
  return Boolean(dialog);
}

function search() {
  const field = document.querySelector("[data-search]");
  if (field) { field.focus(); field.select?.(); return true; }
  const palette = document.querySelector("command-palette");
  palette?.open();
  return Boolean(palette);
}

function go(letter) {
  const link = document.querySelector(`a[data-go="${CSS.escape(letter)}"]`);
  link?.click();
  return Boolean(link);
}

const KEYS = { j: () => move(1), k: () => move(-1), x: tick, Enter: open, "/": search, "?": help, g: () => { going = Date.now(); return true; } };

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || document.querySelector("dialog[open]")) return;
  const at = event.target;
  if (at.matches?.("input:not([type=checkbox]), textarea, select, [contenteditable]")) { if (event.key === "Escape") at.blur(); return; }
  if (event.key === "Enter" && at.closest?.("a, button, summary, input")) return;
  const waiting = Date.now() - going < 1500;
  going = 0;
  const done = waiting ? go(event.key) : KEYS[event.key]?.();
  if (done) event.preventDefault();
});

document.addEventListener("click", (event) => { if (event.target.closest?.("[data-help]")) help(); });
