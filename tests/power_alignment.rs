//! Clocks of power logs: vectors A1 to A14 of the research, zones with their folds, and correlation.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use nsys_attrib::power::clock::anchor::{AnchorFacts, EventBase, base, to_unix};
use nsys_attrib::power::clock::zone::{self, Zone};
use nsys_attrib::power::clock::{correlate, drift, marks, overlap, stamps};
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

/// Readings each 10 ms of 5 W, 9 W while busy, `lag` later.
fn readings(busy: &[(i64, i64)], end: i64, lag: i64) -> Vec<(i64, f64)> {
    (0..end / 10_000_000)
        .map(|i| {
            let t = i * 10_000_000;
            let works = busy.iter().any(|(from, to)| *from <= t - lag && t - lag < *to);
            (t, if works { 9.0 } else { 5.0 })
        })
        .collect()
}

#[test]
fn a_wrong_offset_of_50_ms_is_found_by_correlation() {
    let busy: Vec<(i64, i64)> = [(2, 3), (5, 9), (11, 12)].map(|(a, b)| (a * S, b * S)).to_vec();
    let power = readings(&busy, 15 * S, 50_000_000);
    let period = Nanos::from_ns(10_000_000);
    let found =
        correlate::correlate(&power, &busy, period, Nanos::ZERO, Nanos::from_ns(2 * S)).unwrap();
    assert!(found.is_clear(), "{found:?}");
    assert!((found.lag.as_ns() - 50_000_000).abs() < 10_000_000, "{found:?}");
}

#[test]
fn a_strictly_periodic_load_is_an_alias_and_refused() {
    let busy: Vec<(i64, i64)> =
        (0..300).map(|i| (i * 100_000_000, i * 100_000_000 + 53_000_000)).collect();
    let power = readings(&busy, 30 * S, 50_000_000);
    let period = Nanos::from_ns(10_000_000);
    let found =
        correlate::correlate(&power, &busy, period, Nanos::ZERO, Nanos::from_ns(2 * S)).unwrap();
    assert!(!found.is_clear(), "{found:?}");
}
