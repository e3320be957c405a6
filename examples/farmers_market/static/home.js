// The line on the home page that says what grows now.
import { fetchJson } from "./market.js";

const line = document.querySelector("#season-line");

try {
  const { season, products } = await fetchJson("/api/season");
  line.textContent = `It is ${season}, and ${products} kinds of produce are in season.`;
} catch {
  line.textContent = "What is in season could not be loaded.";
}
