// Unsaved changes, ticked rows, filters that apply themselves.
const state = (form) => new URLSearchParams([...new FormData(form)].map(([name, value]) => [name, typeof value === "string" ? value : value.name])).toString();
const guarded = new Map();

function guard(form) { if (!guarded.has(form)) guarded.set(form, state(form)); }

function watch(root) { root.querySelectorAll?.("form[data-guard]").forEach(guard); }

addEventListener("beforeunload", (event) => {
  for (const [form, before] of guarded) {
    if (!form.isConnected) guarded.delete(form);
    else if (state(form) !== before) event.preventDefault();
  }
});
document.addEventListener("submit", (event) => {
  guarded.delete(event.target);
  // A second click on the same button must not send twice; the button that was pressed still sends its name.
  // Unless what comes is a file: then the page stays, and so must its buttons.
  if (event.target.method === "post" && !event.target.hasAttribute("hx-post") && !event.submitter?.hasAttribute("data-download")) setTimeout(() => event.target.querySelectorAll("button[type=submit], button:not([type])").forEach((button) => { button.disabled = true; }));
});
addEventListener("pageshow", (event) => { if (event.persisted) document.querySelectorAll("form button:disabled").forEach((button) => { button.disabled = false; }); });

function picks(scope) { return [...scope.querySelectorAll("tbody .pick input[type=checkbox], [data-pick]")]; }

function count(scope) {
  const all = picks(scope);
  const ticked = all.filter((box) => box.checked).length;
  const every = scope.querySelector("[data-pick-every]:checked");
  const bar = scope.querySelector("[data-bulk]");
  bar?.toggleAttribute("data-on", ticked > 0);
  scope.querySelectorAll("[data-picked]").forEach((figure) => { figure.textContent = every?.dataset.pickEvery || ticked.toLocaleString(document.documentElement.lang); });
  const whole = scope.querySelector("[data-pick-all]");
  if (whole) { whole.checked = ticked > 0 && ticked === all.length; whole.indeterminate = ticked > 0 && ticked < all.length; }
}

document.addEventListener("change", (event) => {
  const box = event.target;
  const scope = box.closest?.("form") ?? document;
  if (box.matches?.("[data-pick-all]")) picks(scope).forEach((pick) => { pick.checked = box.checked; });
  if (box.closest?.(".pick") || box.matches?.("[data-pick], [data-pick-every]")) count(scope);
  if (box.matches?.("[data-submit]")) box.form?.requestSubmit();
});
// What is to be done to the ticked rows needs a choice first; without it nothing is sent, and the ticks stay.
document.addEventListener("click", (event) => {
  const button = event.target.closest?.("button[data-needs]");
  const choice = button?.form.elements[button.dataset.needs];
  if (!choice || choice.value) return;
  event.preventDefault();
  choice.focus();
  choice.showPicker?.();
});
document.addEventListener("click", (event) => {
  const clear = event.target.closest?.("[data-pick-none]");
  if (!clear) return;
  const scope = clear.closest("form") ?? document;
  picks(scope).forEach((pick) => { pick.checked = false; });
  count(scope);
});

function ready(root) { watch(root); document.querySelectorAll("[popover][data-open]").forEach((form) => { form.removeAttribute("data-open"); form.showPopover(); }); document.querySelectorAll("[data-bulk]").forEach((bar) => count(bar.closest("form") ?? document)); }
ready(document);
document.addEventListener("htmx:load", (event) => ready(event.target));
