//! The HTML page of a report in a real browser: it sorts, filters, zooms and explains, asks nothing of
//! a network and says nothing in the console.
//!
//! Needs Chromium (`.ci/run` installs it); says SKIPPED without. Pictures are kept below the target
//! folder, in `report-pages/`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use support::browser::Browser;
use support::every_section::Sections;
use support::shared::skipped;
use support::words::{run, run_in};

const EAGER: &str = "fixtures/traces/wno-request/eager-450.sqlite.zst";
const LOOPED: &str = "fixtures/traces/wno-request/looped-1860.sqlite.zst";
const HOSTILE: &str = "fixtures/traces/hostile-names/hostile-names.sqlite";
const TIMELINE: &str = "figure.timeline canvas";

fn report(words: &[&str]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("report");
    let mut all =
        vec!["report", "--no-project", "--format", "html", "--out", out.to_str().unwrap()];
    all.extend(words);
    let said = run(&all);
    assert_eq!(said.code, 0, "{}", said.err);
    let page = out.join("report.html");
    (folder, page)
}

fn browser(width: u32, height: u32) -> Option<Browser> {
    let browser = Browser::start(width, height);
    if browser.is_none() {
        skipped("the page of a report in a browser: no chromium on PATH");
    }
    browser
}

fn keep(name: &str, picture: &[u8]) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../report-pages");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(name), picture).unwrap();
}

#[track_caller]
fn quiet(browser: &Browser, page: &Path) {
    assert_eq!(browser.requests(), [format!("file://{}", page.display())], "only the page itself");
    assert_eq!(browser.console(), [] as [String; 0]);
}

fn column(browser: &mut Browser, table: &str, key: &str) -> Vec<String> {
    let cells = browser.eval(&format!(
        "(() => {{ const t = document.querySelector('[data-table={table}] table'); \
         const at = [...t.tHead.rows[0].cells].findIndex((c) => c.dataset.key === '{key}'); \
         return [...t.tBodies[0].rows].filter((r) => !r.hidden).map((r) => r.cells[at].textContent); }})()"
    ));
    let text = |cell: &Value| cell.as_str().unwrap().to_owned();
    cells.as_array().unwrap().iter().map(text).collect()
}

fn view(browser: &mut Browser) -> (f64, f64) {
    let ends = browser.eval(&format!(
        "(() => {{ const d = document.querySelector('{TIMELINE}').dataset; return [+d.from, +d.to]; }})()"
    ));
    (ends[0].as_f64().unwrap(), ends[1].as_f64().unwrap())
}

