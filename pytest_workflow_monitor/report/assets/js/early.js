// Runs before anything is painted: the chosen theme, and that scripts work.
document.documentElement.classList.add("live");
try {
  const chosen = localStorage.getItem("workflow-monitor-theme");
  if (chosen === "light" || chosen === "dark") {
    document.documentElement.dataset.theme = chosen;
  }
} catch {
  // Storage can be forbidden; the theme then follows the system.
}
