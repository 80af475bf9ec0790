// Niceties only: every page works without this file.

// Topics are suggested while somebody types.
let asked = "";
document.addEventListener("input", async ({ target }) => {
  if (target.id !== "know") return;
  const words = target.value.trim();
  if (words.length < 2 || words === asked) return;
  asked = words;
  const answer = await fetch(`/api/v1/topics?limit=8&q=${encodeURIComponent(words)}`);
  if (!answer.ok || words !== asked) return;
  const { data } = await answer.json();
  document.getElementById("topics").replaceChildren(...data.map((topic) => new Option(topic.label)));
});

// The dial answers in place, so that arrow keys can walk along it and nothing jumps.
const dial = document.getElementById("dial");
let turn = 0;
dial?.addEventListener("change", async () => {
  const mine = ++turn;
  const address = `/?${new URLSearchParams(new FormData(dial))}`;
  const answer = await fetch(address);
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (mine !== turn) return;
  if (!answer.ok || fresh.getElementById("place-problem") || document.getElementById("place-problem")) {
    location.assign(address);
    return;
  }
  for (const part of document.querySelectorAll("[data-live]")) {
    part.replaceChildren(...fresh.querySelector(`[data-live="${part.dataset.live}"]`).childNodes);
  }
  document.getElementById("said").textContent = document.getElementById("events-title").textContent;
  history.replaceState(null, "", address);
});

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).value);
    button.textContent = "Copied";
  });
}
