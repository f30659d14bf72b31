//! Can everybody tell the colours of a figure apart?
//!
//! A colour is seen as by eyes that lack one kind of cone, with the matrices of Machado, Oliveira and Fernandes, "A
//! Physiologically-based Model for Simulation of Color Vision Deficiency" (IEEE TVCG 15(6), 2009), severity
//! 1.0, applied to linear RGB and cut to its bounds. How far two colours then lie apart is CIEDE2000 (CIE 142-2001;
//! Sharma, Wu and Dalal 2005, whose test pairs are below) between their CIELAB values under D65; a difference of
//! 1 is just seen under good conditions, and from about 5 on two areas that touch are seen at a glance.
//!
//! [`together`] names which colours can touch, and how far apart they must be for every one of the four kinds of
//! sight. The HTML page in the dark mixes each colour with white; that has limits of its own.

use super::*;

/// What the HTML page keeps of a colour in the dark; the rest is white.
const DARK: f64 = 0.72;
/// Ink of the page's timeline on colours, dark and light.
const PAGE_INK: [Rgb; 2] = [Rgb(0x14, 0x18, 0x1C), PAPER];
/// The page's paper behind colours in the dark.
const DARK_PAPER: Rgb = Rgb(0x20, 0x26, 0x2C);

/// Kinds of sight, as matrices over linear RGB.
const SIGHTS: [(&str, [[f64; 3]; 3]); 4] = [
    ("normal", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
    (
        "protanopia",
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ],
    ),
    (
        "deuteranopia",
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ],
    ),
    (
        "tritanopia",
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ],
    ),
];

type Lab = [f64; 3];

/// A colour as it is seen.
fn seen(light: [f64; 3], sight: &[[f64; 3]; 3]) -> Lab {
    let row = |row: &[f64; 3]| row.iter().zip(light).map(|(a, b)| a * b).sum::<f64>();
    lab(sight.map(|one| row(&one).clamp(0.0, 1.0)))
}

