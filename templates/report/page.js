"use strict";
(() => {
  const data = JSON.parse(document.getElementById("report-data").textContent);
  window.nsysAttrib = { data };

  // ---- light and dark
  const root = document.documentElement;
  const dark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const repaint = () => document.dispatchEvent(new Event("repaint"));
  document.getElementById("theme").addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    repaint();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);

  // ---- definitions, where they are pointed at
  const tip = document.getElementById("tip");
  const show = (title, text, x, y) => {
    tip.replaceChildren();
    if (title) {
      const bold = document.createElement("b");
      bold.textContent = title;
      tip.append(bold);
    }
    tip.append(text);
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    const left = Math.min(Math.max(12, x + 12), innerWidth - box.width - 12);
    const below = y + 18;
    tip.style.left = left + "px";
    tip.style.top = (below + box.height > innerHeight - 8 ? Math.max(8, y - box.height - 12) : below) + "px";
  };
  let owner = null;
  const hide = () => { tip.hidden = true; owner = null; };
  window.nsysAttrib.tip = { show, hide };
  const told = (event) => {
    const element = event.target.closest?.("[data-def], [data-tip]");
    if (!element) return;
    const key = element.dataset.def;
    const box = element.getBoundingClientRect();
    const x = event.clientX || box.left, y = event.clientY || box.bottom - 14;
    owner = element;
    if (key) {
      if (data.definitions[key]) show(key, data.definitions[key], x, y);
    } else {
      show("", element.dataset.tip, x, y);
    }
  };
  document.addEventListener("mouseover", told);
  document.addEventListener("focusin", told);
  document.addEventListener("mouseout", (event) => { if (event.target.closest?.("[data-def], [data-tip]")) hide(); });
  document.addEventListener("focusout", hide);
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
  // A page that scrolls takes the words away from under the mouse; a tip stays while they are there.
  document.addEventListener("scroll", () => { if (!owner?.matches(":hover, :focus")) hide(); }, { passive: true });

  // ---- long names open at a click
  const open = (event) => event.target.closest?.(".long")?.classList.toggle("open");
  document.addEventListener("click", open);
  document.addEventListener("keydown", (event) => { if (event.key === "Enter") open(event); });

  // ---- tables: sorted by their headings, filtered by words
  const number = (cell) => cell.dataset.v === undefined ? null : Number(cell.dataset.v);
  const compare = (a, b, sign) => {
    // What is missing stays at the end.
    if (a === null || b === null) return (a === null) - (b === null);
    return sign * (typeof a === "number" ? a - b : a.localeCompare(b));
  };
  const sort = (table, column, heading) => {
    const numeric = heading.classList.contains("n");
    const was = heading.getAttribute("aria-sort");
    const descending = was === "none" ? numeric : was === "ascending";
    for (const other of table.tHead.rows[0].cells) other.setAttribute("aria-sort", "none");
    heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
    const body = table.tBodies[0];
    const key = (row) => {
      const cell = row.cells[column];
      const value = number(cell);
      if (value !== null) return value;
      const text = cell.textContent.trim();
      return text === "" || text === "–" ? null : text;
    };
    const rows = [...body.rows].map((row) => [key(row), row]);
    const mixed = rows.some(([value]) => typeof value === "string");
    if (mixed) for (const pair of rows) if (typeof pair[0] === "number") pair[0] = pair[1].cells[column].textContent;
    rows.sort((a, b) => compare(a[0], b[0], descending ? -1 : 1));
    body.append(...rows.map((pair) => pair[1]));
  };
  // `conv share>5`: every word occurs in the row, every comparison holds in the shown unit.
  const condition = (table, word) => {
    const parts = /^([\w#]+)(<=|>=|<|>|=)(-?[\d.]+)$/.exec(word);
    const headings = [...table.tHead.rows[0].cells];
    const named = parts && headings.findIndex((h) => [h.dataset.key, h.textContent.trim().toLowerCase()].some((name) => name.startsWith(parts[1])));
    if (!parts || named < 0) return (row) => row.textContent.toLowerCase().includes(word);
    const limit = Number(parts[3]);
    const holds = { "<": (a) => a < limit, ">": (a) => a > limit, "<=": (a) => a <= limit, ">=": (a) => a >= limit, "=": (a) => a === limit }[parts[2]];
    return (row) => {
      const value = parseFloat(row.cells[named].textContent.replace(/,/g, ""));
      return !Number.isNaN(value) && holds(value);
    };
  };
  for (const figure of document.querySelectorAll("figure.table")) {
    const table = figure.querySelector("table");
    [...table.tHead.rows[0].cells].forEach((heading, column) => {
      heading.querySelector("button").addEventListener("click", () => sort(table, column, heading));
    });
    const input = figure.querySelector("input");
    if (!input) continue;
    input.title = "words that the row must hold; or a column and a limit: share>5";
    input.addEventListener("input", () => {
      const conditions = input.value.toLowerCase().split(/\s+/).filter(Boolean).map((word) => condition(table, word));
      let shown = 0;
      for (const row of table.tBodies[0].rows) {
        row.hidden = !conditions.every((holds) => holds(row));
        if (!row.hidden) shown += 1;
      }
      figure.querySelector("output").textContent = conditions.length ? `${shown} of ${table.tBodies[0].rows.length}` : "";
    });
  }
})();
