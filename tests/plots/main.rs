//! Figures: the same bytes every time, labels inside and apart (read from the SVG), numbers as in the
//! documents, names of a trace inert.
//!
//! `FIGURES=folder cargo test --test plots` writes every picture into a folder, to be looked at;
//! `BLESS=1` then takes their hashes for right.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

#[path = "../support/mod.rs"]
mod support;
mod svg_texts;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use nsys_attrib::attribution::document::KernelFunction;
use nsys_attrib::attribution::{Analysis, Analyzer, KernelSamples, Lanes, Options};
use nsys_attrib::classify::Classifier;
use nsys_attrib::compare::compare;
use nsys_attrib::compare::document::By;
use nsys_attrib::plots::palette::Rgb;
use nsys_attrib::plots::ranges::{self, Estimate, Swing, Words};
use nsys_attrib::plots::timeline::{Lane, Step, View};
use nsys_attrib::plots::{
    Figure, Group, SvgFont, Width, distribution, forest, shares, spectrum, timeline, trade,
    waterfall,
};
use nsys_attrib::trace::{Trace, source};
use nsys_attrib::units::{Nanos, Share, Span};
use nsys_attrib::windows::{Selection, Surroundings, WindowSpec, select};
use sha2::{Digest, Sha256};
use support::shared::shared_trace;
use support::words::{repository, run, run_in};
use svg_texts::{faults, size, texts};

const EAGER: &str = "fixtures/traces/wno-request/eager-450.sqlite.zst";
const LOOPED: &str = "fixtures/traces/wno-request/looped-1860.sqlite.zst";
const HOSTILE: &str = "fixtures/traces/hostile-names";
const WIDTHS: [Width; 3] = [Width::Column, Width::Text, Width::Mm(60.0)];

/// What figures are made from.
struct Documents {
    analysis: Analysis,
    samples: KernelSamples,
    lanes: Lanes,
}

fn documents(path: &Path, spec: &str) -> Documents {
    let open = source::open(path).unwrap();
    let trace = Trace::read(open.path(), open.connection()).unwrap();
    let rules = Classifier::shipped().unwrap();
    let around = Surroundings { messages: trace.ranges.texts(), read_file: &|_| unreachable!() };
    let parsed = WindowSpec::parse(spec, &around).unwrap();
    let set = select(&trace, spec, &parsed, &Selection::default()).unwrap();
    let analyzer = Analyzer::new(&trace, &rules);
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let how = Options { path: name, ..Options::default() };
    Documents {
        analysis: analyzer.analyze(&set, &how),
        samples: analyzer.kernel_samples(&set, &how),
        lanes: analyzer.lanes(&set.only(&[0]), &how).remove(0),
    }
}

fn bundled(name: &str) -> Documents {
    documents(&repository().join(name), "latency")
}

/// Every figure that one or two traces give.
fn figures(all: &[Documents], width: Width) -> Vec<(String, Figure)> {
    let groups = Group::each(all.iter().map(|one| one.analysis.clone()).collect());
    let samples: Vec<(String, KernelSamples)> = groups
        .iter()
        .zip(all)
        .map(|(group, one)| (group.name.clone(), one.samples.clone()))
        .collect();
    let mut figures = vec![
        ("api", shares::api(&groups, width, 10)),
        ("classes", shares::classes(&groups, width, 10)),
        ("kernels", shares::kernels(&groups, width, 25)),
        ("latency", distribution::latency(&groups, width)),
        ("idle", waterfall::idle(&groups, width)),
        ("delays", distribution::delays(&samples, width)),
    ];
    for one in all {
        figures.push(("durations", spectrum::durations(&one.samples, width, 10)));
        figures.push(("timeline", timeline::timeline(&one.lanes, &View::default(), width)));
        let start = one.lanes.window.start_ns.as_ns();
        let length = (one.lanes.window.end_ns - one.lanes.window.start_ns).as_ns();
        let zoom = Span::from_ns(start + length / 3, start + length / 3 + length / 50);
        let view =
            View { span: Some(zoom), path: path(&one.lanes), path_name: "the first calls".into() };
        figures.push(("zoomed", timeline::timeline(&one.lanes, &view, width)));
    }
    figures
        .into_iter()
        .enumerate()
        .map(|(n, (name, figure))| (format!("{n} {name} {} mm", width.mm()), figure.unwrap()))
        .collect()
}

