// Ticks what grows in this season, as the API tells it.
import { fetchJson } from "./market.js";

const button = document.querySelector("#suggest");
const answer = document.querySelector("#suggested");
const most = 5;

button.hidden = false;
button.addEventListener("click", async () => {
  try {
    const { season, produce } = await fetchJson("/api/produce");
    const names = produce.filter((crop) => crop.in_season && crop.category === "vegetables").map((crop) => crop.name);
    for (const box of document.querySelectorAll("[name=crops]")) box.checked = names.slice(0, most).includes(box.value);
    answer.textContent = `Ticked ${Math.min(most, names.length)} vegetables that are at their best in ${season}.`;
  } catch {
    answer.textContent = "The suggestions could not be loaded.";
  }
});
