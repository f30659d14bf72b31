"use strict";
(() => {
  const { data, tip } = window.nsysAttrib;
  const LABEL = 11, AXIS = 26, GAP = 7, POWER = 58, ROW = { idle: 22, range: 18, thread: 20, stream: 22 };
  const duration = (ns) => {
    const size = Math.abs(ns);
    if (size >= 1e9) return (ns / 1e9).toFixed(3) + " s";
    if (size >= 1e6) return (ns / 1e6).toFixed(3) + " ms";
    if (size >= 1e3) return (ns / 1e3).toFixed(3) + " µs";
    return Math.round(ns) + " ns";
  };
  const unit = (span) => span >= 5e9 ? ["s", 1e9] : span >= 5e6 ? ["ms", 1e6] : span >= 5e3 ? ["µs", 1e3] : ["ns", 1];
  const step = (span, count) => {
    const rough = span / count, power = 10 ** Math.floor(Math.log10(rough));
    return [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough);
  };

  // Starts are stored as differences; events of a row never overlap.
  const decode = (lane) => {
    let at = lane.from;
    lane.start = Float64Array.from(lane.s, (d) => at += d);
    lane.end = Float64Array.from(lane.d, (d, i) => lane.start[i] + d);
    lane.row = lane.r || new Uint8Array(lane.s.length);
    return lane;
  };

  // In the dark, a colour is mixed with white as the legends are; black or white can be read on it.
  const tone = (color, dark) => {
    const rgb = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16)).map((v) => dark ? Math.round(v * .72 + 255 * .28) : v);
    const light = rgb.map((v, i) => (v / 255) ** 2.2 * [.2126, .7152, .0722][i]).reduce((a, b) => a + b);
    return { fill: `rgb(${rgb})`, ink: light > .2 ? "#14181c" : "#ffffff" };
  };

  class Timeline {
    constructor(figure, set) {
      this.figure = figure;
      this.set = set;
      this.canvas = figure.querySelector("canvas");
      this.pen = this.canvas.getContext("2d");
      this.output = figure.querySelector("output");
      this.find = "";
      this.hit = null;
      const select = figure.querySelector("select");
      set.windows.forEach((window, i) => {
        const option = document.createElement("option");
        option.value = i;
        option.textContent = `#${window.index} · ${duration(window.length)}${window.why ? " · " + window.why : ""}`;
        select.append(option);
      });
      select.addEventListener("change", () => this.choose(Number(select.value)));
      this.listen();
      this.choose(0);
    }

    choose(i) {
      this.window = this.set.windows[i];
      if (!this.window.ready) {
        this.window.lanes.forEach(decode);
        this.window.ready = true;
      }
      this.hit = null;
      this.layout();
      this.legend();
      this.all();
    }

    // Time inside the window alone: events that reach over an edge are cut there, as in the tables.
    legend() {
      const time = new Map(), { length } = this.window;
      for (const lane of this.window.lanes) {
        if (lane.kind === "thread" || lane.kind === "range") continue;
        lane.c.forEach((c, i) => {
          const inside = Math.max(0, Math.min(lane.end[i], length) - Math.max(lane.start[i], 0));
          time.set(c, (time.get(c) || 0) + inside);
        });
      }
      const list = this.figure.querySelector(".legend");
      list.replaceChildren(...[...time].sort((a, b) => b[1] - a[1]).map(([c, ns]) => {
        const item = document.createElement("li"), dot = document.createElement("i"), note = document.createElement("span");
        dot.style.setProperty("--c", this.set.categories[c].color);
        note.textContent = ns > 0 ? duration(ns) : "outside the window";
        item.append(dot, this.set.categories[c].name, note);
        return item;
      }));
    }

    layout() {
      let y = AXIS;
      for (const lane of this.window.lanes) {
        lane.y = y;
        lane.rowHeight = ROW[lane.kind];
        lane.height = lane.rows * lane.rowHeight;
        y += lane.height + GAP;
      }
      if (this.window.power) {
        this.window.power.y = y;
        y += POWER + GAP;
      }
      this.height = y;
    }

    // The window; its calls too, unless they were made so long before it that they would fill the picture.
    // Zooming out reaches them.
    all() {
      const [low, high] = this.window.view, length = this.window.length, edge = length / 100;
      if (length > 0 && high - low > 3.1 * length) this.view(-edge, length + edge);
      else this.view(low, high);
    }

    view(from, to) {
      const [low, high] = this.window.view, whole = high - low;
      const span = Math.min(Math.max(to - from, 50), whole);
      from = Math.min(Math.max(from, low), high - span);
      this.from = from;
      this.to = from + span;
      this.canvas.dataset.from = Math.round(this.from);
      this.canvas.dataset.to = Math.round(this.to);
      this.draw();
    }

    zoom(factor, at) { this.view(at - (at - this.from) * factor, at + (this.to - at) * factor); }
    pan(part) { const by = (this.to - this.from) * part; this.view(this.from + by, this.to + by); }
    get middle() { return (this.from + this.to) / 2; }
    x(t) { return this.gutter + (t - this.from) / (this.to - this.from) * (this.width - this.gutter); }
    t(x) { return this.from + (x - this.gutter) / (this.width - this.gutter) * (this.to - this.from); }

    draw() {
      if (!this.queued) {
        this.queued = true;
        requestAnimationFrame(() => { this.queued = false; this.paint(); });
      }
    }

    paint() {
      const ratio = devicePixelRatio || 1, { canvas, pen } = this;
      this.width = this.figure.clientWidth - 2;
      this.gutter = Math.min(168, this.width * 0.22);
      canvas.style.height = this.height + "px";
      canvas.width = Math.round(this.width * ratio);
      canvas.height = Math.round(this.height * ratio);
      pen.setTransform(ratio, 0, 0, ratio, 0, 0);
      const style = getComputedStyle(document.documentElement);
      this.ink = style.getPropertyValue("--ink").trim();
      this.soft = style.getPropertyValue("--soft").trim();
      this.line = style.getPropertyValue("--line").trim();
      this.lane = style.getPropertyValue("--lane").trim();
      this.paper = style.getPropertyValue("--paper").trim();
      this.font = getComputedStyle(document.body).fontFamily;
      const dark = style.colorScheme === "dark";
      this.tones = this.set.categories.map((category) => tone(category.color, dark));
      pen.clearRect(0, 0, this.width, this.height);
      this.axis();
      for (const lane of this.window.lanes) this.slices(lane);
      if (this.window.power) this.power(this.window.power);
      this.edges();
      if (this.hit) this.mark();
      this.output.textContent = `${duration(Math.min(this.to, this.window.length) - Math.max(this.from, 0))} of ${duration(this.window.length)} shown`;
    }

    words(text, x, y, width, color, size = LABEL) {
      const { pen } = this;
      pen.font = `${size}px ${this.font}`;
      pen.fillStyle = color;
      pen.textBaseline = "middle";
      if (pen.measureText(text).width > width) {
        let low = 0, high = text.length;
        while (low < high) {
          const half = (low + high + 1) >> 1;
          if (pen.measureText(text.slice(0, half) + "…").width <= width) low = half; else high = half - 1;
        }
        if (low < 2) return;
        text = text.slice(0, low) + "…";
      }
      pen.fillText(text, x, y);
    }

    axis() {
      const { pen } = this, span = this.to - this.from;
      const [name, scale] = unit(Math.max(Math.abs(this.from), Math.abs(this.to))), every = step(span, Math.max(2, (this.width - this.gutter) / 110));
      const digits = Math.max(0, -Math.floor(Math.log10(every / scale) + 1e-9));
      pen.textAlign = "left";
      for (let t = Math.ceil(this.from / every) * every; t <= this.to; t += every) {
        const x = Math.round(this.x(t)) + .5;
        pen.strokeStyle = this.line;
        pen.beginPath();
        pen.moveTo(x, 14);
        pen.lineTo(x, this.height);
        pen.stroke();
        this.words(`${(t / scale).toFixed(digits)} ${name}`, x + 4, 10, 110, this.soft);
      }
    }

    // The window's own edges, where events around it are shown too.
    edges() {
      const { pen } = this;
      pen.fillStyle = this.paper;
      pen.globalAlpha = .55;
      const start = this.x(0), end = this.x(this.window.length);
      if (start > this.gutter) pen.fillRect(this.gutter, AXIS, start - this.gutter, this.height);
      if (end < this.width) pen.fillRect(end, AXIS, this.width - end, this.height);
      pen.globalAlpha = 1;
    }

    slices(lane) {
      const { pen } = this, categories = this.set.categories, names = this.set.names;
      pen.fillStyle = this.lane;
      pen.fillRect(this.gutter, lane.y, this.width - this.gutter, lane.height);
      this.words(lane.title, 8, lane.y + lane.rowHeight / 2, this.gutter - 14, this.ink);
      pen.save();
      pen.beginPath();
      pen.rect(this.gutter, lane.y, this.width - this.gutter, lane.height);
      pen.clip();
      // What would fall on a pixel that is full already is left out.
      const last = new Float64Array(lane.rows).fill(-1);
      for (let i = 0; i < lane.start.length; i++) {
        if (lane.end[i] < this.from || lane.start[i] > this.to) continue;
        const left = Math.max(this.x(lane.start[i]), this.gutter - 4);
        const right = Math.min(this.x(lane.end[i]), this.width + 4);
        const row = lane.row[i];
        if (right - left < .6 && Math.round(left) === last[row]) continue;
        const width = Math.max(right - left - (right - left > 3 ? .6 : 0), .7);
        if (width < 1) last[row] = Math.round(left);
        const category = categories[lane.c[i]];
        pen.globalAlpha = this.find && !this.matches(lane, i) ? .13 : 1;
        pen.fillStyle = this.tones[lane.c[i]].fill;
        pen.fillRect(left, lane.y + row * lane.rowHeight + 1, width, lane.rowHeight - 2);
        if (width > 34) {
          const name = lane.n ? names[lane.n[i]].short : category.name;
          this.words(name, left + 4, lane.y + (row + .5) * lane.rowHeight + .5, width - 8, this.tones[lane.c[i]].ink, 10.5);
        }
      }
      pen.globalAlpha = 1;
      pen.restore();
    }

    power(power) {
      const { pen } = this, top = power.y, high = power.high * 1.08, low = 0;
      const y = (mw) => top + POWER - (mw - low) / (high - low) * POWER;
      pen.fillStyle = this.lane;
      pen.fillRect(this.gutter, top, this.width - this.gutter, POWER);
      this.words(power.title, 8, top + 9, this.gutter - 14, this.ink);
      this.words(`${(power.high / 1000).toFixed(2)} W highest`, 8, top + 24, this.gutter - 14, this.soft, 10.5);
      pen.save();
      pen.beginPath();
      pen.rect(this.gutter, top, this.width - this.gutter, POWER);
      pen.clip();
      pen.strokeStyle = power.color;
      pen.lineWidth = 1.6;
      pen.beginPath();
      power.t.forEach((t, i) => {
        const x = this.x(t);
        if (i === 0) pen.moveTo(x, y(power.mw[i])); else pen.lineTo(x, y(power.mw[i]));
      });
      pen.stroke();
      pen.fillStyle = power.color;
      power.t.forEach((t, i) => {
        const x = this.x(t);
        if (x > this.gutter && x < this.width) { pen.beginPath(); pen.arc(x, y(power.mw[i]), 2.4, 0, 7); pen.fill(); }
      });
      pen.restore();
      pen.lineWidth = 1;
    }

    // The slice that is pointed at, and the call that launched it.
    mark() {
      const { pen } = this, [lane, i] = this.hit;
      pen.strokeStyle = this.ink;
      pen.lineWidth = 1.5;
      const left = Math.max(this.x(lane.start[i]), this.gutter), right = Math.min(this.x(lane.end[i]), this.width);
      const top = lane.y + lane.row[i] * lane.rowHeight;
      pen.strokeRect(left, top + .5, Math.max(right - left, 1.5), lane.rowHeight - 1);
      const delay = lane.q ? lane.q[i] : -1;
      const thread = this.window.lanes.find((other) => other.kind === "thread");
      if (delay >= 0 && thread) {
        const call = this.x(lane.start[i] - delay);
        pen.setLineDash([3, 3]);
        pen.beginPath();
        pen.moveTo(Math.max(call, this.gutter), thread.y + thread.height);
        pen.lineTo(left, top);
        pen.stroke();
        pen.setLineDash([]);
      }
      pen.lineWidth = 1;
    }

    matches(lane, i) {
      const category = this.set.categories[lane.c[i]].name;
      const name = lane.n ? this.set.names[lane.n[i]].full : "";
      return `${category} ${name}`.toLowerCase().includes(this.find);
    }

    at(x, y) {
      if (x < this.gutter) return null;
      const lane = this.window.lanes.find((lane) => y >= lane.y && y < lane.y + lane.height);
      if (!lane) return null;
      const row = Math.floor((y - lane.y) / lane.rowHeight);
      let found = null, best = 4;
      for (let i = 0; i < lane.start.length; i++) {
        if (lane.row[i] !== row) continue;
        const left = this.x(lane.start[i]), right = this.x(lane.end[i]);
        const away = x < left ? left - x : x > right ? x - right : 0;
        if (away < best) { best = away; found = [lane, i]; }
        if (left > x + 4) break;
      }
      return found;
    }

    point(event) {
      const box = this.canvas.getBoundingClientRect();
      const x = event.clientX - box.left, y = event.clientY - box.top;
      const hit = this.at(x, y);
      if (hit?.[0] !== this.hit?.[0] || hit?.[1] !== this.hit?.[1]) { this.hit = hit; this.draw(); }
      const power = this.window.power;
      if (hit) this.tell(hit, event);
      else if (power && y >= power.y && y < power.y + POWER && x > this.gutter) this.reading(power, this.t(x), event);
      else tip.hide();
    }

    tell([lane, i], event) {
      const category = this.set.categories[lane.c[i]];
      const name = lane.n ? this.set.names[lane.n[i]].full : category.name;
      const lines = [];
      if (lane.n && lane.kind === "stream") lines.push(category.name);
      if (lane.kind === "idle") lines.push(category.means);
      lines.push(`${duration(lane.end[i] - lane.start[i])}, from ${duration(lane.start[i])}`);
      if (lane.q && lane.q[i] >= 0) lines.push(`launch delay ${duration(lane.q[i])}`);
      lines.push(lane.title);
      tip.show(name, lines.filter(Boolean).join("\n"), event.clientX, event.clientY);
    }

    reading(power, t, event) {
      let best = -1;
      power.t.forEach((at, i) => { if (best < 0 || Math.abs(at - t) < Math.abs(power.t[best] - t)) best = i; });
      if (best < 0) return;
      tip.show(`${(power.mw[best] / 1000).toFixed(3)} W`, `${power.title}\nread at ${duration(power.t[best])}`, event.clientX, event.clientY);
    }

    listen() {
      const { canvas, figure } = this;
      let drag = null;
      canvas.addEventListener("pointerdown", (event) => {
        if (event.button !== 0) return;
        drag = { x: event.clientX, from: this.from, to: this.to };
        canvas.setPointerCapture(event.pointerId);
        canvas.classList.add("moving");
      });
      canvas.addEventListener("pointermove", (event) => {
        if (!drag) { this.point(event); return; }
        tip.hide();
        const by = (drag.x - event.clientX) / (this.width - this.gutter) * (drag.to - drag.from);
        this.view(drag.from + by, drag.to + by);
      });
      const release = () => { drag = null; canvas.classList.remove("moving"); };
      canvas.addEventListener("pointerup", release);
      canvas.addEventListener("pointercancel", release);
      canvas.addEventListener("pointerleave", () => { this.hit = null; tip.hide(); this.draw(); });
      canvas.addEventListener("dblclick", (event) => this.zoom(.25, this.t(event.clientX - canvas.getBoundingClientRect().left)));
      canvas.addEventListener("wheel", (event) => {
        const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey;
        if (sideways) {
          event.preventDefault();
          this.pan((event.deltaX || event.deltaY) / 600);
        } else if (event.ctrlKey || event.metaKey || document.activeElement === canvas) {
          event.preventDefault();
          this.zoom(Math.exp(Math.max(-120, Math.min(120, event.deltaY)) / 220), this.t(event.clientX - canvas.getBoundingClientRect().left));
          this.point(event);
        }
      }, { passive: false });
      canvas.addEventListener("keydown", (event) => {
        const acts = {
          w: () => this.zoom(.7, this.middle), s: () => this.zoom(1 / .7, this.middle), a: () => this.pan(-.2), d: () => this.pan(.2),
          "+": () => this.zoom(.7, this.middle), "-": () => this.zoom(1 / .7, this.middle), 0: () => this.all(),
          ArrowLeft: () => this.pan(-.2), ArrowRight: () => this.pan(.2),
          ArrowUp: () => this.zoom(.7, this.middle), ArrowDown: () => this.zoom(1 / .7, this.middle),
        };
        if (event.ctrlKey || event.metaKey || event.altKey || !acts[event.key]) return;
        event.preventDefault();
        acts[event.key]();
      });
      const act = { in: () => this.zoom(.5, this.middle), out: () => this.zoom(2, this.middle), all: () => this.all() };
      for (const button of figure.querySelectorAll("button")) button.addEventListener("click", () => act[button.dataset.do]());
      figure.querySelector("[data-do=find]").addEventListener("input", (event) => {
        this.find = event.target.value.trim().toLowerCase();
        this.draw();
      });
      document.addEventListener("repaint", () => this.draw());
      addEventListener("beforeprint", () => this.paint());
      new ResizeObserver(() => this.draw()).observe(figure);
    }
  }

  for (const figure of document.querySelectorAll("figure.timeline")) {
    const set = data.timelines[figure.dataset.timeline];
    if (set) figure.timeline = new Timeline(figure, set);
  }
})();
