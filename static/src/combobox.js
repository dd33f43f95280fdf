// A box with choices below it, which htmx fetches while one types: arrows move, Enter takes, Escape closes. The focus
// stays in the box. `data-combobox` names the panel; a choice is a link, or somebody listens for "combobox:take".
"use strict";
(() => {
  const $$ = (query, root = document) => [...root.querySelectorAll(query)];
  const panelOf = (box) => document.getElementById(box.dataset.combobox);
  const choices = (box) => $$("[role=option]", panelOf(box));
  const boxOf = (panel) => $$("[data-combobox]").find((box) => box.dataset.combobox === panel.id);

  const mark = (box, choice) => {
    for (const one of choices(box)) one.setAttribute("aria-selected", one === choice);
    if (!choice) { box.removeAttribute("aria-activedescendant"); return; }
    box.setAttribute("aria-activedescendant", choice.id);
    choice.scrollIntoView({ block: "nearest" });
  };
  const show = (box, shown) => {
    panelOf(box).hidden = !shown;
    box.setAttribute("aria-expanded", shown && choices(box).length > 0);
    mark(box, null);
  };
  const take = (box, choice) => {
    show(box, false);
    if (choice.href) location.assign(choice.href);
    else box.dispatchEvent(new CustomEvent("combobox:take", { bubbles: true, detail: choice.dataset }));
  };

  document.addEventListener("keydown", (event) => {
    const box = event.target;
    if (!box.matches?.("[data-combobox]") || event.isComposing) return;
    const found = choices(box), at = found.findIndex((one) => one.getAttribute("aria-selected") === "true");
    const open = !panelOf(box).hidden;
    if ((event.key === "ArrowDown" || event.key === "ArrowUp") && found.length) {
      event.preventDefault();
      if (!open) show(box, true);
      const step = event.key === "ArrowDown" ? 1 : -1, next = at < 0 && step < 0 ? found.length - 1 : at + step;
      mark(box, found[next] ?? null);
    } else if (event.key === "Enter" && open && at >= 0) {
      event.preventDefault();
      take(box, found[at]);
    } else if (event.key === "Escape" && open) {
      event.preventDefault();
      event.stopPropagation();
      show(box, false);
    }
  }, true);

  // A click on a choice leaves the focus in the box; leaving the box closes the panel.
  document.addEventListener("mousedown", (event) => {
    if (event.target.closest("[role=option]:not([href])")) event.preventDefault();
  });
  document.addEventListener("click", (event) => {
    const choice = event.target.closest("[role=option]:not([href])");
    const panel = choice && $$("[data-combobox]").map(panelOf).find((one) => one.contains(choice));
    if (panel) take(boxOf(panel), choice);
  });
  document.addEventListener("focusout", (event) => {
    const panel = event.target.closest?.(".pt-search-panel");
    const box = panel ? boxOf(panel) : event.target.matches?.("[data-combobox]") && event.target;
    if (box && box !== event.relatedTarget && !panelOf(box).contains(event.relatedTarget)) show(box, false);
  });
  document.addEventListener("input", (event) => {
    if (event.target.matches("[data-combobox]") && !event.target.value.trim()) show(event.target, false);
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    const box = boxOf(event.detail.target);
    if (!box) return;
    show(box, document.activeElement === box && box.value.trim() !== "" && panelOf(box).childElementCount > 0);
    const said = event.detail.target.querySelector("[data-said]");
    if (said) document.querySelector("[data-live-region]").textContent = said.dataset.said;
  });

  // The key / leads to the search box, unless one is typing.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]")) return;
    const box = $$("[data-slash]").find((one) => one.checkVisibility()) ?? document.querySelector("main [type=search]");
    if (!box) return;
    event.preventDefault();
    box.focus();
    box.select();
  });
})();
