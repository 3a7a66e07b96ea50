// <theme-switch data-light data-dark data-system>: three buttons; several on a page stay in step.
const CHOICES = [["light", "M12 3v1M12 20v1M3 12h1M20 12h1M5.6 5.6l.7.7M17.7 17.7l.7.7M5.6 18.4l.7-.7M17.7 6.3l.7-.7M16 12a4 4 0 1 1-8 0 4 4 0 0 1 8 0z"], ["dark", "M20.99 12.49A9 9 0 1 1 11.51 3a7 7 0 0 0 9.48 9.49z"], ["system", "M3 5a2 2 0 0 1 2-2h14a2 2 0 0 1 2 2v10a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2zM8 21h8M12 17v4"]];
const SVG = "http://www.w3.org/2000/svg";

function stored() {
  try { const value = localStorage.getItem("theme"); return value === "light" || value === "dark" ? value : "system"; } catch { return "system"; }
}

function store(choice) {
  try { localStorage.setItem("theme", choice === "system" ? "auto" : choice); } catch { /* the choice then lasts for this page */ }
  dispatchEvent(new Event("theme"));
}

function drawing(path) {
  const svg = document.createElementNS(SVG, "svg");
  for (const [name, value] of Object.entries({ class: "i", viewBox: "0 0 24 24", fill: "none", stroke: "currentColor", "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true" })) svg.setAttribute(name, value);
  svg.append(document.createElementNS(SVG, "path"));
  svg.firstChild.setAttribute("d", path);
  return svg;
}

class ThemeSwitch extends HTMLElement {
  connectedCallback() {
    this.setAttribute("role", "group");
    this.replaceChildren(...CHOICES.map(([choice, path]) => {
      const button = Object.assign(document.createElement("button"), { type: "button" });
      button.dataset.choice = choice;
      button.append(drawing(path), this.dataset[choice] ?? choice);
      button.addEventListener("click", () => store(choice));
      return button;
    }));
    this.mark = () => { for (const button of this.children) button.setAttribute("aria-pressed", String(button.dataset.choice === stored())); };
    this.mark();
    addEventListener("theme", this.mark);
  }

  disconnectedCallback() { removeEventListener("theme", this.mark); }
}
customElements.define("theme-switch", ThemeSwitch);
