// Search as you type: asks the API and fills the shelf from a template.
import { afterTyping, fetchJson, money } from "./market.js";

const form = document.querySelector("#filters");
const shelf = document.querySelector("#shelf");
const status = document.querySelector("#found");
const card = document.querySelector("#card");
let latest = 0;

function fill(product) {
  const item = card.content.cloneNode(true);
  const title = item.querySelector("h3 a");
  title.textContent = product.name;
  title.href = `/products/${product.slug}`;
  item.querySelector(".farm").textContent = product.farm;
  item.querySelector(".price").firstChild.textContent = `${money(product.price_cents)} `;
  item.querySelector(".price span").textContent = `/ ${product.unit}`;
  item.querySelector("svg").setAttribute("color", product.tint);
  item.querySelector("use").setAttribute("href", `/static/produce.svg#${product.motif}`);
  if (!product.in_season) item.querySelector(".badge").remove();
  const buy = item.querySelector("form");
  if (product.stock) {
    buy.elements.product.value = product.id;
    const label = `Add ${product.name} from ${product.farm} to the cart`;
    buy.querySelector("button").setAttribute("aria-label", label);
  } else {
    const soldOut = document.createElement("span");
    soldOut.className = "sold-out";
    soldOut.textContent = "Sold out";
    buy.replaceWith(soldOut);
  }
  return item;
}

function describe(count) {
  const text = form.elements.q.value.trim();
  const products = count === 1 ? "1 product" : `${count} products`;
  return text ? `${products} for “${text}”` : products;
}

async function search() {
  const query = new URLSearchParams(new FormData(form));
  for (const [name, value] of [...query]) if (!value) query.delete(name);
  const asked = ++latest;
  try {
    const { count, products } = await fetchJson(`/api/products?${query}`);
    if (asked !== latest) return;
    shelf.replaceChildren(...products.map(fill));
    status.textContent = describe(count);
    history.replaceState(null, "", query.size ? `?${query}` : location.pathname);
  } catch {
    if (asked === latest) status.textContent = "The search did not answer. Please try again.";
  }
}

form.querySelector("button").hidden = true;
form.addEventListener("input", afterTyping(search));
form.addEventListener("submit", (event) => {
  event.preventDefault();
  search();
});
