// What every page does: ask the JSON API, and show how much is in the cart.

export async function fetchJson(path) {
  const response = await fetch(path, { headers: { Accept: "application/json" } });
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return response.json();
}

export function money(cents) {
  return `€${(cents / 100).toFixed(2)}`;
}

export function afterTyping(work, milliseconds = 250) {
  let timer;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...values), milliseconds);
  };
}

async function showCartCount() {
  const { count } = await fetchJson("/api/cart");
  document.querySelector("#cart-count").textContent = count || "";
}

showCartCount().catch(() => {});
