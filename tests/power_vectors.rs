//! Every test vector of the research (`power.md` section 7) has its test, or is listed here with the reason
//! why it has none. A vector that is in neither list, or whose test has gone, fails.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::BTreeSet;

/// The files that hold the tests.
const FILES: [&str; 6] = [
    include_str!("power_formats.rs"),
    include_str!("power_energy.rs"),
    include_str!("power_alignment.rs"),
    include_str!("power_cli.rs"),
    include_str!("../src/power/formats/rapl.rs"),
    include_str!("../src/power/estimate/phase.rs"),
];

/// A family of vectors, how many it has, and which test covers which of them.
type Family = (&'static str, usize, &'static [(&'static str, &'static str)]);

/// Section 7, complete.
const FAMILIES: [Family; 7] = [
    (
        "7.1",
        22,
        &[
            ("1", "v7_1_01_tx1"),
            ("2", "v7_1_02_tx2_total_in_the_middle"),
            ("3", "v7_1_03_tx2_with_mts"),
            ("4-5", "v7_1_04_and_05_nano"),
            ("6-7", "v7_1_06_and_07_agx_xavier_bare_names_are_summed"),
            ("8", "v7_1_08_xavier_nx_is_not_the_sum"),
            ("9", "v7_1_09_orin_nx_frequencies_are_no_rails"),
            ("10", "v7_1_10_orin_nano_loaded"),
            ("11", "v7_1_11_orin_nano_idle"),
            ("12", "v7_1_12_the_unit_of_one_side_carries_over"),
            ("13", "v7_1_13_agx_orin_nc_is_dropped_and_vddq_not_counted_twice"),
            ("14", "v7_1_14_no_rails_is_a_diagnosis"),
            ("15", "v7_1_15_runs_of_blanks"),
            ("16", "v7_1_16_jetpack_7_third_number_is_not_used"),
            ("17", "v7_1_17_a_bare_fragment"),
            ("18", "v7_1_18_a_torn_line_at_the_end_and_in_the_middle"),
            ("19", "v7_1_19_joined_lines"),
            ("20", "v7_1_20_a_wrapper_prefix_is_unix_time"),
            ("21", "v7_1_21_blank_and_error_lines_are_counted"),
            ("22", "v7_1_22_folds_and_gaps_of_summer_time_are_refused"),
        ],
    ),
    (
        "7.2",
        17,
        &[
            ("1", "v7_2_01_two_devices"),
            ("2", "v7_2_02_whole_watts"),
            ("3", "v7_2_03_instant_is_chosen"),
            ("4", "v7_2_04_nounits"),
            ("5", "v7_2_05_noheader_nounits_needs_columns"),
            ("6-8", "v7_2_06_to_08_missing_is_not_zero"),
            ("9", "v7_2_09_a_header_in_the_middle"),
            ("10", "v7_2_10_a_torn_last_row"),
            ("11", "v7_2_11_several_gpus_without_identity"),
            ("12", "v7_2_12_crlf_and_utf_16"),
            ("13", "v7_2_13_keyed_by_uuid"),
            ("14", "v7_2_14_the_update_period_of_the_sensor"),
            ("15", "v7_2_15_columns_by_name_in_any_order"),
            ("16", "v7_2_16_end_of_summer_time"),
            ("17", "v7_2_17_zero_throughout_is_said"),
        ],
    ),
    (
        "7.3",
        13,
        &[
            ("1-6", "v7_3_01_to_06_rows"),
            ("7", "v7_3_07_many_columns"),
            ("8", "v7_3_08_the_header_decides"),
            ("9", "v7_3_09_date_and_time"),
            ("10", "v7_3_10_midnight"),
            ("11", "v7_3_11_no_power_column"),
            ("12-13", "v7_3_12_and_13_repeated_headers_and_missing_power"),
        ],
    ),
    (
        "7.4",
        14,
        &[
            ("1-5", "v7_4_01_to_05_and_13_orin_nano"),
            ("6", "v7_4_06_a_disabled_channel_is_missing"),
            ("7-8", "v7_4_07_and_08_jetpack_4_direct_power_and_nc"),
            ("9", "v7_4_09_agx_orin_two_chips"),
            ("10-11", "v7_4_10_and_11_negative_current_and_units_in_the_text"),
            ("12", "v7_4_12_cycle_and_duty"),
            ("13", "v7_4_01_to_05_and_13_orin_nano"),
            ("14", "v7_4_14_a_failed_read_is_a_missing_reading"),
        ],
    ),
    (
        "7.5",
        14,
        &[
            ("1-2", "v7_5_01_and_02_zeus"),
            ("3", "v7_5_03_codecarbon_kwh"),
            ("4", "vector_7_5_4_a_wrap_is_undone"),
            ("5", "vector_7_5_5_two_wraps_cannot_be_seen"),
            ("6-8", "v7_5_06_to_08_dcgmi"),
            ("9-10", "v7_5_09_and_10_prometheus"),
            ("11", "v7_5_11_jtop"),
            ("12", "v7_5_12_monsoon"),
            ("13", "v7_5_13_generic_volts_times_amperes"),
            ("14", "v7_5_14_our_own_file"),
        ],
    ),
    (
        "A",
        14,
        &[
            ("1-2", "a1_and_a2_epoch_plus_event_never_start_time"),
            ("3-4", "a3_and_a4_relative_beside_a_system_clock"),
            ("5-7", "a5_to_a7_zones_of_real_traces"),
            ("8", "a8_shifted_exports_are_unix_already"),
            ("9", "a9_a_fresh_machine_is_ambiguous_and_relative"),
            ("10", "a10_no_overlap_names_the_zone"),
            ("11", "a11_whole_second_stamps"),
            ("12", "a12_a_dropped_line_does_not_fit_the_period"),
            ("13", "a13_a_stepped_wall_clock"),
            ("14", "a14_drift"),
        ],
    ),
    (
        "I",
        21,
        &[
            ("1", "i1_constant"),
            ("2-3", "i2_and_i3_ramp"),
            ("4", "i4_one_missing_reading_is_bridged"),
            ("5", "i5_a_gap_is_not_bridged"),
            ("6-7", "i6_and_i7_short_windows_and_edges_outside"),
            ("8", "i8_baseline"),
            ("9", "i9_the_seeds_figures"),
            ("10", "i10_counter"),
            ("11-12", "i11_and_i12_a_mean_of_one_second"),
            ("13-14", "i13_and_i14_regression"),
            ("15-16", "i15_and_i16_empty_window_and_one_reading"),
            ("17", "i17_equal_times_are_averaged"),
            ("18", "i18_phase_locked_sampling_is_refused"),
            ("19", "i19_aggregate_with_gaps"),
            ("20", "i20_a_constant_series_has_no_width"),
            ("21", "i21_rails_that_contain_each_other_are_not_added"),
        ],
    ),
];

