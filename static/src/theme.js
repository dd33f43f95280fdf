// Runs before first paint. The server writes the person's choice on <html>; this covers those who made none.
(function () {
  var root = document.documentElement;
  var wanted = root.dataset.theme;
  if (!wanted) { try { wanted = localStorage.getItem("theme"); } catch (e) { wanted = null; } }
  var dark = wanted ? wanted === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.classList.toggle("pf-v6-theme-dark", dark);
  root.classList.add("pt-scripted");
})();