/// Calls and the operations that they caused, as a path over the lanes.
fn path(lanes: &Lanes) -> Vec<Step> {
    let linked = lanes.operations.iter().filter_map(|op| Some((op, &lanes.calls[op.call?])));
    linked
        .flat_map(|(op, call)| {
            let span = |start: i64, end: i64| Span::from_ns(start, end);
            [
                Step {
                    lane: Lane::Thread(call.thread),
                    span: span(call.start_ns.as_ns(), call.end_ns.as_ns()),
                },
                Step {
                    lane: Lane::Stream(op.stream),
                    span: span(op.start_ns.as_ns(), op.end_ns.as_ns()),
                },
            ]
        })
        .collect()
}

fn svg(figure: &Figure) -> String {
    figure.svg(SvgFont::Named).unwrap()
}

#[track_caller]
fn is_good(name: &str, figure: &Figure) {
    if let Some(folder) = std::env::var_os("FIGURES") {
        let name = format!("{} {}.png", name.replace('/', "_"), figure.scene.width);
        std::fs::write(Path::new(&folder).join(name), figure.png(150.0).unwrap()).unwrap();
    }
    let svg = svg(figure);
    let faults = faults(&svg);
    assert!(faults.is_empty(), "{name}: {faults:#?}");
    assert!(figure.scene.collisions().is_empty(), "{name}");
    assert!(!texts(&svg).is_empty() && figure.caption.len() > 60, "{name}");
    assert_eq!(size(&svg).0, figure.scene.width, "{name}");
}

#[test]
fn labels_stay_inside_and_apart() {
    let all = [bundled(EAGER), bundled(LOOPED)];
    for width in WIDTHS {
        for (name, figure) in figures(&all[..1], width).iter().chain(&figures(&all, width)) {
            is_good(name, figure);
        }
    }
}

#[test]
fn labels_of_real_traces_stay_inside_and_apart() {
    for (name, spec) in [
        ("resnet-pytorch-a4500-nsys2024.6-nvtx", "forward"),
        ("dnn-multistream-titanrtx-export2022.4", "all"),
        ("train-2xh100-nsys2026.2-1s-slice", "all"),
        ("tensorrt-conv-rtx3090-nsys2023.1-nvtx", "all"),
    ] {
        let Some(path) = shared_trace(name) else { continue };
        let all = [documents(&path, spec)];
        for width in WIDTHS {
            for (figure_name, figure) in figures(&all, width) {
                is_good(&format!("{name} {figure_name}"), &figure);
            }
        }
    }
}

#[test]
fn pictures_are_the_same_bytes_as_ever() {
    let all = [bundled(EAGER), bundled(LOOPED)];
    let hash = |bytes: &[u8]| -> String {
        Sha256::digest(bytes)[..8].iter().map(|byte| format!("{byte:02x}")).collect()
    };
    let mut lines = String::new();
    for width in [Width::Column, Width::Text] {
        let (once, twice) = (figures(&all, width), figures(&all, width));
        for ((name, figure), (_, again)) in once.iter().zip(&twice) {
            assert_eq!(svg(figure), svg(again), "{name}");
            assert_eq!(figure.pdf(), again.pdf(), "{name}");
            lines += &format!("{} {} {name}\n", hash(svg(figure).as_bytes()), hash(&figure.pdf()));
        }
    }
    let path = repository().join("tests/golden/figures.txt");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &lines).unwrap();
    }
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(known, lines, "figures changed: look at them, then BLESS=1");
}

#[test]
fn one_small_picture_is_kept_whole() {
    let figure =
        waterfall::idle(&Group::each(vec![bundled(EAGER).analysis]), Width::Column).unwrap();
    let path = repository().join("tests/golden/figure-idle.svg");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, svg(&figure)).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap_or_default(), svg(&figure));
    assert!(svg(&figure).contains("56.9 %"), "dispatch of the bundled trace");
}

/// 25 kernels whose names are long and differ in the middle alone.
fn long_names(mut analysis: Analysis) -> Analysis {
    let kernel = |n: usize| KernelFunction {
        name: format!(
            "void at::native::vectorized_elementwise_kernel<(int)4, at::native::BinaryFunctor<float, float, float, \
             at::native::binary_internal::Operation{n:02}<float>>, std::array<char *, (unsigned long)3>>(int, T2, T3)"
        ),
        class: "elementwise".to_owned(),
        count: 1,
        time_ns: Nanos::from_ns(1000 - n as i64),
        share: Share::of(1, 25),
    };
    if let Some(kernels) = &mut analysis.kernels {
        kernels.by_name = (0..25).map(kernel).collect();
    }
    analysis
}

