// The data of the page: gzip-compressed JSON in base64, in elements that no browser runs.

const origin = Number(document.body.dataset.origin);
const hasHistory = document.body.dataset.history === "yes";

async function unpack(element) {
  const binary = atob(element.textContent);
  const bytes = new Uint8Array(binary.length);
  for (let index = 0; index < binary.length; index += 1) bytes[index] = binary.charCodeAt(index);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).json();
}

function loadRows() {
  return unpack(byId("data-rows"));
}

const chunks = [];

function findChunks() {
  let first = 0;
  for (const element of document.querySelectorAll("script[data-chunk]")) {
    const count = Number(element.dataset.chunk);
    chunks.push({ element, first, end: first + count, details: null });
    first += count;
  }
}

// The detail of the execution at this position of the session.
async function loadDetail(position) {
  if (!chunks.length) findChunks();
  const chunk = chunks.find((item) => position < item.end);
  chunk.details ||= unpack(chunk.element);
  return (await chunk.details)[position - chunk.first];
}

// Pictures are in the entries that show them first, or else at the end of the file.
const pictureElements = new Map();

function findPictures() {
  for (const element of document.querySelectorAll("[data-picture]")) {
    pictureElements.set(Number(element.dataset.picture), element);
  }
}

// What an image element needs to show the picture of this number.
function pictureSource(number) {
  const element = pictureElements.get(number);
  if (element instanceof HTMLImageElement) {
    const [width, height] = ["width", "height"].map((name) => element.getAttribute(name));
    return { src: element.src, width, height };
  }
  const { type, width, height } = element.dataset;
  return { src: `data:${type};base64,${element.textContent}`, width, height };
}