/// Linear sRGB to CIELAB under D65.
fn lab([red, green, blue]: [f64; 3]) -> Lab {
    let f = |t: f64| {
        if t > 216.0 / 24389.0 { t.cbrt() } else { (24389.0 / 27.0 * t + 16.0) / 116.0 }
    };
    let x = f((0.4124564 * red + 0.3575761 * green + 0.1804375 * blue) / 0.95047);
    let y = f(0.2126729 * red + 0.7151522 * green + 0.0721750 * blue);
    let z = f((0.0193339 * red + 0.1191920 * green + 0.9503041 * blue) / 1.08883);
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

/// CIEDE2000.
fn distance(one: Lab, two: Lab) -> f64 {
    let chroma = |lab: Lab| lab[1].hypot(lab[2]);
    let heavy = |c: f64| (c.powi(7) / (c.powi(7) + 25.0_f64.powi(7))).sqrt();
    let stretch = 1.5 - 0.5 * heavy(f64::midpoint(chroma(one), chroma(two)));
    let polar = |lab: Lab| {
        let a = lab[1] * stretch;
        (a.hypot(lab[2]), lab[2].atan2(a).to_degrees().rem_euclid(360.0))
    };
    let ((c1, h1), (c2, h2)) = (polar(one), polar(two));
    let grey = c1 * c2 == 0.0;
    let turn = match h2 - h1 {
        _ if grey => 0.0,
        turn if turn > 180.0 => turn - 360.0,
        turn if turn < -180.0 => turn + 360.0,
        turn => turn,
    };
    let hue = match h1 + h2 {
        sum if grey => sum,
        sum if (h1 - h2).abs() <= 180.0 => sum / 2.0,
        sum if sum < 360.0 => (sum + 360.0) / 2.0,
        sum => (sum - 360.0) / 2.0,
    };
    let (light, mean_c) = (f64::midpoint(one[0], two[0]), f64::midpoint(c1, c2));
    let wave = |factor: f64, shift: f64| (factor * hue + shift).to_radians().cos();
    let t = 1.0 - 0.17 * wave(1.0, -30.0) + 0.24 * wave(2.0, 0.0) + 0.32 * wave(3.0, 6.0)
        - 0.20 * wave(4.0, -63.0);
    let off = (light - 50.0).powi(2);
    let l = (two[0] - one[0]) / (1.0 + 0.015 * off / (20.0 + off).sqrt());
    let c = (c2 - c1) / (1.0 + 0.045 * mean_c);
    let h = 2.0 * (c1 * c2).sqrt() * (turn / 2.0).to_radians().sin() / (1.0 + 0.015 * mean_c * t);
    let blue = 60.0 * (-((hue - 275.0) / 25.0).powi(2)).exp();
    let rotation = -2.0 * heavy(mean_c) * blue.to_radians().sin();
    (l * l + c * c + h * h + rotation * c * h).max(0.0).sqrt()
}

/// As the page shows it in the dark.
fn in_the_dark(color: Rgb) -> Rgb {
    let mix = |part: u8| (f64::from(part) * DARK + 255.0 * (1.0 - DARK)).round() as u8;
    Rgb(mix(color.0), mix(color.1), mix(color.2))
}

/// The least distance of two colours over all kinds of sight, and for whom.
fn apart(one: Rgb, two: Rgb) -> (f64, &'static str) {
    let by = SIGHTS.iter().map(|(name, sight)| {
        (distance(seen(one.linear(), sight), seen(two.linear(), sight)), *name)
    });
    by.min_by(|a, b| a.0.total_cmp(&b.0)).unwrap()
}

type Named = (String, Rgb);

/// Colours that can touch in one figure, how far apart they must be, and in the dark of the page.
struct Together {
    what: &'static str,
    colors: Vec<Named>,
    least: f64,
    least_dark: f64,
}

fn named_all(colors: &[(&str, Rgb)]) -> Vec<Named> {
    colors.iter().map(|(name, color)| ((*name).to_owned(), *color)).collect()
}

fn idle_kinds() -> Vec<Named> {
    let mut kinds: Vec<Named> =
        Cause::ALL.iter().map(|cause| (cause.name().to_owned(), idle(*cause, false))).collect();
    kinds.push(("dispatch".to_owned(), idle(Cause::Host, true)));
    kinds.extend(named_all(&[("busy", BUSY), ("head", HEAD), ("tail", TAIL)]));
    kinds
}

fn operations() -> Vec<Named> {
    let mut all = named_all(&CLASSES);
    all.extend(named_all(&[("copies", COPY), ("memsets", MEMSET), ("graphs", GRAPH)]));
    all
}

fn numbered(what: &str, colors: &[Rgb]) -> Vec<Named> {
    colors.iter().enumerate().map(|(n, color)| (format!("{what} {n}"), *color)).collect()
}

fn functions() -> Vec<Named> {
    let names = [
        "cudaLaunchKernel",
        "cuLaunchKernel",
        "cudaLaunchKernelExC",
        "cudaGraphLaunch",
        "cudaDeviceSynchronize",
        "cudaStreamSynchronize",
        "cudaEventSynchronize",
        "cudaMemcpyAsync",
        "cudaMemcpy",
        "cudaMemcpy2DAsync",
        "cudaMemsetAsync",
    ];
    let mut all: Vec<Named> = names.map(|name| (name.to_owned(), function(name))).to_vec();
    all.push(("others".to_owned(), OTHER));
    all
}

/// Every set of colours that one figure can show side by side.
fn together() -> Vec<Together> {
    let other_names = numbered("other name", &NAMES);
    let mut idle_beside_operations = idle_kinds();
    idle_beside_operations.retain(|(_, color)| *color != idle(Cause::None, false));
    let set = |what, colors, least, least_dark| Together { what, colors, least, least_dark };
    vec![
        set("busy and kinds of idleness", idle_kinds(), 11.5, 8.0),
        set("groups", numbered("group", &GROUPS), 14.5, 10.0),
        set("operations of a stream, classes", operations(), 8.0, 5.0),
        set("API functions", [functions(), other_names.clone()].concat(), 8.5, 5.5),
        // Classes of a user's own rules: their colour comes from the name, so two of them can have the same.
        set("classes of users' rules", [operations(), other_names].concat(), 7.0, 4.0),
        // Not in one lane, but in one legend; windows without an operation have none to tell from.
        set("a timeline", [operations(), idle_beside_operations].concat(), 5.5, 3.5),
        set(
            "power",
            named_all(&[
                ("readings", group(0)),
                ("busy", BUSY),
                ("idle level", ACCENT),
                ("windows", WINDOW),
                ("paper", PAPER),
            ]),
            10.0,
            7.0,
        ),
    ]
}

#[test]
fn distances_are_those_that_were_published() {
    // From the table of Sharma, Wu and Dalal.
    let pairs: [(Lab, Lab, f64); 8] = [
        ([50.0, 2.6772, -79.7751], [50.0, 0.0, -82.7485], 2.0425),
        ([50.0, 0.0, 0.0], [50.0, -1.0, 2.0], 2.3669),
        ([50.0, 2.49, -0.001], [50.0, -2.49, 0.0009], 7.1792),
        ([50.0, 2.49, -0.001], [50.0, -2.49, 0.0011], 7.2195),
        ([50.0, 2.5, 0.0], [73.0, 25.0, -18.0], 27.1492),
        ([60.2574, -34.0099, 36.2677], [60.4626, -34.1751, 39.4387], 1.2644),
        ([22.7233, 20.0904, -46.6940], [23.0331, 14.9730, -42.5619], 2.0373),
        ([2.0776, 0.0795, -1.1350], [0.9033, -0.0636, -0.5514], 0.9082),
    ];
    for (one, two, published) in pairs {
        assert!((distance(one, two) - published).abs() < 5e-5, "{one:?} {two:?}");
        assert!((distance(two, one) - published).abs() < 5e-5, "{two:?} {one:?}");
    }
    let white = lab([1.0; 3]);
    assert!((white[0] - 100.0).abs() < 1e-3 && white[1].abs() < 0.02 && white[2].abs() < 0.02);
}

#[test]
fn sights_confuse_what_they_must_and_keep_greys() {
    let far = |name: &str, one: Rgb, two: Rgb| {
        let sight = &SIGHTS.iter().find(|sight| sight.0 == name).unwrap().1;
        distance(seen(one.linear(), sight), seen(two.linear(), sight))
    };
    // A red and a green of one brightness, a blue and a green: far apart for most, near for those without the cone.
    let (red, green) = (Rgb(0xC0, 0x50, 0x20), Rgb(0x80, 0x80, 0x20));
    assert!(far("normal", red, green) > 2.0 * far("deuteranopia", red, green));
    let (blue, teal) = (Rgb(0x30, 0x80, 0xC0), Rgb(0x30, 0x88, 0x80));
    assert!(far("normal", blue, teal) > 2.0 * far("tritanopia", blue, teal));
    for (name, sight) in SIGHTS {
        for row in sight {
            assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-5, "{name}: white stays white");
        }
        assert!(far(name, Rgb(0x80, 0x80, 0x80), Rgb(0x80, 0x80, 0x80)) < 1e-9);
    }
}