#[test]
fn twenty_five_long_names_can_be_told_apart() {
    let analysis = long_names(bundled(EAGER).analysis);
    for width in WIDTHS {
        let figure = shares::kernels(&Group::each(vec![analysis.clone()]), width, 25).unwrap();
        is_good("long names", &figure);
        let svg = svg(&figure);
        let names: BTreeSet<String> = texts(&svg)
            .into_iter()
            .map(|text| text.text)
            .filter(|t| t.starts_with("vectorized_"))
            .collect();
        assert_eq!(names.len(), 25, "{names:#?}");
        let shown =
            |n: usize| names.iter().any(|name| name.contains(&format!("ation{n:02}<float")));
        assert!((0..25).all(shown), "{names:#?}");
    }
}

#[test]
fn shares_are_those_of_the_document() {
    let one = bundled(EAGER);
    let figure =
        shares::classes(&Group::each(vec![one.analysis.clone()]), Width::Column, 99).unwrap();
    let shown: Vec<String> = texts(&svg(&figure)).into_iter().map(|text| text.text).collect();
    for class in &one.analysis.kernels.unwrap().by_class {
        let share = class.share.unwrap().as_f64() * 100.0;
        let at = shown.iter().position(|text| *text == class.class).unwrap();
        let value = &shown[at + 1];
        assert!(*value == format!("{share:.1} %") || value == "<0.1 %", "{} {value}", class.class);
    }
    let sum: i64 = one.samples.kernels.iter().map(|kernel| kernel.duration_ns.as_ns()).sum();
    assert_eq!(sum, bundled(EAGER).analysis.kernels.unwrap().total_ns.as_ns());
}

#[test]
fn hostile_names_are_inert() {
    let folder = repository().join(HOSTILE);
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut drawn = 0;
    for path in files.filter(|path| path.to_string_lossy().contains(".sqlite")) {
        let all = [documents(&path, "all")];
        for (name, figure) in figures_that_exist(&all[0]) {
            let svg = svg(&figure);
            is_good(&name, &figure);
            assert!(
                !svg.contains("<script")
                    && !svg.contains('\u{1b}')
                    && !svg.contains("javascript:<")
            );
            let tex = figure.caption_tex();
            assert!(!tex.contains("\\input{") && !tex.contains("\\write"), "{tex}");
            drawn += 1;
        }
    }
    assert!(drawn > 0);
}

fn figures_that_exist(one: &Documents) -> Vec<(String, Figure)> {
    let groups = Group::each(vec![one.analysis.clone()]);
    let samples = [("a".to_owned(), one.samples.clone())];
    [
        shares::api(&groups, Width::Column, 10),
        shares::kernels(&groups, Width::Column, 10),
        waterfall::idle(&groups, Width::Column),
        distribution::delays(&samples, Width::Column),
        spectrum::durations(&one.samples, Width::Column, 10),
        timeline::timeline(&one.lanes, &View::default(), Width::Column),
    ]
    .into_iter()
    .enumerate()
    .filter_map(|(n, figure)| Some((n.to_string(), figure.ok()?)))
    .collect()
}

