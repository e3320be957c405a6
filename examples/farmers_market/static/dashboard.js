// The figures at the top of the dashboard.
import { fetchJson, money } from "./market.js";

const state = document.querySelector("#figures-state");

try {
  const { orders, farms, spent_cents } = await fetchJson("/api/account");
  document.querySelector("#orders-figure").textContent = orders;
  document.querySelector("#farms-figure").textContent = farms;
  document.querySelector("#spent-figure").textContent = money(spent_cents);
  document.querySelector("#figures").hidden = false;
  state.hidden = true;
} catch {
  state.textContent = "Your figures could not be loaded.";
}
