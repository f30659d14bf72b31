//! Clocks of power logs: vectors A1 to A14 of the research, zones with their folds, and correlation.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use nsys_attrib::power::clock::align::{AlignBy, Aligned, Landmarks, align};
use nsys_attrib::power::clock::anchor::{AnchorFacts, EventBase, base, to_unix};
use nsys_attrib::power::clock::marks::ClockMark;
use nsys_attrib::power::clock::place::Placed;
use nsys_attrib::power::clock::zone::{self, Zone};
use nsys_attrib::power::clock::{correlate, drift, marks, overlap, pulse, stamps};
use nsys_attrib::power::series::Series;
use nsys_attrib::power::{Kind, PowerError};
use nsys_attrib::units::Nanos;

const S: i64 = 1_000_000_000;

fn facts(utc_epoch_ns: i64, system_clock_ns: Option<i64>, events: (i64, i64)) -> AnchorFacts {
    let (first_ns, last_ns) = events;
    AnchorFacts { utc_epoch_ns, system_clock_ns, duration_ns: 300 * S, first_ns, last_ns }
}

#[test]
fn a1_and_a2_epoch_plus_event_never_start_time() {
    let plain = facts(1_795_420_813_421_063_861, None, (53_908_670, 4 * S));
    assert_eq!(to_unix(plain, 53_908_670).as_unix_ns(), 1_795_420_813_474_972_531);
    let delayed = facts(1_795_420_921_252_082_728, None, (72_535_672, 4 * S));
    assert_eq!(to_unix(delayed, 72_535_672).as_unix_ns(), 1_795_420_921_324_618_400);
}

#[test]
fn a3_and_a4_relative_beside_a_system_clock() {
    let new = facts(1_784_746_091_375_445_667, Some(1_312_401_161_818_024), (0, 20 * S));
    assert_eq!(base(new), EventBase::Relative);
    assert_eq!(to_unix(new, 0).as_unix_ns(), 1_784_746_091_375_445_667);
    let older = facts(1_763_851_018_220_901_611, None, (424_728_608, 555_935_658));
    assert_eq!(base(older), EventBase::Relative);
    assert_eq!(to_unix(older, 0).as_unix_ns(), 1_763_851_018_220_901_611);
}

#[test]
fn a5_to_a7_zones_of_real_traces() {
    assert_eq!(zone::of_difference(19_800), Some(19_800));
    assert_eq!(zone::of_difference(-21_600), Some(-21_600));
    assert_eq!(zone::of_difference(10_799), Some(10_800));
    assert_eq!(zone::of_difference(10_700), None);
}

#[test]
fn a8_shifted_exports_are_unix_already() {
    let shifted = facts(5, None, (1_784_746_091_375_445_667, 1_784_746_092_375_445_667));
    assert_eq!(base(shifted), EventBase::Unix);
    assert_eq!(to_unix(shifted, 1_784_746_091_375_445_667).as_unix_ns(), 1_784_746_091_375_445_667);
}

#[test]
fn a9_a_fresh_machine_is_ambiguous_and_relative() {
    let mut fresh = facts(0, Some(35_255_823_190), (155 * S, 156 * S));
    fresh.duration_ns = 295_660_000_000;
    assert_eq!(base(fresh), EventBase::RelativeAmbiguous);
    let absolute = facts(10, Some(1_000_000 * S), (1_000_001 * S, 1_000_002 * S));
    assert_eq!(base(absolute), EventBase::SystemClock);
    assert_eq!(to_unix(absolute, 1_000_001 * S).as_unix_ns(), 10 + S);
}

#[test]
fn a10_no_overlap_names_the_zone() {
    let minute = 60 * S;
    let day = 1_731_628_800 * S;
    let log = (day + 540 * minute, day + 550 * minute);
    let trace = (day + 421 * minute, day + 425 * minute);
    let error = overlap::check("power.csv", log, trace).unwrap_err().to_string();
    assert!(error.contains("+02:00"), "{error}");
    assert!(overlap::check("power.csv", trace, trace).is_ok());
}

fn seconds(counts: &[(i64, usize)]) -> Vec<i64> {
    counts.iter().flat_map(|(second, count)| vec![second * S; *count]).collect()
}

#[test]
fn a11_whole_second_stamps() {
    let stamps = seconds(&[(0, 4), (1, 10), (2, 10), (3, 3)]);
    let found = stamps::at_period(&stamps, Nanos::from_ns(S), Nanos::from_ns(S / 10)).unwrap();
    assert!((found.start_ns / 1e9 - 0.65).abs() < 1e-9);
    assert_eq!(found.half_width, Nanos::from_ns(50_000_000));
}