#[test]
fn ranges_show_estimates_and_swings() {
    let words = Words {
        title: "What moved".into(),
        axis: "change of the mean (ms)".into(),
        caption: "A caption that says what is shown and what the intervals mean, in sentences."
            .into(),
        arrows: true,
    };
    let blue = Rgb(0, 0x72, 0xB2);
    let mut rows: Vec<Estimate> = (0..12)
        .map(|n| Estimate {
            name: format!("part {n} with a rather long name that has to be cut somewhere"),
            value: f64::from(n) * 0.01 - 0.03,
            interval: (n != 3).then(|| (f64::from(n) * 0.01 - 0.08, f64::from(n) * 0.01 + 0.02)),
            color: blue,
            headline: n == 0,
        })
        .collect();
    // Far beyond the axis that the others need.
    for value in [764.5, -98.1] {
        rows.push(Estimate {
            name: "beyond".to_owned(),
            value,
            interval: Some((value - 4.5, value + 4.5)),
            color: blue,
            headline: false,
        });
    }
    let swings: Vec<Swing> = (0..6)
        .map(|n| Swing {
            name: format!("launch cost {n}"),
            low: (53.0 - f64::from(n), "×0.5".into()),
            high: (53.0 + f64::from(n * 2), "×2".into()),
            color: blue,
        })
        .collect();
    let points: Vec<trade::Point> = (0..7)
        .map(|n| trade::Point {
            name: format!("model {n} on a board"),
            latency_ns: 5e7 + f64::from(n % 3) * 1e5,
            latency_ci: Some((4.99e7, 5.02e7)),
            energy_mj: 400.0 + f64::from(n) * 3.0,
            energy_ci: Some((395.0, 425.0)),
        })
        .collect();
    let caption = &words.caption;
    for width in WIDTHS {
        let forest = ranges::forest(&rows, 0.0, &words, width).unwrap();
        is_good("forest", &forest);
        assert!(forest.caption.ends_with("Arrows: beyond the axis; the numbers say where."));
        let drawn = svg(&forest);
        assert!(drawn.contains("764.5 [760.0, 769.0]") && drawn.contains("−98.1 [−102.6, −93.6]"));
        assert!(!drawn.contains(">200<") && !drawn.contains(">500<"), "{drawn}");
        is_good("tornado", &ranges::tornado(&swings, 53.0, &words, width).unwrap());
        let trade = trade::latency_energy(&points, "energy per window", caption, width).unwrap();
        is_good("trade", &trade);
        let all: Vec<String> = texts(&svg(&trade)).into_iter().map(|text| text.text).collect();
        assert!((0..7).all(|n| all.contains(&format!("model {n} on a board"))), "{all:?}");
    }
    assert!(ranges::forest(&[], 0.0, &words, Width::Column).is_err());
}

#[test]
fn a_comparison_shows_what_moved() {
    let side = |name: &str| vec![bundled(name).analysis];
    let found = compare(("dense", side(EAGER)), ("looped", side(LOOPED)), None).unwrap();
    for by in [By::Idle, By::Class, By::Kernel, By::Api] {
        for width in WIDTHS {
            let figure = forest::comparison(&found, by, width, 8).unwrap();
            is_good(&format!("compare {by:?}"), &figure);
            assert!(texts(&svg(&figure)).iter().any(|text| text.text == "latency"));
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(place("c.json"), serde_json::to_string(&found).unwrap()).unwrap();
    let said = run(&["plot", "compare", &place("c.json"), "--by", "class", "-o", &place("c.svg")]);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    let said = run(&["plot", "compare", EAGER, "-o", &place("d.svg")]);
    assert!(said.code == 2 && said.err.contains("not a comparison"), "{}", said.err);
}

#[test]
fn files_have_their_size_and_their_caption() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name).display().to_string();
    let said = run(&[
        "plot",
        "idle",
        EAGER,
        "-w",
        "latency",
        "-o",
        &place("a.png"),
        "-o",
        &place("a.pdf"),
        "-o",
        &place("a.svg"),
    ]);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    let png = std::fs::read(place("a.png")).unwrap();
    let decoder = png::Decoder::new(std::io::Cursor::new(&png)).read_info().unwrap();
    assert_eq!(decoder.info().width, 992, "84 mm at 300 dots per inch");
    let pdf = std::fs::read(place("a.pdf")).unwrap();
    assert!(pdf.starts_with(b"%PDF-") && pdf.windows(10).any(|part| part == b"/FontFile2"));
    let svg = std::fs::read_to_string(place("a.svg")).unwrap();
    assert!(svg.contains("@font-face") && svg.contains("<desc>"));
    let caption = std::fs::read_to_string(place("a.txt")).unwrap();
    assert!(caption.contains("eager-450") && caption.contains("wall = busy"), "{caption}");
    let tex = std::fs::read_to_string(place("a.tex")).unwrap();
    assert!(tex.starts_with("\\caption{") && tex.contains("``latency''"), "{tex}");
    let left: Vec<PathBuf> =
        std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(left.len(), 5, "{left:?}");
}

