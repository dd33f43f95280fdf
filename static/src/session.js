// Sessions that end while somebody is at a page. A page that asks by itself with nobody there says so, so that it does
// not keep the session alive; whoever writes does. What was typed survives the login page, in this tab alone.
"use strict";
(() => {
  const KEY = "typed", QUIET_MS = 60_000, ALIVE_MS = 240_000, KEPT_MS = 3_600_000;
  const person = document.body.dataset.person, isLogin = Boolean(document.querySelector("input[autocomplete=current-password]"));
  let touched = Date.now(), asked = Date.now();
  for (const name of ["keydown", "pointerdown", "wheel", "touchstart"]) {
    document.addEventListener(name, () => { touched = Date.now(); }, { passive: true });
  }
  document.addEventListener("htmx:configRequest", (event) => {
    asked = Date.now();
    if (asked - touched > QUIET_MS) event.detail.headers["X-By-Itself"] = "true";
  });
  if (person && !isLogin) {
    setInterval(() => {
      // Somebody has typed since, on a page that asks for nothing.
      if (Date.now() - asked < ALIVE_MS || touched < asked) return;
      asked = Date.now();
      fetch("/session", { redirect: "manual" }).catch(() => {});
    }, 30_000);
  }

  const store = (text) => {
    try { text ? sessionStorage.setItem(KEY, text) : sessionStorage.removeItem(KEY); } catch (e) { /* not kept */ }
  };
  const stored = () => {
    try { return JSON.parse(sessionStorage.getItem(KEY)); } catch (e) { return null; }
  };
  // Nothing that is secret or not the person's own: passwords, files, hidden fields, credentials of clusters.
  const FIELDS = "input[name]:not([type=hidden], [type=password], [type=file], [data-secret]), " +
    "textarea[name]:not([data-secret]), select[name]";
  const fields = () => [...document.querySelectorAll(`main form[method=post] :is(${FIELDS})`)];
  const isChoice = (field) => field.type === "checkbox" || field.type === "radio";
  const keep = () => {
    if (!person || isLogin) return;
    const values = fields().map((field) => [field.name, field.value, isChoice(field) ? field.checked : null]);
    if (values.length) store(JSON.stringify({ path: location.pathname, person, at: Date.now(), values }));
  };
  document.addEventListener("submit", (event) => { if (event.target.method === "post") keep(); }, true);
  document.addEventListener("htmx:beforeOnLoad", (event) => { if (event.detail.xhr.status === 401) keep(); });

  const restore = ({ values }) => {
    const found = fields(), taken = new Set();
    for (const [name, value, checked] of values) {
      const field = found.find((one) => !taken.has(one) && one.name === name && (checked === null || one.value === value));
      if (!field) continue;
      taken.add(field);
      if (checked === null) field.value = value;
      else field.checked = checked;
    }
    const forms = new Set([...taken].map((field) => field.form));
    for (const form of forms) form.dispatchEvent(new Event("change", { bubbles: true }));
    document.querySelector("[data-live-region]").textContent = document.body.dataset.typedBack;
  };
  const typed = stored();
  if (!typed) return;
  if (isLogin) { store(JSON.stringify({ ...typed, signedOut: true })); return; }
  const isBack = typed.signedOut && typed.path === location.pathname && typed.person === person;
  store("");
  if (isBack && Date.now() - typed.at < KEPT_MS) restore(typed);
})();