#[test]
fn the_page_sorts_filters_zooms_and_explains() {
    let Some(mut browser) = browser(1280, 900) else { return };
    let (_folder, page) = report(&[EAGER, LOOPED, "-w", "latency"]);
    browser.open(&page);

    // A table, by its headings.
    let numbers =
        |texts: Vec<String>| -> Vec<f64> { texts.iter().map(|t| t.parse().unwrap()).collect() };
    browser.click("[data-table=kernels] th[data-key=count] button");
    let down = numbers(column(&mut browser, "kernels", "count"));
    assert!(down.len() > 5 && down.is_sorted_by(|a, b| a >= b), "{down:?}");
    browser.click("[data-table=kernels] th[data-key=count] button");
    let up = numbers(column(&mut browser, "kernels", "count"));
    assert!(up.is_sorted() && up.len() == down.len(), "{up:?}");
    browser.click("[data-table=kernels] th[data-key=name] button");
    let names = column(&mut browser, "kernels", "name");
    assert!(names.len() == down.len() && names[0] <= names[1], "{names:?}");

    // A filter, by words and by a limit.
    browser.click("[data-table=kernels] input");
    browser.type_text("elementwise count>100");
    let kept = column(&mut browser, "kernels", "name");
    assert!(!kept.is_empty() && kept.len() < names.len(), "{kept:?}");
    assert!(kept.iter().all(|name| name.contains("elementwise")), "{kept:?}");
    assert!(numbers(column(&mut browser, "kernels", "count")).iter().all(|count| *count > 100.0));
    let told = browser.eval("document.querySelector('[data-table=kernels] output').textContent");
    assert_eq!(told, json!(format!("{} of {}", kept.len(), names.len())));

    // The timeline, by the wheel, the buttons, the mouse and the keys.
    let whole = view(&mut browser);
    let at = browser.hover(TIMELINE);
    browser.mouse("mouseWheel", at, &json!({"deltaX": 0, "deltaY": -400, "modifiers": 2}));
    let closer = view(&mut browser);
    assert!(closer.1 - closer.0 < 0.7 * (whole.1 - whole.0), "{whole:?} {closer:?}");
    browser.mouse("mousePressed", at, &json!({"button": "left", "clickCount": 1}));
    browser.mouse("mouseMoved", (at.0 + 150.0, at.1), &json!({"buttons": 1}));
    browser.mouse(
        "mouseReleased",
        (at.0 + 150.0, at.1),
        &json!({"button": "left", "clickCount": 1}),
    );
    let moved = view(&mut browser);
    assert!(moved.0 < closer.0 && ((moved.1 - moved.0) - (closer.1 - closer.0)).abs() < 3.0);
    for _ in 0..5 {
        browser.click("figure.timeline [data-do=in]");
    }
    let near = view(&mut browser);
    assert!(near.1 - near.0 < 0.05 * (closer.1 - closer.0), "{near:?}");
    browser
        .eval(&format!("document.querySelector('{TIMELINE}').scrollIntoView({{block: 'center'}})"));
    keep("zoomed.png", &browser.picture(false));
    // Some event is under the mouse on the lane of the calls; its tip names it.
    let lane = browser.eval(
        "(() => { const f = document.querySelector('figure.timeline'), t = f.timeline, b = t.canvas.getBoundingClientRect(); \
         const l = t.window.lanes.find((l) => l.kind === 'thread'), i = l.start.findIndex((s) => s > t.from && s < t.to); \
         return [b.left + t.x(l.start[i]) + 1, b.top + l.y + 6]; })()",
    );
    browser.mouse("mouseMoved", (lane[0].as_f64().unwrap(), lane[1].as_f64().unwrap()), &json!({}));
    let tip = browser.eval("document.getElementById('tip').textContent");
    assert!(tip.as_str().unwrap().starts_with("cuda"), "{tip}");
    browser.click("figure.timeline [data-do=all]");
    assert_eq!(view(&mut browser), whole);

    // A definition, where it is pointed at.
    browser.hover("[data-table=api] th[data-key=time_ns] .words");
    assert_eq!(browser.eval("document.getElementById('tip').hidden"), json!(false));
    let tip = browser.eval("document.getElementById('tip').textContent");
    assert!(tip.as_str().unwrap().contains("clipped to the window"), "{tip}");
    browser.hover("h1");
    assert_eq!(browser.eval("document.getElementById('tip').hidden"), json!(true));

    quiet(&browser, &page);
}

#[test]
fn the_page_fits_wide_and_narrow_windows_in_light_and_dark() {
    let Some(mut browser) = browser(1280, 900) else { return };
    let (_folder, page) = report(&[EAGER, "-w", "latency", "--template", "notebook"]);
    browser.open(&page);
    for (scheme, width) in [("light", 1280), ("dark", 1280), ("light", 390), ("dark", 390)] {
        browser.scheme(scheme);
        browser.resize(width, 900);
        let over = browser.eval("document.documentElement.scrollWidth - innerWidth");
        assert_eq!(over, json!(0), "{scheme} at {width}: the page is wider than its window");
        let paper = browser.eval("getComputedStyle(document.body).backgroundColor");
        assert_eq!(paper == json!("rgb(255, 255, 255)"), scheme == "light", "{paper}");
        keep(&format!("{scheme}-{width}.png"), &browser.picture(true));
    }
    browser.resize(1280, 900);
    browser.scheme("light");
    browser.click("#theme");
    assert_eq!(browser.eval("document.documentElement.dataset.theme"), json!("dark"));
    quiet(&browser, &page);
}

#[test]
fn predictions_power_and_runs_without_a_trace_have_their_sections() {
    let Some(mut browser) = browser(1280, 900) else { return };
    let sections = Sections::make();
    for (name, inputs) in
        [("power", sections.with_power()), ("documents", sections.without_trace())]
    {
        let mut words: Vec<&str> = vec!["--template", "notebook"];
        words.extend(inputs.iter().map(String::as_str));
        let (_folder, page) = report(&words);
        browser.events.clear();
        browser.open(&page);
        for (scheme, width) in [("light", 1280), ("dark", 1280), ("light", 390)] {
            browser.scheme(scheme);
            browser.resize(width, 900);
            let over = browser.eval("document.documentElement.scrollWidth - innerWidth");
            assert_eq!(over, json!(0), "{name}, {scheme} at {width}: wider than its window");
            keep(&format!("{name}-{scheme}-{width}.png"), &browser.picture(true));
        }
        let drawings = browser.eval("document.querySelectorAll('.drawing svg').length");
        assert!(drawings.as_u64().unwrap() >= 4, "{name}: {drawings} drawings");
        quiet(&browser, &page);
    }
}

