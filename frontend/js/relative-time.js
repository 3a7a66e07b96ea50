// <relative-time><time datetime title>2 h ago</time></relative-time>: keeps the words true while the page stays open.
const UNITS = [["minute", 60], ["hour", 3600], ["day", 86400]];
const words = new Intl.RelativeTimeFormat(document.documentElement.lang || "en", { numeric: "auto", style: "short" });

function measure(when) {
  const seconds = (when - Date.now()) / 1000;
  const size = Math.abs(seconds);
  if (size < 60) return { unit: "second", count: 0 };
  const [unit, length] = UNITS.findLast(([, length]) => size >= length);
  return { unit, count: Math.trunc(seconds / length) };
}

class RelativeTime extends HTMLElement {
  connectedCallback() {
    this.time = this.querySelector("time");
    const when = Date.parse(this.time?.dateTime ?? "");
    if (Number.isNaN(when) || Math.abs(when - Date.now()) > 30 * 86400e3) return;
    this.shown = measure(when);
    this.timer = setInterval(() => this.refresh(measure(when)), 30_000);
  }

  disconnectedCallback() { clearInterval(this.timer); }

  refresh(next) {
    const last = this.shown;
    if (next.unit === last.unit && next.count === last.count) return;
    const figure = String(Math.abs(last.count));
    const text = this.time.textContent;
    // Within minutes or hours only the figure changes, and the page's own words stay.
    if (next.unit === last.unit && next.unit !== "day" && text.includes(figure)) this.time.textContent = text.replace(figure, String(Math.abs(next.count)));
    else this.time.textContent = words.format(next.count, next.unit);
    this.shown = next;
  }
}
customElements.define("relative-time", RelativeTime);