/// Parts of vectors that are not tested, and why. None is left out as a whole.
const PARTS_LEFT_OUT: [(&str, &str); 3] = [
    ("7.1 13", "a temperature of -256 °C marked as off: temperatures are not read, only skipped"),
    ("7.2 14", "the number of changes: the effective period that follows from it is tested"),
    (
        "7.4 14",
        "the sampler that stops after ten failed reads: it belongs to the collector; here a failed read is missing",
    ),
];

fn numbers(words: &str) -> std::ops::RangeInclusive<usize> {
    let (first, last) = words.split_once('-').unwrap_or((words, words));
    first.parse().unwrap()..=last.parse().unwrap()
}

#[test]
fn every_vector_has_a_test() {
    let mut all = 0;
    for (family, count, tests) in FAMILIES {
        let mut covered = BTreeSet::new();
        for (words, test) in tests {
            covered.extend(numbers(words));
            let found = FILES.iter().any(|file| {
                file.contains(&format!("#[test]\nfn {test}()"))
                    || file.contains(&format!("#[test]\n    fn {test}()"))
            });
            assert!(found, "{family} {words}: no test named {test}");
        }
        let expected: BTreeSet<usize> = (1..=count).collect();
        assert_eq!(covered, expected, "{family}");
        all += count;
    }
    assert_eq!(all, 115);
    for (vector, why) in PARTS_LEFT_OUT {
        let family = vector.split(' ').next().unwrap();
        assert!(FAMILIES.iter().any(|(name, ..)| *name == family) && !why.is_empty(), "{vector}");
    }
}