#[test]
fn what_cannot_be_drawn_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let repository = repository();
    let trace = |name: &str| repository.join(name).display().to_string();
    let no_gpu = trace("fixtures/traces/own-captures/own-nvtx-cpu-nsys2022.4.sqlite.zst");
    let eager = trace(EAGER);
    let log = trace("fixtures/power/tegrastats/orin-nano.log");
    let power = [
        "plot", "power", &eager, "-w", "latency", "--power", &log, "--log-tz", "UTC", "-o", "a.svg",
    ];
    let cases: [(&[&str], &str); 9] = [
        (&power, "does not overlap the trace"),
        (
            &["plot", "classes", &no_gpu, "-w", "latency", "-o", "a.svg"],
            "nothing to draw: no kernel time",
        ),
        (&["plot", "idle", &no_gpu, "-w", "latency", "-o", "a.svg"], "no GPU operations table"),
        (&["plot", "api", &eager, "-o", "a.bmp"], ".svg, .png or .pdf"),
        (&["plot", "timeline", &eager, "--instance", "99", "-o", "a.svg"], "no instance 99"),
        (&["plot", "energy", &eager, "-w", "latency", "-o", "a.svg"], "no input has an energy"),
        (&["plot", "timeline", &eager, "--zoom", "5ms", "-o", "a.svg"], "two lengths of time"),
        (
            &["plot", "timeline", &eager, "-w", "latency", "--zoom", "1s..2s", "-o", "a.svg"],
            "behind everything",
        ),
        (&["plot", "api", &eager, "--width", "3mm", "-o", "a.svg"], "60 to 1000 mm"),
    ];
    for (words, told) in cases {
        let said = run_in(folder.path(), words);
        assert_eq!(said.code, 2, "{words:?}: {}", said.err);
        assert!(said.err.contains(told), "{words:?}: {}", said.err);
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing half-written");
}

#[test]
fn a_moved_window_fills_its_picture() {
    let path = repository().join("fixtures/traces/windows/issues-only.sqlite");
    let moved = documents(&path, "gpu:forward").lanes;
    let window = &moved.window;
    assert!(window.view().length().as_ns() > 10 * window.span().length().as_ns());
    for width in WIDTHS {
        let figure = timeline::timeline(&moved, &View::default(), width).unwrap();
        is_good("moved window", &figure);
        let labels: Vec<String> = texts(&svg(&figure)).into_iter().map(|text| text.text).collect();
        assert!(!labels.iter().any(|label| label.starts_with('−')), "{labels:?}");
        assert!(figure.caption.contains("Its calls begin"), "{}", figure.caption);
        assert!(figure.caption.contains("`--zoom -1.0"), "{}", figure.caption);
    }
    // What is suggested shows both.
    let both = View { span: Some(window.view()), ..View::default() };
    let figure = timeline::timeline(&moved, &both, Width::Column).unwrap();
    let labels: Vec<String> = texts(&svg(&figure)).into_iter().map(|text| text.text).collect();
    assert!(labels.iter().any(|label| label.starts_with('−')), "{labels:?}");
    assert!(!figure.caption.contains("Its calls begin"));
    // Calls that are near are shown as before.
    let near = documents(&repository().join(EAGER), "gpu:latency").lanes;
    let figure = timeline::timeline(&near, &View::default(), Width::Column).unwrap();
    assert!(!figure.caption.contains("Its calls begin"), "{}", figure.caption);
}

#[test]
fn groups_of_one_trace_are_told_apart() {
    let whole = bundled(EAGER).analysis;
    let part = |range: std::ops::Range<usize>, folder: &str| {
        let mut analysis = whole.clone();
        analysis.windows.instances = whole.windows.instances[range].to_vec();
        analysis.trace.as_mut().unwrap().path = format!("{folder}/trace.sqlite");
        analysis
    };
    let names = |analyses: Vec<Analysis>| -> Vec<String> {
        Group::each(analyses).into_iter().map(|group| group.name).collect()
    };
    let halves = names(vec![part(0..10, "a"), part(10..20, "a")]);
    assert_eq!(halves, ["latency 0–9", "latency 10–19"]);
    assert_eq!(names(vec![part(0..5, "a"), part(0..5, "b")]), ["a/latency", "b/latency"]);
    let same = names(vec![part(0..5, "a"), part(0..5, "a")]);
    assert_eq!(same, ["latency (1)", "latency (2)"]);
}

#[test]
fn quantiles_that_differ_have_labels_that_differ() {
    let mut analysis = bundled(EAGER).analysis;
    for (n, instance) in analysis.windows.instances.iter_mut().enumerate() {
        instance.end_ns = instance.start_ns + Nanos::from_ns(17_070_000 + n as i64 * 8_000);
    }
    for width in WIDTHS {
        let figure = distribution::latency(&Group::each(vec![analysis.clone()]), width).unwrap();
        is_good("quantiles", &figure);
        let svg = svg(&figure);
        let value = |name: &str| {
            let label = texts(&svg).into_iter().find(|text| text.text.starts_with(name)).unwrap();
            label.text[name.len()..].to_owned()
        };
        assert_eq!((value("p50 "), value("p95 ")), ("17.15 ms".into(), "17.21 ms".into()));
    }
}