#[test]
fn a12_a_dropped_line_does_not_fit_the_period() {
    let stamps = seconds(&[(0, 4), (1, 10), (2, 9), (3, 3)]);
    assert_eq!(stamps::at_period(&stamps, Nanos::from_ns(S), Nanos::from_ns(S / 10)), None);
    // A period that is a little longer does: the loop sleeps after its work.
    let fitted = stamps::fitted(&stamps, Nanos::from_ns(S), Nanos::from_ns(S / 10)).unwrap();
    assert!(fitted.period_ns > 1e8);
}

#[test]
fn a13_a_stepped_wall_clock() {
    let steady = marks::judge(&[-16_000, -16_000, -15_000]).unwrap();
    assert_eq!((steady.median_ns, steady.step), (-16_000, None));
    let stepped = marks::judge(&[-16_000, -16_000, -15_000, 250_016_000]).unwrap();
    assert_eq!(stepped.step, Some(Nanos::from_ns(250_031_000)));
}

#[test]
fn a14_drift() {
    let ppm = drift::ppm(&[(0.0, 1.0e-3), (100.0, 4.0e-3)]).unwrap();
    assert!((ppm - 30.0).abs() < 1e-9);
    assert_eq!(drift::ppm(&[(0.0, 0.0), (1.0, 1.0e-3)]), None);
    assert_eq!(drift::ppm(&[(0.0, 0.0)]), None);
}

#[test]
fn v7_1_22_folds_and_gaps_of_summer_time_are_refused() {
    let berlin = Zone::parse("Europe/Berlin").unwrap();
    let local = |text: &str| {
        let civil: jiff::civil::DateTime = text.parse().unwrap();
        jiff::tz::TimeZone::UTC.to_timestamp(civil).unwrap().as_nanosecond() as i64
    };
    assert!(berlin.to_unix_ns(local("2024-10-27T02:30:00")).unwrap_err().contains("twice"));
    assert!(
        berlin.to_unix_ns(local("2025-03-30T02:30:00")).unwrap_err().contains("does not exist")
    );
    let noon = berlin.to_unix_ns(local("2024-07-01T12:00:00")).unwrap();
    assert_eq!(noon, local("2024-07-01T10:00:00"));
    let fixed = Zone::parse("+01:00").unwrap();
    assert_eq!(fixed.to_unix_ns(local("2024-10-27T02:30:00")), Ok(local("2024-10-27T01:30:00")));
    assert_eq!(Zone::parse("+09:00").unwrap().to_unix_ns(1_672_762_222 * S), Ok(1_672_729_822 * S));
    assert!(Zone::parse("Nowhere/City").is_none());
}

/// Readings each 2 ms of 5 W, 9 W while busy, `late` ns later on a clock that gains `drift` (s per s).
fn drifting(busy: &[(i64, i64)], end: i64, late: i64, drift: f64) -> Series {
    sampled(busy, end, late, drift, 2_000_000)
}

fn sampled(busy: &[(i64, i64)], end: i64, late: i64, drift: f64, period: i64) -> Series {
    let times: Vec<i64> = (0..end / period).map(|i| i * period).collect();
    let watts = times
        .iter()
        .map(|t| {
            let truth = ((t - late) as f64 / (1.0 + drift)) as i64;
            let works = busy.iter().any(|(from, to)| (*from..*to).contains(&truth));
            // A sensor that never repeats a value.
            if works {
                9.0 + (t / period % 2) as f64 * 0.01
            } else {
                5.0 + (t / period % 2) as f64 * 0.01
            }
        })
        .collect();
    Series::new("VDD_IN", Kind::Instant, times, watts)
}

fn readings(busy: &[(i64, i64)], end: i64, late: i64) -> Series {
    sampled(busy, end, late, 0.0, 10_000_000)
}

const NEAR: (i64, i64) = (-2 * S, 2 * S);

/// Work that looks alike nowhere.
fn uneven() -> Vec<(i64, i64)> {
    [(2, 3), (5, 9), (11, 12)].map(|(a, b)| (a * S, b * S)).to_vec()
}

/// The same work again and again, a second at each end.
fn periodic() -> Vec<(i64, i64)> {
    (0..300).map(|i| (i * 100_000_000, i * 100_000_000 + 53_000_000)).collect()
}

#[test]
fn a_wrong_offset_of_50_ms_is_found_by_correlation() {
    let found =
        correlate::correlate(&readings(&uneven(), 15 * S, 50_000_000), &uneven(), NEAR).unwrap();
    assert!(found.is_clear(), "{found:?}");
    assert!((found.lag.as_ns() - 50_000_000).abs() < 10_000_000, "{found:?}");
}

