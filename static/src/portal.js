// Behaviour of the pages. Each block is small, finds its own hooks, does nothing on pages without them, and listens on
// the document, so that parts that htmx puts in later are served as well. Every form works without this file.
"use strict";
(() => {
  const $ = (query, root = document) => root.querySelector(query);
  const $$ = (query, root = document) => [...root.querySelectorAll(query)];
  const announce = (text) => { $("[data-live-region]").textContent = text; };

  // Theme: pressed means dark. Changes at once, is remembered here and with the person's settings.
  const root = document.documentElement;
  const showTheme = () => {
    const dark = root.classList.contains("pf-v6-theme-dark");
    for (const form of $$("[data-theme-form]")) {
      $("button", form).setAttribute("aria-pressed", dark);
      form.elements.theme.value = dark ? "light" : "dark";
    }
  };
  showTheme();
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("[data-theme-form]");
    if (!form) return;
    event.preventDefault();
    const body = new FormData(form);
    const theme = body.get("theme");
    root.classList.toggle("pf-v6-theme-dark", theme === "dark");
    try { localStorage.setItem("theme", theme); } catch (e) { /* private window: not kept */ }
    showTheme();
    // Without an answer the choice still holds in this browser.
    const headers = { "X-CSRFToken": body.get("csrfmiddlewaretoken") };
    fetch(form.action, { method: "POST", body, headers, redirect: "manual", keepalive: true }).catch(() => {});
  });

  // Navigation: open on wide screens, closed on narrow ones, where Escape and a click beside it close it.
  const sidebar = $("#sidebar"), navToggle = $("[data-nav-toggle]");
  if (sidebar && navToggle) {
    const wide = matchMedia("(min-width: 75rem)");
    const open = () => sidebar.classList.contains("pf-m-expanded");
    const set = (shown) => {
      sidebar.classList.toggle("pf-m-expanded", shown);
      sidebar.classList.toggle("pf-m-collapsed", !shown);
      sidebar.toggleAttribute("inert", !shown);
      navToggle.setAttribute("aria-expanded", shown);
    };
    set(wide.matches);
    wide.addEventListener("change", () => set(wide.matches));
    navToggle.addEventListener("click", () => set(!open()));
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !wide.matches && open()) { set(false); navToggle.focus(); }
    });
    document.addEventListener("click", (event) => {
      if (!wide.matches && open() && !sidebar.contains(event.target) && !navToggle.contains(event.target)) set(false);
    });
  }

  // Menus: Escape and a click elsewhere close them.
  document.addEventListener("click", (event) => {
    for (const menu of $$("[data-menu][open]")) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of $$("[data-menu][open]")) { menu.open = false; $("summary", menu).focus(); }
  });

  // Following the link of a message marks it as read; the page goes on meanwhile.
  for (const kind of ["click", "auxclick"]) document.addEventListener(kind, (event) => {
    const form = event.target.closest("[data-notice] a") && $("form", event.target.closest("[data-notice]"));
    if (!form || event.button > 1) return;
    fetch(form.action, { method: "POST", body: new FormData(form), redirect: "manual", keepalive: true }).catch(() => {});
  });

  // J and K move through the rows of a list, X chooses one, unless one is typing; Enter opens, as it does for any link.
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
    if (typing || event.ctrlKey || event.metaKey || event.altKey || !["j", "k", "x"].includes(event.key)) return;
    const rows = $$("[data-row]");
    if (!rows.length) return;
    const own = document.activeElement.closest("tr");
    const at = rows.findIndex((row) => own?.contains(row) || row === document.activeElement);
    if (event.key === "x") {
      const box = own && $("[data-bulk-row]:not([disabled])", own);
      if (box) { box.checked = !box.checked; box.dispatchEvent(new Event("change", { bubbles: true })); }
      return;
    }
    rows[Math.min(rows.length - 1, Math.max(0, at + (event.key === "j" ? 1 : -1)))].focus();
  });

  // Several decisions at once: how many are chosen and what they take; the note is needed unless approving.
  const showChosen = () => {
    for (const form of $$("[data-bulk]")) {
      const count = $("[data-bulk-count]", form), all = $("[data-bulk-all]", form);
      const boxes = $$("[data-bulk-row]:not([disabled])", form), chosen = boxes.filter((box) => box.checked);
      const cores = chosen.reduce((sum, box) => sum + Number(box.dataset.cpu), 0) / 1000;
      const sentence = chosen.length ? count.dataset.some.replace("{n}", chosen.length) : count.dataset.none;
      const together = (cores > 0 ? "+" : "") + cores.toLocaleString(document.documentElement.lang);
      count.textContent = sentence + (cores ? ` · ${count.dataset.cores.replace("{n}", together)}` : "");
      all.hidden = !boxes.length;
      all.checked = boxes.length > 0 && chosen.length === boxes.length;
      all.indeterminate = chosen.length > 0 && chosen.length < boxes.length;
    }
  };
  showChosen();
  document.addEventListener("change", (event) => {
    const form = event.target.closest("[data-bulk]");
    if (!form) return;
    if (event.target.matches("[data-bulk-all]")) {
      for (const box of $$("[data-bulk-row]:not([disabled])", form)) box.checked = event.target.checked;
    }
    showChosen();
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-bulk] button[name=verdict]");
    if (button) button.form.elements.note.required = button.value !== "approve";
  });
  addEventListener("pageshow", showChosen);

  // Decision panel: the button says what will happen; the note is required unless one approves.
  const showDecision = () => {
    for (const form of $$("[data-decide]")) {
      const button = $("[data-decide-button]", form);
      const choice = form.elements.verdict.value;
      if (choice) $(".pf-v6-c-button__text", button).textContent = button.dataset[choice];
      button.classList.toggle("pf-m-danger", choice === "reject");
      button.classList.toggle("pf-m-primary", choice !== "reject");
      form.elements.note.required = choice === "reject" || choice === "send_back";
    }
  };
  showDecision();
  document.addEventListener("change", (event) => { if (event.target.closest("[data-decide]")) showDecision(); });

  // A form is sent once; coming back to the page by the browser's button allows it again.
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("[data-once]");
    if (!form || event.defaultPrevented) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "yes";
    for (const button of $$("button[type=submit]", form)) {
      button.setAttribute("aria-disabled", "true");
      button.classList.add("pf-m-aria-disabled");
    }
  });
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const form of $$("[data-sent]")) {
      delete form.dataset.sent;
      for (const button of $$("button[type=submit]", form)) {
        button.removeAttribute("aria-disabled");
        button.classList.remove("pf-m-aria-disabled");
      }
    }
  });

  // The browser may have filled a form from memory: the parts that follow from it are asked for again.
  addEventListener("pageshow", () => $("#request-form")?.dispatchEvent(new Event("change", { bubbles: true })));

  // What went wrong is read first.
  $("[data-focus]")?.focus();

  // Copy buttons. The clipboard is closed to pages without TLS; there the text is at least marked to be copied.
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
    } catch (e) {
      const code = $("code", button.parentElement);
      if (code) getSelection().selectAllChildren(code);
      return;
    }
    const label = $(".pf-v6-c-button__text", button);
    if (label) label.textContent = button.dataset.copied;
    announce(button.dataset.copied);
  });

  // Charts: what draws them is fetched when the first one comes near the view. Where it cannot be, the table is shown.
  const styled = new Map();
  const style = (href) => {
    if (!styled.has(href)) {
      const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href });
      styled.set(href, new Promise((done, failed) => { link.onload = done; link.onerror = failed; }));
      document.head.append(link);
    }
    return styled.get(href);
  };
  const charts = new IntersectionObserver(async (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      charts.unobserve(target);
      try {
        const [program] = await Promise.all([import(target.dataset.program), style(target.dataset.styles)]);
        if (target.isConnected) program.draw(target);
      } catch (e) {
        target.hidden = true;
        const table = $("details", target.parentElement);
        if (table) table.open = true;
      }
    }
  }, { rootMargin: "100px" });
  const watchCharts = () => { for (const chart of $$("[data-chart]:not([data-drawn])")) charts.observe(chart); };
  watchCharts();

  // Fragments. A hidden page asks for nothing; what did not change is not touched; what fails stays, says how old it is
  // and can be asked for again. Once the session is over the server sends the whole page to the login.
  const last = new Map(), states = new Map(), fresh = new Map(), loaded = new Date();
  const polls = (element) => element.getAttribute("hx-trigger")?.startsWith("every");
  const part = (element) => element.closest?.("[data-fragment]");
  const remember = () => { for (const one of $$("[data-state]")) states.set(one.id, one.dataset.state); };
  const typed = (root = document) =>
    $$("textarea, input:not([type=hidden], [type=checkbox], [type=radio])", root).some((field) => field.value !== field.defaultValue);
  const clock = (at) => at.toLocaleTimeString(root.lang, { hour: "2-digit", minute: "2-digit" });
  const noted = (place, template) => {
    if (!place || $("[data-stale]", place)) return null;
    place.append($(template).content.cloneNode(true));
    return $("[data-stale]", place);
  };
  const stale = (element, path) => {
    const note = noted(part(element), "#stale-note");
    if (!note) return;
    const text = $("[data-stale-text]", note);
    text.textContent = text.textContent.replace("{time}", clock(fresh.get(part(element).id) ?? loaded));
    $("[data-retry]", note).dataset.retry = path;
    announce(text.textContent);
  };
  remember();

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-retry]");
    if (!button) return;
    const place = part(button);
    if (place.getAttribute("hx-trigger")?.includes("#request-form")) {
      $("#request-form").dispatchEvent(new Event("change", { bubbles: true }));
    } else {
      htmx.ajax("GET", button.dataset.retry, { source: place, target: place, swap: "outerHTML" });
    }
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (document.hidden && polls(event.detail.elt)) event.preventDefault();
    else if (!polls(event.detail.elt)) part(event.detail.elt)?.setAttribute("aria-busy", "true");
  });
  document.addEventListener("htmx:afterRequest", (event) => part(event.detail.elt)?.removeAttribute("aria-busy"));
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { elt, xhr } = event.detail;
    if (xhr.status !== 200) return;
    if (part(elt)) fresh.set(part(elt).id, new Date());
    if (polls(elt)) {
      if (last.get(elt.id) === xhr.response && !$("[data-stale]", elt)) event.detail.shouldSwap = false;
      last.set(elt.id, xhr.response);
    }
  });
  for (const failure of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(failure, (event) => {
      stale(event.detail.elt, event.detail.requestConfig.path);
    });
  }

  // A new state is said aloud, and the page around the fragment is fetched, unless something typed would be lost.
  document.addEventListener("htmx:afterSettle", () => {
    showDecision();
    watchCharts();
    const moved = $$("[data-state]").filter((one) => states.has(one.id) && states.get(one.id) !== one.dataset.state);
    remember();
    if (!moved.length) return;
    announce(moved[0].dataset.state);
    const page = $("[data-live]");
    if (!page) return;
    if (typed(page)) $("[data-moved]", page)?.removeAttribute("hidden");
    else htmx.ajax("GET", page.dataset.live, { target: "#live", select: "#live", swap: "outerHTML" });
  });
})();
