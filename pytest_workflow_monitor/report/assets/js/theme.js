// The button that switches between the light and the dark page.

const THEMES = ["system", "light", "dark"];

function startTheme() {
  const button = byId("theme");
  const show = () =>
    (button.textContent = `Theme: ${document.documentElement.dataset.theme || "system"}`);
  button.addEventListener("click", () => {
    const current = THEMES.indexOf(document.documentElement.dataset.theme || "system");
    chooseTheme(THEMES[(current + 1) % THEMES.length]);
    show();
  });
  show();
}

function chooseTheme(theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem("workflow-monitor-theme", theme);
  } catch {
    // Storage can be forbidden; the choice then lasts as long as the page.
  }
}
