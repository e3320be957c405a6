// Works out delivery and total as soon as the postcode is known.
import { afterTyping, fetchJson, money } from "./market.js";

const postcode = document.querySelector("#postcode");
const delivery = document.querySelector("#delivery");
const total = document.querySelector("#total");

async function quote() {
  if (!/^\d{5}$/.test(postcode.value.trim())) return;
  try {
    const sums = await fetchJson(`/api/delivery?${new URLSearchParams({ postcode: postcode.value.trim() })}`);
    delivery.textContent = sums.delivery_cents ? money(sums.delivery_cents) : "free";
    total.textContent = money(sums.total_cents);
  } catch {
    delivery.textContent = "could not be worked out";
  }
}

postcode.addEventListener("input", afterTyping(quote));
quote();
