//! Which of a file's arrays are parameters, and what are they called here?
//!
//! Prefixes of wrappers (`module.` of DataParallel, `param.` of our own files) go; neurons of snnTorch
//! (`lif1.beta`, `lif1.threshold`) are numbered in their order; buffers (filters of the transform) are left out.

use std::collections::BTreeMap;

use super::ConvertError;
use crate::formats::Array;
use crate::model::weights::Arrays;

/// Parameters under their names here, and what else there was.
#[derive(Debug, Clone, Default)]
pub struct Tidy {
    /// Parameters.
    pub arrays: Arrays,
    /// Statistics and other arrays of our own files, by full name.
    pub extra: BTreeMap<String, Array<f64>>,
    /// Names that belong to nothing here.
    pub left_out: Vec<String>,
    /// Renamed neurons: from, to.
    pub renamed: Vec<(String, String)>,
}

/// Sorts the arrays of a file.
///
/// # Errors
/// When there is no parameter among them, or a neuron resets in a way that is not supported.
#[allow(clippy::cast_possible_truncation)]
pub fn tidy(arrays: BTreeMap<String, Array<f64>>) -> Result<Tidy, ConvertError> {
    let mut out = Tidy::default();
    let ours = arrays.keys().any(|name| name.starts_with("param."));
    let wrapped = !ours && arrays.keys().all(|name| name.starts_with("module."));
    let neurons = neurons(&arrays);
    for (name, array) in arrays {
        let short = match (ours, wrapped) {
            (true, _) => name.strip_prefix("param."),
            (_, true) => name.strip_prefix("module."),
            _ => Some(name.as_str()),
        };
        let Some(short) = short else {
            out.extra.insert(name, array);
            continue;
        };
        let (prefix, last) = short.rsplit_once('.').unwrap_or(("", short));
        let full = name.rsplit_once('.').map_or("", |(full, _)| full);
        let number = neurons.iter().find(|(neuron, _)| neuron == full).map(|(_, number)| number);
        let known = match number {
            Some(number) if NEURON.contains(&last) && !prefix.starts_with("vsn.") => {
                Some(format!("vsn.{number}.{last}"))
            }
            _ => is_parameter(short).then(|| short.to_owned()),
        };
        match known {
            Some(known) => {
                check_reset(last, &name, &array)?;
                if known != short {
                    out.renamed.push((short.to_owned(), known.clone()));
                }
                let values = array.values.iter().map(|&v| v as f32).collect();
                out.arrays.insert(known, Array { shape: array.shape, values });
            }
            None => out.left_out.push(name),
        }
    }
    if out.arrays.is_empty() {
        let some = out.left_out.iter().take(8).cloned().collect::<Vec<_>>().join(", ");
        return Err(ConvertError::NotWno(format!(
            "none of fc0, conv, w, fc1, fc2 is there, but {some}"
        )));
    }
    Ok(out)
}

/// What a neuron consists of, in snnTorch's words.
const NEURON: [&str; 4] = ["beta", "threshold", "graded_spikes_factor", "reset_mechanism_val"];

/// snnTorch: 0 subtracts, 1 sets to zero, 2 does not reset.
fn check_reset(last: &str, name: &str, array: &Array<f64>) -> Result<(), ConvertError> {
    if last == "reset_mechanism_val" && array.values.iter().any(|&v| v != 1.0) {
        let text = format!("`{name}` is not 1: only neurons that reset to zero are supported");
        return Err(ConvertError::Ask(text));
    }
    Ok(())
}

/// Prefixes that have a leak and a threshold, numbered in natural order (`lif2` before `lif10`).
fn neurons(arrays: &BTreeMap<String, Array<f64>>) -> Vec<(String, usize)> {
    let with = |word: &str| -> Vec<String> {
        let ends = |name: &String| Some(name.strip_suffix(word)?.strip_suffix('.')?.to_owned());
        arrays.keys().filter_map(ends).collect()
    };
    let thresholds = with("threshold");
    let mut prefixes: Vec<String> =
        with("beta").into_iter().filter(|p| thresholds.contains(p)).collect();
    prefixes.sort_by_cached_key(|p| natural(p));
    prefixes.into_iter().enumerate().map(|(number, prefix)| (prefix, number)).collect()
}

/// Text with every number widened, so that it sorts by value.
fn natural(text: &str) -> String {
    let mut key = String::new();
    let mut digits = String::new();
    for c in text.chars().chain(std::iter::once('\0')) {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        if !digits.is_empty() {
            key.push_str(&format!("{digits:0>20}"));
            digits.clear();
        }
        key.push(c);
    }
    key
}

/// Names of the published state_dicts.
fn is_parameter(name: &str) -> bool {
    let parts: Vec<&str> = name.split('.').collect();
    let number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let after = |text: &str, word: &str| text.strip_prefix(word).is_some_and(number);
    match parts[..] {
        ["fc0" | "fc1" | "fc2", "weight" | "bias"] => true,
        ["w", i, "weight" | "bias"] => number(i),
        [w, "weight" | "bias"] if after(w, "w") => true,
        ["conv", i, weights] => number(i) && weights.starts_with("weights"),
        [conv, weights] if after(conv, "conv") => weights.starts_with("weights"),
        ["vsn", i, last] => number(i) && NEURON.contains(&last),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{natural, tidy};
    use crate::formats::Array;
    use std::collections::BTreeMap;

    fn one(value: f64) -> Array<f64> {
        Array { shape: vec![1], values: vec![value] }
    }

    #[test]
    fn neurons_are_numbered_and_buffers_left_out() {
        let names = [
            "lif10.beta",
            "lif10.threshold",
            "lif2.beta",
            "lif2.threshold",
            "lif2.reset_mechanism_val",
        ];
        let mut arrays: BTreeMap<String, _> =
            names.iter().map(|n| (format!("module.{n}"), one(1.0))).collect();
        arrays.insert("module.conv0.dwt_.h0_col".into(), one(0.0));
        arrays.insert("module.conv0.weights1".into(), one(0.0));
        let tidy = tidy(arrays).unwrap();
        let kept: Vec<&str> = tidy.arrays.keys().map(String::as_str).collect();
        assert_eq!(
            kept,
            [
                "conv0.weights1",
                "vsn.0.beta",
                "vsn.0.reset_mechanism_val",
                "vsn.0.threshold",
                "vsn.1.beta",
                "vsn.1.threshold"
            ]
        );
        assert_eq!(tidy.left_out, ["module.conv0.dwt_.h0_col"]);
        assert!(tidy.renamed.contains(&("lif2.beta".into(), "vsn.0.beta".into())));
        assert!(natural("a2b") < natural("a10b"));
    }

    #[test]
    fn what_is_no_network_says_so() {
        let error = tidy(BTreeMap::from([("encoder.weight".to_owned(), one(0.0))])).unwrap_err();
        assert!(error.to_string().contains("encoder.weight"), "{error}");
        let reset = BTreeMap::from([
            ("lif.beta".into(), one(0.0)),
            ("lif.threshold".into(), one(0.0)),
            ("lif.reset_mechanism_val".to_owned(), one(0.0)),
        ]);
        assert!(tidy(reset).unwrap_err().to_string().contains("reset to zero"));
    }
}
