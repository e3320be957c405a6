// Says whether an e-mail address can be used, as soon as it is typed.
import { afterTyping, fetchJson } from "./market.js";

const field = document.querySelector("#email");
const answer = document.querySelector("#email-answer");

async function check() {
  const address = field.value.trim();
  if (!address) return void (answer.textContent = "");
  try {
    const { usable, taken } = await fetchJson(`/api/email-address?${new URLSearchParams({ address })}`);
    if (address !== field.value.trim()) return;
    if (taken) answer.textContent = "There is an account with this address already.";
    else answer.textContent = usable ? "This address can be used." : "";
  } catch {
    answer.textContent = "This address could not be checked.";
  }
}

field.addEventListener("input", afterTyping(check));
