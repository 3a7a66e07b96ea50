// <copy-button data-copy="text or #id" data-done="Copied"><button>…</button></copy-button>
class CopyButton extends HTMLElement {
  connectedCallback() { this.addEventListener("click", this.copy); }

  disconnectedCallback() { this.removeEventListener("click", this.copy); }

  async copy() {
    const source = this.dataset.copy ?? "";
    const target = source.startsWith("#") ? document.getElementById(source.slice(1)) : null;
    try {
      await navigator.clipboard.writeText(target ? target.value ?? target.textContent.trim() : source);
      document.dispatchEvent(new CustomEvent("toast", { detail: { text: this.dataset.done ?? "✓" } }));
    } catch {
      target?.select?.();
    }
  }
}
customElements.define("copy-button", CopyButton);
