// Runs before the first paint: the stored choice (light, dark or auto; the back office shares it) or what the system prefers.
(() => {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    let choice = "auto";
    try { choice = localStorage.getItem("theme") || "auto"; } catch { /* storage is off: follow the system */ }
    const dark = choice === "dark" || (choice !== "light" && system.matches);
    document.documentElement.dataset.theme = dark ? "portal-dark" : "portal";
  };
  document.documentElement.classList.add("js");
  apply();
  // Paper is white.
  addEventListener("beforeprint", () => { document.documentElement.dataset.theme = "portal"; });
  addEventListener("afterprint", apply);
  system.addEventListener("change", apply);
  addEventListener("storage", apply);
  addEventListener("theme", apply);
})();