#[test]
fn a_strictly_periodic_load_is_an_alias_and_refused() {
    // Nothing but the period: the ends of the work lie outside the log.
    let busy: Vec<(i64, i64)> =
        (-50..350).map(|i| (i * 100_000_000, i * 100_000_000 + 53_000_000)).collect();
    let found = correlate::correlate(&readings(&busy, 30 * S, 50_000_000), &busy[100..300], NEAR);
    assert!(!found.is_some_and(correlate::Correlation::is_clear), "{found:?}");
}

/// Pulses, and all work: a second each with idle seconds around, a minute of periodic work between.
type Spans = Vec<(i64, i64)>;

fn with_pulses() -> (Spans, Spans) {
    let pulses = vec![(5 * S, 6 * S), (75 * S, 76 * S)];
    let work = (100..700).map(|i| (i * 100_000_000, i * 100_000_000 + 53_000_000));
    let mut all: Vec<(i64, i64)> = work.chain(pulses.iter().copied()).collect();
    all.sort_unstable();
    (pulses, all)
}

#[test]
fn sync_pulses_give_offset_and_drift() {
    let (pulses, all) = with_pulses();
    for (late, drift) in [(37_000_000, 0.0), (-412_000_000, 40e-6), (1_500_000_000, -300e-6)] {
        let fit = pulse::fit(&drifting(&all, 90 * S, late, drift), &pulses, NEAR).unwrap();
        // The clock's error where the fit states it: half way between the pulses.
        let expected = late as f64 + drift * fit.reference_ns as f64;
        let sigma = fit.sigma.as_ns() as f64;
        assert!((fit.late_ns as f64 - expected).abs() < 4.0 * sigma, "{fit:?} {expected}");
        assert!(sigma < 1e6, "{fit:?}");
        let (found, uncertainty) = fit.drift.unwrap();
        assert!((found - drift).abs() < 4.0 * uncertainty && uncertainty < 20e-6, "{fit:?}");
        assert_eq!(fit.count, 2);
    }
}

#[test]
fn pulses_that_are_not_in_the_log_are_refused() {
    let (pulses, _) = with_pulses();
    let flat = readings(&[], 90 * S, 0);
    assert!(matches!(pulse::fit(&flat, &pulses, NEAR), Err(pulse::NoFit::NotSeen(Some(_)))));
    let short = readings(&pulses[..1], 20 * S, 0);
    assert!(matches!(pulse::fit(&short, &pulses, NEAR), Err(pulse::NoFit::NotSeen(None))));
    // One pulse in the run, three in the log: which one?
    let repeated = readings(&[(5 * S, 6 * S), (15 * S, 16 * S), (25 * S, 26 * S)], 40 * S, 0);
    let wide = (-20 * S, 20 * S);
    assert_eq!(pulse::fit(&repeated, &[(15 * S, 16 * S)], wide), Err(pulse::NoFit::Ambiguous));
}

// ---- the methods together

fn placed(floating: bool) -> Placed {
    Placed {
        rails: Vec::new(),
        method: "stamps".into(),
        offset: Nanos::ZERO,
        sigma: Nanos::from_ns(5_000_000),
        floating,
        mono_shift_ns: None,
        findings: Vec::new(),
    }
}

fn aligned(
    mut series: Series,
    placed: &Placed,
    landmarks: &Landmarks,
    by: AlignBy,
) -> Result<(Series, Aligned), PowerError> {
    let aligned = align("power.csv", &mut series, placed, landmarks, by)?;
    Ok((series, aligned))
}

#[test]
fn pulses_win_over_stamps_and_are_written_down() {
    let (pulses, all) = with_pulses();
    let landmarks = Landmarks { pulses, busy: all.clone(), ..Landmarks::default() };
    let log = drifting(&all, 90 * S, 230_000_000, 100e-6);
    let (moved, how) = aligned(log.clone(), &placed(false), &landmarks, AlignBy::Auto).unwrap();
    assert!(how.method.contains("2 sync pulses"), "{how:?}");
    assert!((how.drift_ppm.unwrap() - 100.0).abs() < 30.0, "{how:?}");
    let (first, last) =
        (moved.times[0] - log.times[0], *moved.times.last().unwrap() - *log.times.last().unwrap());
    // The second pulse is read 7.5 ms later than the first, beside what both are late.
    assert!((first + 230_000_000).abs() < 3_000_000, "{first}");
    assert!((last + 239_000_000).abs() < 3_000_000, "{last}");
    let (_, plain) = aligned(log, &placed(false), &landmarks, AlignBy::Stamps).unwrap();
    assert_eq!((plain.method.as_str(), plain.offset), ("stamps", Nanos::ZERO));
}

