// <command-palette data-url>: Ctrl-K or a [data-palette] control opens a dialog that searches the pages and, through data-url, everything else.
const opts = { passive: false };

class CommandPalette extends HTMLElement {
  connectedCallback() {
    this.dialog = this.querySelector("dialog");
    this.input = this.querySelector("input");
    this.list = this.querySelector("[role=listbox]");
    this.said = this.querySelector("[role=status]");
    this.onKey = (event) => { if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") { event.preventDefault(); this.open(); } };
    this.onClick = (event) => { if (event.target.closest?.("[data-palette]")) { event.preventDefault(); this.open(); } };
    document.addEventListener("keydown", this.onKey, opts);
    document.addEventListener("click", this.onClick);
    this.input.addEventListener("input", () => this.search());
    this.input.addEventListener("keydown", (event) => this.steer(event));
    this.querySelector("[data-close]").addEventListener("click", () => this.dialog.close());
    this.dialog.addEventListener("click", (event) => { if (event.target === this.dialog) this.dialog.close(); });
    this.list.addEventListener("click", (event) => { const option = event.target.closest("[role=option]"); if (option) this.go(option, event.ctrlKey || event.metaKey); });
  }

  disconnectedCallback() {
    document.removeEventListener("keydown", this.onKey, opts);
    document.removeEventListener("click", this.onClick);
  }

  open() {
    if (this.dialog.open) return;
    this.pages = [...document.querySelectorAll(".side a.nav, .sheet a.nav, .dock a.dock-item:not([data-palette])")]
      .map((link) => ({ label: (link.querySelector("span") ?? link).textContent.trim(), url: link.getAttribute("href"), group: this.dataset.pages }))
      .filter((page, at, all) => all.findIndex((other) => other.url === page.url) === at);
    this.input.value = "";
    document.querySelectorAll("[popover]:popover-open").forEach((open) => open.hidePopover());
    this.dialog.showModal();
    this.search();
  }

  search() {
    const term = this.input.value.trim();
    const wanted = term.toLowerCase();
    const pages = this.pages.filter((page) => page.label.toLowerCase().includes(wanted));
    this.show(pages, term);
    clearTimeout(this.timer);
    this.asked?.abort();
    if (term.length > 1 && this.dataset.url) this.timer = setTimeout(() => this.ask(term, pages), 140);
  }

  async ask(term, pages) {
    this.asked = new AbortController();
    try {
      const answer = await fetch(`${this.dataset.url}?q=${encodeURIComponent(term)}`, { signal: this.asked.signal, headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(String(answer.status));
      const found = await answer.json();
      this.show([...(Array.isArray(found) ? found : found.results ?? []), ...pages], term, true);
    } catch (error) {
      if (error.name !== "AbortError") this.show(pages, term, true, this.dataset.failed);
    }
  }

  show(entries, term, done = false, trouble = "") {
    const groups = Map.groupBy ? Map.groupBy(entries, (entry) => entry.group ?? "") : entries.reduce((map, entry) => map.set(entry.group ?? "", [...(map.get(entry.group ?? "") ?? []), entry]), new Map());
    const nodes = [];
    for (const [title, members] of groups) nodes.push(this.group(title, members, nodes.length));
    const note = trouble || (entries.length === 0 && (done || !this.dataset.url || term.length < 2) ? this.dataset.none : "");
    this.list.replaceChildren(...nodes);
    this.list.nextElementSibling?.classList.contains("palette-none") && this.list.nextElementSibling.remove();
    if (note) this.list.after(Object.assign(document.createElement("p"), { className: "palette-none", textContent: note }));
    this.said.textContent = note || (done ? String(entries.length) : "");
    this.select(this.list.querySelector("[role=option]"));
  }

  group(title, members, at) {
    const box = document.createElement("div");
    box.setAttribute("role", "group");
    if (title) {
      const head = Object.assign(document.createElement("div"), { className: "navh", textContent: title, id: `palette-group-${at}` });
      box.setAttribute("aria-labelledby", head.id);
      box.append(head);
    }
    members.forEach((entry, index) => box.append(this.option(entry, `palette-${at}-${index}`)));
    return box;
  }

  option(entry, id) {
    const option = Object.assign(document.createElement("div"), { className: "palette-opt", id });
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", "false");
    option.dataset.url = entry.url;
    for (const text of [entry.label, entry.hint]) if (text) option.append(Object.assign(document.createElement("span"), { textContent: text }));
    return option;
  }

  select(option) {
    this.list.querySelector("[aria-selected=true]")?.setAttribute("aria-selected", "false");
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    if (option) this.input.setAttribute("aria-activedescendant", option.id);
    else this.input.removeAttribute("aria-activedescendant");
  }

  steer(event) {
    const all = [...this.list.querySelectorAll("[role=option]")];
    const at = all.findIndex((option) => option.getAttribute("aria-selected") === "true");
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && all.length) { event.preventDefault(); this.select(all[(at + step + all.length) % all.length]); }
    if (event.key === "Enter" && all[at]) { event.preventDefault(); this.go(all[at], event.ctrlKey || event.metaKey); }
  }

  go(option, apart) {
    if (apart) { window.open(option.dataset.url, "_blank", "noopener"); return; }
    this.dialog.close();
    location.assign(option.dataset.url);
  }
}
customElements.define("command-palette", CommandPalette);
