// What htmx needs from the page: the CSRF token, and a word when a request fails.
document.addEventListener("htmx:configRequest", (event) => {
  const token = document.querySelector("input[name=csrfmiddlewaretoken]");
  if (token && event.detail.verb !== "get") event.detail.headers["X-CSRFToken"] = token.value;
});

const failed = () => document.dispatchEvent(new CustomEvent("toast", { detail: { text: document.querySelector("toast-list")?.dataset.failed ?? "" } }));
document.addEventListener("htmx:sendError", failed);
document.addEventListener("htmx:responseError", (event) => { if (event.detail.xhr.status !== 422) failed(); });
// 422 is a form that was refused: its fields and errors are the answer.
document.addEventListener("htmx:beforeSwap", (event) => { if (event.detail.xhr.status === 422) { event.detail.shouldSwap = true; event.detail.isError = false; } });
