// Draws what was used over time. portal.js fetches this once a chart comes into view; the element says in data-chart
// what is drawn (tenants/usage_rows.py). The same figures are in the table below it.
import uPlot from "uplot";

const HEIGHT = 220;
const two = (number) => String(number).padStart(2, "0");

/** A colour of the theme, as the style sheet has it for charts. */
const colour = (element, name) => getComputedStyle(element).getPropertyValue(`--pt-chart-${name}`).trim();

/** The same colour, for an area below a line: #rrggbb is what a canvas makes of any of them. */
function pale(text) {
  const context = document.createElement("canvas").getContext("2d");
  context.fillStyle = text;
  return `${context.fillStyle}22`;
}

/** How a moment is written: to the minute, to the day where a step is one. */
function moment(told, at) {
  const date = uPlot.tzDate(new Date(at * 1000), told.zone);
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return told.step >= 86400 ? day : `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** The labels below: hours within a day, days beyond, months of a year. */
function ticks(told, moments) {
  const span = told.until - told.since, short = span <= 2 * 86400, long = span > 100 * 86400;
  return moments.map((at) => {
    const date = uPlot.tzDate(new Date(at * 1000), told.zone);
    if (short && (date.getHours() || date.getMinutes())) return `${two(date.getHours())}:${two(date.getMinutes())}`;
    const day = `${two(date.getMonth() + 1)}-${two(date.getDate())}`;
    return long ? `${date.getFullYear()}-${day.slice(0, date.getDate() === 1 ? 2 : 5)}` : day;
  });
}

function options(element, told, said) {
  const ink = colour(element, "ink"), line = colour(element, "line"), used = colour(element, "used");
  const number = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 2 });
  const axis = { stroke: ink, font: `12px ${getComputedStyle(element).fontFamily}` };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    tzDate: (at) => uPlot.tzDate(new Date(at * 1000), told.zone),
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false } },
    scales: {
      x: { range: () => [told.since, told.until] },
      y: { range: (_chart, _least, most) => [0, most > 0 ? most * 1.08 : 1] },
    },
    axes: [
      { ...axis, grid: { show: false }, ticks: { stroke: line, size: 4 }, size: 30, space: 72, values: (_chart, at) => ticks(told, at) },
      { ...axis, grid: { stroke: line, width: 1 }, ticks: { show: false }, size: 52, values: (_chart, all) => all.map((one) => number.format(one)) },
    ],
    series: [
      {},
      { stroke: used, width: 2, fill: pale(used), points: { size: 4, fill: used } },
      { stroke: colour(element, "limit"), width: 1.5, dash: [6, 4], paths: uPlot.paths.stepped({ align: 1 }), points: { show: false } },
    ],
    hooks: { setCursor: [(chart) => said(chart.cursor.idx)] },
  };
}

/** What the picture says at one place of it. */
function sentence(told, index) {
  const [at, used, limit] = [told.at[index], told.used[index], told.limit[index]];
  const text = used === null ? told.unknown : limit === null ? told.said_unlimited : told.said;
  const number = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 2 });
  const words = { at: moment(told, at), used: number.format(used), limit: number.format(limit), unit: told.unit };
  return text.replace(/\{(\w+)\}/g, (_whole, name) => words[name]).trim();
}

/** Where the arrow keys lead from a place. */
function next(key, index, last) {
  const far = Math.max(1, Math.round(last / 10));
  return {
    ArrowLeft: index - 1, ArrowDown: index - 1, ArrowRight: index + 1, ArrowUp: index + 1,
    PageDown: index - far, PageUp: index + far, Home: 0, End: last,
  }[key];
}

export function draw(element) {
  const told = JSON.parse(element.dataset.chart), last = told.at.length - 1;
  const picture = document.createElement("div"), readout = document.createElement("p");
  picture.className = "pt-chart-picture";
  readout.className = "pt-sub pt-small pt-chart-readout";
  element.replaceChildren(picture, readout);

  // Along time it is a slider: screen readers say where it stands, and what is there.
  let place = last;
  const roles = { role: "slider", tabindex: 0, "aria-label": told.label, "aria-valuemin": 0, "aria-valuemax": last };
  for (const [name, value] of Object.entries(roles)) picture.setAttribute(name, value);
  const say = (index) => {
    // Beside the picture the pointer is at no place of it.
    if (index === null || index === undefined) return;
    place = index;
    readout.textContent = sentence(told, index);
    picture.setAttribute("aria-valuenow", index);
    picture.setAttribute("aria-valuetext", readout.textContent);
  };
  say(last);

  let chart;
  const paint = () => {
    chart?.destroy();
    chart = new uPlot(options(picture, told, say), [told.at, told.used, told.limit], picture);
  };
  paint();
  picture.addEventListener("keydown", (event) => {
    const wanted = next(event.key, place, last);
    if (wanted === undefined) return;
    event.preventDefault();
    const index = Math.min(last, Math.max(0, wanted));
    chart.setCursor({ left: chart.valToPos(told.at[index], "x"), top: HEIGHT / 3 }, false);
    say(index);
  });

  // The width of its card, and the colours of the theme, may change; a picture that was replaced ends.
  const sized = new ResizeObserver(() => {
    if (!element.isConnected) { sized.disconnect(); themed.disconnect(); chart.destroy(); return; }
    if (picture.clientWidth && picture.clientWidth !== chart.width) chart.setSize({ width: picture.clientWidth, height: HEIGHT });
  });
  const themed = new MutationObserver(() => { if (element.isConnected) paint(); });
  sized.observe(picture);
  themed.observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
  element.dataset.drawn = "yes";
}
