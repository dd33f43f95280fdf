// Forms that the server looks at while one types: fields that somebody has been in say what is wrong with them, and the
// focus stays where it is. People found in the directory are put into their field.
"use strict";
(() => {
  const $$ = (query, root = document) => [...root.querySelectorAll(query)];
  const form = document.getElementById("request-form");
  const box = form?.querySelector("[data-touched]");

  // Names of fields that somebody has been in; what the server has marked already counts as such.
  const touched = new Set();
  const touch = (name) => {
    if (!name || touched.has(name)) return false;
    touched.add(name);
    box.value = [...touched].join(",");
    return true;
  };
  if (box) {
    box.value = "";
    for (const slot of $$("[data-problem]:not(:empty)", form)) if (slot.textContent.trim()) touch(slot.dataset.problem.slice(3));
    // The form itself has a field called "name".
    form.addEventListener("change", (event) => { if (event.target !== form) touch(event.target.name); }, true);
    form.addEventListener("focusout", (event) => {
      const field = event.target;
      if (field.name && field.matches("input:not([type=hidden]), select, textarea") && touch(field.name)) {
        form.dispatchEvent(new Event("change", { bubbles: true }));
      }
    });
  }

  // A control says by itself what its slot says.
  const mark = (slot) => {
    const control = document.getElementById(slot.dataset.problem), error = `${slot.dataset.problem}-error`;
    if (!control?.matches("input, select, textarea")) return;
    const wrong = slot.childElementCount > 0;
    const described = (control.getAttribute("aria-describedby") ?? "").split(" ").filter((id) => id && id !== error);
    if (wrong) described.push(error);
    control.toggleAttribute("aria-invalid", wrong);
    if (wrong) control.setAttribute("aria-invalid", "true");
    if (described.length) control.setAttribute("aria-describedby", described.join(" "));
    else control.removeAttribute("aria-describedby");
    control.closest(".pf-v6-c-form-control")?.classList.toggle("pf-m-error", wrong);
  };
  document.addEventListener("htmx:afterSettle", () => { for (const slot of $$("#request-form [data-problem]")) mark(slot); });

  // Somebody who was found: into the box itself, or one more line of the list that it belongs to.
  document.addEventListener("combobox:take", (event) => {
    const search = event.target, list = document.getElementById(search.dataset.fills);
    if (list === search) search.value = event.detail.value;
    else {
      const lines = search.dataset.separator === "lines";
      const named = list.value.split(lines ? /\r?\n/ : /[\s,;，；、]+/).map((name) => name.trim()).filter(Boolean);
      if (!named.includes(event.detail.value)) named.push(event.detail.value);
      list.value = named.join("\n");
      search.value = "";
    }
    document.querySelector("[data-live-region]").textContent = event.detail.taken;
    list.dispatchEvent(new Event("input", { bubbles: true }));
    list.dispatchEvent(new Event("change", { bubbles: true }));
  });
})();