#[test]
fn colours_that_can_touch_are_apart_for_every_kind_of_sight() {
    let mut near = Vec::new();
    for set in together() {
        for (i, (one, color)) in set.colors.iter().enumerate() {
            for (two, other) in &set.colors[..i] {
                let (found, sight) = apart(*color, *other);
                if found < set.least {
                    near.push(format!("{}: {one}, {two}: {found:.2} for {sight}", set.what));
                }
                let (found, sight) = apart(in_the_dark(*color), in_the_dark(*other));
                if found < set.least_dark {
                    let what = set.what;
                    near.push(format!("{what}, dark: {one}, {two}: {found:.2} for {sight}"));
                }
            }
        }
    }
    assert!(near.is_empty(), "{near:#?}");
}

#[test]
fn colours_stand_out_from_the_paper() {
    let all: Vec<Named> = together().into_iter().flat_map(|set| set.colors).collect();
    for (name, color) in all.into_iter().filter(|(_, color)| ![PAPER, PALE].contains(color)) {
        let (found, sight) = apart(color, PAPER);
        assert!(found > 8.0, "{name} on paper: {found:.1} for {sight}");
        let (found, sight) = apart(in_the_dark(color), DARK_PAPER);
        assert!(found > 13.0, "{name} on dark paper: {found:.1} for {sight}");
    }
}

#[test]
fn texts_on_colours_have_the_contrast_of_wcag() {
    let page = include_str!("../../../templates/report/timeline.js");
    assert!(
        page.contains("v * .72 + 255 * .28") && page.contains(r##"> .2 ? "#14181c" : "#ffffff""##)
    );
    assert!(include_str!("../../../templates/report/page.css").contains("var(--c) 72%, white"));
    // As the page chooses its ink.
    let page_ink = |color: Rgb| {
        let part = |value: u8| (f64::from(value) / 255.0).powf(2.2);
        let light = 0.2126 * part(color.0) + 0.7152 * part(color.1) + 0.0722 * part(color.2);
        PAGE_INK[usize::from(light <= 0.2)]
    };
    // Nothing is written into readings of power.
    let sets = together().into_iter().filter(|set| set.what != "power");
    for (name, color) in sets.flat_map(|set| set.colors) {
        let ratio = color.ratio(color.contrast());
        assert!(ratio >= 4.5, "{name}: {ratio:.2}");
        for color in [color, in_the_dark(color)] {
            let ratio = color.ratio(page_ink(color));
            assert!(ratio >= 4.5, "{name} on the page, {color:?}: {ratio:.2}");
        }
    }
}