#[test]
fn hostile_names_do_nothing() {
    let Some(mut browser) = browser(1280, 900) else { return };
    let (_folder, page) = report(&[HOSTILE, "-w", "latency", "--template", "notebook"]);
    browser.open(&page);
    let scripts = browser.eval("document.scripts.length");
    assert_eq!(scripts, json!(2), "the page's data and its own script");
    let name = browser.eval(
        "[...document.querySelectorAll('[data-table=kernels] td')].some((c) => c.textContent.includes('<script>alert(1)'))",
    );
    assert_eq!(name, json!(true), "the name is shown as it is");
    assert_eq!(browser.eval("document.documentElement.scrollWidth - innerWidth"), json!(0));
    keep("hostile.png", &browser.picture(true));
    quiet(&browser, &page);
}

/// Kernels that reach over both edges of the window count with what is inside.
#[test]
fn the_legend_of_a_timeline_sums_the_window_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut spec = support::spec::TraceSpec::new(support::schema::Generation::V3_13_2);
    let (process, thread) = (support::spec::process(7), support::spec::thread(7, 7));
    spec.processes.push((process, "edges".into()));
    spec.threads.push((thread, "edges".into()));
    spec.range(thread, "latency", 1_000_000, 2_000_000);
    // 100 us, 100 us and 50 us of them are inside.
    for (id, call, start, end) in [
        (1, 800_000, 900_000, 1_100_000),
        (2, 1_150_000, 1_200_000, 1_300_000),
        (3, 1_400_000, 1_950_000, 2_200_000),
    ] {
        spec.call(thread, "cudaLaunchKernel_v7000", call, call + 9_000, id);
        spec.kernel(process, "ampere_sgemm_64x64", start, end, id);
    }
    let trace = folder.path().join("edges.sqlite");
    spec.write_sqlite(&trace);
    let trace = trace.to_str().unwrap();
    let Some(mut browser) = browser(1280, 900) else { return };
    let (_folder, page) = report(&[trace, "-w", "latency", "--attribute", "overlap"]);
    browser.open(&page);
    let said = browser.eval(
        "[...document.querySelectorAll('figure.timeline .legend li')].map((item) => item.textContent)",
    );
    let said: Vec<&str> =
        said.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
    assert!(said.contains(&"gemm/plain250.000 µs"), "{said:?}");
    assert!(said.contains(&"busy250.000 µs"), "{said:?}");
    quiet(&browser, &page);
}

#[test]
fn a_window_of_ten_thousand_events_stays_small() {
    let folder = tempfile::tempdir().unwrap();
    let mut spec = support::spec::TraceSpec::new(support::schema::Generation::V3_13_2);
    let (process, thread) = (support::spec::process(7), support::spec::thread(7, 7));
    spec.processes.push((process, "many".into()));
    spec.threads.push((thread, "many".into()));
    spec.range(thread, "latency", 1_000_000, 1_000_000 + 5_000 * 20_000 + 50_000);
    for id in 1..=5_000_i64 {
        let t = 1_000_000 + id * 20_000;
        spec.call(thread, "cudaLaunchKernel_v7000", t, t + 6_000 + id % 997, id);
        let name = format!(
            "void cudnn::kernel_{}<float, (int){}, at::native::functor<float>>(T1, T2 *)",
            id % 25,
            id % 25
        );
        spec.kernel(process, &name, t + 9_000, t + 15_000 + id % 1_301, id);
    }
    let trace = folder.path().join("many.sqlite");
    spec.write_sqlite(&trace);
    let said = run_in(
        folder.path(),
        &["report", "many.sqlite", "-w", "latency", "--format", "html", "--out", "out"],
    );
    assert_eq!(said.code, 0, "{}", said.err);
    let page = folder.path().join("out/report.html");
    let size = fs::metadata(&page).unwrap().len();
    assert!(size < 3_000_000, "{size} bytes");
    assert!(size > 100_000, "{size} bytes: the events are not there");
    let Some(mut browser) = browser(1280, 900) else { return };
    browser.open(&page);
    let events = browser.eval(
        "document.querySelector('figure.timeline').timeline.window.lanes.filter((l) => ['thread', 'stream'].includes(l.kind)).reduce((n, l) => n + l.s.length, 0)",
    );
    assert_eq!(events, json!(10_000));
    keep("many-kernels.png", &browser.picture(true));
    quiet(&browser, &page);
}