#[test]
fn pulses_place_a_log_that_does_not_say_when_it_starts() {
    let (pulses, all) = with_pulses();
    // The trace counts from 1.7e18 ns, the log from its first reading.
    let unix = |spans: &[(i64, i64)]| -> Vec<(i64, i64)> {
        spans.iter().map(|(a, b)| (a + 1_700_000_000 * S, b + 1_700_000_000 * S)).collect()
    };
    let landmarks = Landmarks { pulses: unix(&pulses), busy: unix(&all), ..Landmarks::default() };
    assert!(landmarks.can_place(AlignBy::Auto) && !landmarks.can_place(AlignBy::Stamps));
    let log = readings(&all, 90 * S, 3 * S);
    let (moved, how) = aligned(log, &placed(true), &landmarks, AlignBy::Auto).unwrap();
    assert!((moved.times[0] - (1_700_000_000 * S - 3 * S)).abs() < 12_000_000, "{how:?}");
}

#[test]
fn shapes_place_a_log_only_where_they_are_told_to_and_fit_once() {
    let busy = uneven();
    let landmarks = Landmarks { busy: busy.clone(), ..Landmarks::default() };
    let floating = placed(true);
    let log = || readings(&busy, 40 * S, 17 * S);
    let (moved, how) = aligned(log(), &floating, &landmarks, AlignBy::Correlation).unwrap();
    assert!((moved.times[0] + 17 * S).abs() < 12_000_000, "{how:?}");
    assert!(how.method.contains("correlation"), "{how:?}");
    let error = aligned(log(), &floating, &landmarks, AlignBy::Auto).unwrap_err().to_string();
    assert!(error.contains("--log-start") && error.contains("--align"), "{error}");
    let alias = Landmarks { busy: periodic(), ..Landmarks::default() };
    let everywhere: Vec<(i64, i64)> =
        (0..1000).map(|i| (i * 100_000_000, i * 100_000_000 + 53_000_000)).collect();
    let error = aligned(readings(&everywhere, 100 * S, 0), &floating, &alias, AlignBy::Correlation);
    assert!(error.unwrap_err().to_string().contains("one place only"));
}

#[test]
fn a_clear_lag_beside_good_stamps_is_a_finding() {
    let landmarks = Landmarks { busy: uneven(), ..Landmarks::default() };
    let late = |by| readings(&uneven(), 15 * S, by);
    let (moved, how) =
        aligned(late(50_000_000), &placed(false), &landmarks, AlignBy::Auto).unwrap();
    assert_eq!(how.findings[0].code, "power-lags-work");
    assert!(how.findings[0].message.contains("after the GPU's work"), "{:?}", how.findings[0]);
    assert_eq!(moved.times[0], 0, "a finding moves nothing");
    let (_, fine) = aligned(late(0), &placed(false), &landmarks, AlignBy::Auto).unwrap();
    assert!(fine.findings.is_empty() && fine.lag.is_some(), "{fine:?}");
}

fn mark(at_s: i64, real_error: i64) -> ClockMark {
    ClockMark { at_ns: at_s * S, real_ns: at_s * S + real_error, mono_ns: Some((at_s - 1000) * S) }
}

#[test]
fn clock_marks_correct_the_anchor() {
    let marks = vec![mark(1, 300_000), mark(30, 300_500), mark(60, 301_000)];
    let landmarks = Landmarks { marks, ..Landmarks::default() };
    let (moved, how) =
        aligned(readings(&[], 60 * S, 0), &placed(false), &landmarks, AlignBy::Auto).unwrap();
    assert_eq!((moved.times[0], how.method.as_str()), (-300_500, "stamps, clock marks"));
    assert!(how.drift_ppm.unwrap().abs() < 0.1);
    let none = aligned(readings(&[], S, 0), &placed(false), &Landmarks::default(), AlignBy::Marks);
    assert!(none.unwrap_err().to_string().contains("no clock mark"));
}

#[test]
fn a_stepped_wall_clock_needs_the_monotonic_one() {
    let marks = vec![mark(1, 0), mark(30, 0), mark(60, 250_000_000)];
    let mono_shift_ns = marks::mono_shift(&marks);
    assert_eq!(mono_shift_ns, Some(1000 * S));
    let landmarks = Landmarks { marks, mono_shift_ns, ..Landmarks::default() };
    let log = || readings(&[], 60 * S, 0);
    let (_, how) = aligned(log(), &placed(false), &landmarks, AlignBy::Auto).unwrap();
    assert_eq!(how.findings[0].code, "wall-clock-stepped");
    // The sampler started when its wall clock was 2 ms ahead of the trace's.
    let with_mono = Placed { mono_shift_ns: Some(1000 * S + 2_000_000), ..placed(false) };
    let (moved, how) = aligned(log(), &with_mono, &landmarks, AlignBy::Auto).unwrap();
    assert_eq!((moved.times[0], how.method.as_str()), (-2_000_000, "stamps, monotonic clock"));
    assert!(how.findings.is_empty());
}
