//! Shortened names: different ones stay different, in every width, whatever the names hold.

use std::collections::BTreeMap;

use nsys_attrib::units::{distinct, plain};
use proptest::prelude::*;

/// A name as a trace may hold it, from few pieces so that many agree for long.
fn name() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("void at::native::vectorized_elementwise_kernel<4, ".to_owned()),
        Just("<script>alert(1)</script>".to_owned()),
        Just("\u{1b}[31m".to_owned()),
        Just("\\u{1b}[31m".to_owned()),
        Just("…#1".to_owned()),
        Just("ядро核λ".to_owned()),
        Just("(int, float*)".to_owned()),
        Just("x".repeat(10_000)),
        "[a-c]{0,3}",
        any::<String>(),
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn distinct_in_distinct_out(names in prop::collection::vec(name(), 0..40), limit in 8_usize..200) {
        let found = distinct(names.iter().map(String::as_str), limit);
        prop_assert_eq!(&found, &distinct(names.iter().map(String::as_str), limit));
        prop_assert_eq!(found.shown.len(), names.len());
        let mut meaning: BTreeMap<&str, &str> = BTreeMap::new();
        for (name, text) in names.iter().zip(&found.shown) {
            prop_assert!(text.chars().count() <= limit, "{text}");
            prop_assert!(!text.chars().any(char::is_control), "{text}");
            let known = meaning.entry(text).or_insert(name);
            prop_assert_eq!(*known, name.as_str(), "both are shown as {}", text);
            let whole = plain(name, 1 << 20);
            let alone = names.iter().all(|other| other == name || plain(other, 1 << 20) != whole);
            if whole.chars().count() <= limit && alone {
                prop_assert_eq!(text, &whole);
            }
        }
    }
}

/// 25 kernels that share their first 200 characters, and differ at many places behind them.
fn long_names() -> Vec<String> {
    let prefix = "void cudnn::engines_precompiled::nchwToNhwcKernel<__half, ".repeat(4);
    (0..25).map(|i| format!("{}{}tail_{}>(params)", &prefix[..200], "q".repeat(i % 5), i)).collect()
}

#[test]
fn twenty_five_long_names_are_told_apart_in_little_room() {
    let names = long_names();
    for limit in [16, 24, 40, 80, 160] {
        let found = distinct(names.iter().map(String::as_str), limit).shown;
        let different: std::collections::BTreeSet<&String> = found.iter().collect();
        assert_eq!(different.len(), 25, "{limit}: {found:#?}");
    }
    let found = distinct(names.iter().map(String::as_str), 60);
    assert!(!found.numbered, "the difference itself has room: {found:#?}");
}
