// Niceties only: every page works without this file.

// ── Parts of a page are renewed in place: [data-live] of the answer replaces [data-live] here, so that nothing jumps.
let turn = 0;
async function renew(address, options) {
  const mine = ++turn;
  const answer = await fetch(address, options);
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (mine !== turn) return null;
  const problems = [document, fresh].some((one) => one.querySelector("[role=alert]"));
  const isSamePage = [...document.querySelectorAll("[data-live]")].every((part) => counterpart(fresh, part));
  if (!answer.ok || problems || !isSamePage) {
    location.assign(answer.url);
    return null;
  }
  const focused = document.activeElement?.id;
  for (const part of document.querySelectorAll("[data-live]")) {
    part.replaceChildren(...counterpart(fresh, part).childNodes);
  }
  if (focused && document.activeElement?.id !== focused) document.getElementById(focused)?.focus();
  history.replaceState(null, "", answer.url);
  return fresh;
}
const counterpart = (page, part) => page.querySelector(`[data-live="${part.dataset.live}"]`);

const dial = document.querySelector("[data-live-form]");
async function ask() {
  const fields = [...new FormData(dial)].filter(([name, value]) => name !== "know" || value);
  const fresh = await renew(`${dial.getAttribute("action")}?${new URLSearchParams(fields)}`);
  const said = document.getElementById("events-title");
  if (fresh && said) document.getElementById("said").textContent = said.textContent;
}
dial?.addEventListener("change", ({ target }) => target.id === "know" || ask());
dial?.addEventListener("submit", (event) => {
  event.preventDefault();
  ask();
});
document.addEventListener("click", (event) => {
  const remove = event.target.closest(".levels .remove");
  if (!remove || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  renew(remove.href).then(() => document.getElementById("know")?.focus());
});

// What one says of a pick is sent, and what it changed is told, without leaving the place.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches("[data-act]")) return;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(form, event.submitter));
  const fresh = await renew(form.action, { method: "POST", body });
  const told = fresh?.getElementById("notice");
  if (!told) return;
  document.getElementById("notice")?.remove();
  document.getElementById("main").prepend(told);
  told.focus();
});

// ── Topics are suggested while somebody types (WAI-ARIA combobox with a list).
document.addEventListener("focusin", ({ target }) => {
  if (!target.matches("input[data-suggest]") || target.list_) return;
  const list = document.createElement("ul");
  list.id = "suggestions";
  list.className = "suggestions";
  list.hidden = true;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", target.labels[0].textContent);
  target.after(list);
  target.list_ = list;
  for (const [name, value] of [["role", "combobox"], ["aria-expanded", "false"], ["aria-autocomplete", "list"], ["aria-controls", list.id]])
    target.setAttribute(name, value);
  list.addEventListener("pointerdown", (event) => {
    event.preventDefault(); // the field keeps the focus
    const option = event.target.closest("li");
    if (option) choose(target, option);
  });
  target.addEventListener("blur", () => show(target, []));
  target.addEventListener("keydown", (event) => walk(target, event));
});

function show(input, topics) {
  const list = input.list_;
  list.replaceChildren(
    ...topics.map((topic, place) => {
      const option = document.createElement("li");
      option.id = `suggestion-${place}`;
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", "false");
      option.dataset.label = topic.label;
      option.append(topic.label);
      if (topic.gloss) option.append(Object.assign(document.createElement("small"), { textContent: topic.gloss }));
      return option;
    }),
  );
  list.hidden = topics.length === 0;
  input.setAttribute("aria-expanded", String(!list.hidden));
  input.removeAttribute("aria-activedescendant");
}

function walk(input, event) {
  const options = [...input.list_.children];
  const at = options.findIndex((one) => one.ariaSelected === "true");
  if (event.key === "Escape" && options.length) {
    show(input, []);
  } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && options.length) {
    const next = options.at((at < 0 && event.key === "ArrowUp" ? 0 : at) + (event.key === "ArrowDown" ? 1 : -1)) ?? options[0];
    for (const one of options) one.setAttribute("aria-selected", String(one === next));
    input.setAttribute("aria-activedescendant", next.id);
    next.scrollIntoView({ block: "nearest" });
  } else if (event.key === "Enter" && at >= 0) {
    choose(input, options[at]);
  } else return;
  event.preventDefault();
}

function choose(input, option) {
  input.value = option.dataset.label;
  show(input, []);
  input.form.requestSubmit();
}

let asked = "";
document.addEventListener("input", async ({ target }) => {
  if (!target.matches("input[data-suggest]") || !target.list_) return;
  const words = target.value.trim();
  asked = words;
  if (words.length < 2) return show(target, []);
  const answer = await fetch(`/suggest?q=${encodeURIComponent(words)}`);
  if (!answer.ok || words !== asked) return;
  show(target, await answer.json());
});

// ── An address is copied with one press.
for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const field = document.getElementById(button.dataset.copy);
    field.select();
    await navigator.clipboard.writeText(field.value);
    button.textContent = button.dataset.copied;
  });
}

// ── Who proposes something writes its hours by the clock of their own zone.
for (const field of document.querySelectorAll("[data-own-zone]")) {
  field.value = Intl.DateTimeFormat().resolvedOptions().timeZone || field.value;
}
