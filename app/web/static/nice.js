// Niceties only: every page works without this file.
const field = document.getElementById("know");
const list = document.getElementById("topics");
if (field && list) {
  let asked = "";
  field.addEventListener("input", async () => {
    const words = field.value.trim();
    if (words.length < 2 || words === asked) return;
    asked = words;
    const answer = await fetch(`/api/v1/topics?limit=8&q=${encodeURIComponent(words)}`);
    if (!answer.ok || words !== asked) return;
    const { data } = await answer.json();
    list.replaceChildren(...data.map((topic) => new Option(topic.label)));
  });
}
const dial = document.getElementById("dial");
if (dial) {
  dial.classList.add("live");
  dial.addEventListener("change", () => dial.requestSubmit());
}
for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).value);
    button.textContent = "Copied";
  });
}
