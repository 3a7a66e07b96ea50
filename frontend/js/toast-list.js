// <toast-list>: the messages of the page as toasts that leave after ten seconds, unless somebody is on them.
// More come from the server as an event: HX-Trigger: {"toast": {"text": "Assigned", "undo": "/leads/…/undo/"}}.
const STAY = 10_000;

class ToastList extends HTMLElement {
  connectedCallback() {
    this.list = this.querySelector(".toasts");
    this.show = (event) => this.add(event.detail);
    document.addEventListener("toast", this.show);
    // A live region speaks what arrives after it, so the page's own messages arrive once more.
    const own = [...this.list.children];
    this.list.replaceChildren();
    setTimeout(() => own.forEach((toast) => this.place(toast)), 60);
  }

  disconnectedCallback() { document.removeEventListener("toast", this.show); }

  add(detail) {
    const toast = Object.assign(document.createElement("div"), { className: "toast" });
    toast.append(Object.assign(document.createElement("span"), { textContent: detail.text ?? detail.value ?? String(detail) }));
    if (detail.undo) toast.append(this.undoForm(detail.undo));
    this.place(toast);
  }

  undoForm(action) {
    const form = Object.assign(document.createElement("form"), { method: "post", action });
    const token = document.querySelector("input[name=csrfmiddlewaretoken]");
    if (token) form.append(token.cloneNode());
    form.append(Object.assign(document.createElement("button"), { className: "undo", textContent: this.dataset.undo }));
    return form;
  }

  place(toast) {
    const close = Object.assign(document.createElement("button"), { type: "button", className: "close", textContent: "×" });
    close.setAttribute("aria-label", this.dataset.close);
    close.addEventListener("click", () => toast.remove());
    toast.append(close);
    this.list.append(toast);
    this.leave(toast);
  }

  leave(toast) {
    let timer;
    const start = () => { timer = setTimeout(() => toast.remove(), STAY); };
    const stop = () => clearTimeout(timer);
    for (const [event, act] of [["pointerenter", stop], ["focusin", stop], ["pointerleave", start], ["focusout", start]]) toast.addEventListener(event, act);
    start();
  }
}
customElements.define("toast-list", ToastList);
