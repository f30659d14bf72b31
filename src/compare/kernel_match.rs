//! Which kernel of one build is which of the other? Names change with template arguments, tile sizes and
//! versions.
//!
//! In this order, each step with what the steps before left over on both sides:
//!
//! | step | the same | example |
//! |---|---|---|
//! | `name` | the whole name | |
//! | `template` | the function without template arguments and parameters | `void f<int, 4>(int*)` → `f` |
//! | `tile` | the same with every number left out | `sm80_gemm_128x64_stage4` → `sm#_gemm_#x#_stage#` |
//! | `similar` | the most similar name of the same class (Jaro–Winkler of the step before, from 0.85) | |
//!
//! Several kernels that become the same in a step are one row: three tile sizes of one gemm on one side
//! stand against two on the other.

use std::collections::BTreeMap;

use super::document::Matched;

/// Least similarity of two names that are taken for one.
const SIMILAR: f64 = 0.85;

/// A kernel of one side with its time per window in each unit.
#[derive(Clone, Debug, PartialEq)]
pub struct KernelTime {
    /// The demangled name.
    pub name: String,
    /// Its class.
    pub class: String,
    /// Time per window, one value for each unit.
    pub units: Vec<f64>,
}

/// A kernel on both sides, or on one.
#[derive(Clone, Debug, PartialEq)]
pub struct MatchedKernel {
    /// Its name: that of the base where it has one.
    pub name: String,
    /// Its name on the other side, where it is another one.
    pub name_b: Option<String>,
    /// Its class.
    pub class: String,
    /// How it was found again; `None` where one side has none.
    pub matched: Option<Matched>,
    /// Values of the base's units; 0 where it has no such kernel.
    pub a: Vec<f64>,
    /// Values of the other's units.
    pub b: Vec<f64>,
}

/// Matches the kernels of two sides; `units` are the numbers of units of the sides.
pub fn match_kernels(
    a: Vec<KernelTime>,
    b: Vec<KernelTime>,
    units: (usize, usize),
) -> Vec<MatchedKernel> {
    let mut matching = Matching { rows: Vec::new(), units };
    let (a, b) = matching.by_key(a, b, Matched::Name, &|kernel| kernel.name.clone());
    let (a, b) = matching.by_key(a, b, Matched::Template, &|kernel| function(&kernel.name));
    let tile = |kernel: &KernelTime| without_numbers(&function(&kernel.name));
    let (a, b) = matching.by_key(a, b, Matched::Tile, &tile);
    let (a, b) = matching.by_likeness(a, b);
    for kernel in a {
        let zeros = vec![0.0; units.1];
        matching.push(kernel.name, None, kernel.class, None, (kernel.units, zeros));
    }
    for kernel in b {
        let zeros = vec![0.0; units.0];
        matching.push(kernel.name, None, kernel.class, None, (zeros, kernel.units));
    }
    matching.rows
}

/// What is left of one side after a step.
type Left = Vec<KernelTime>;

struct Matching {
    rows: Vec<MatchedKernel>,
    units: (usize, usize),
}

impl Matching {
    /// Joins what has the same class and key on both sides.
    fn by_key(
        &mut self,
        a: Left,
        b: Left,
        how: Matched,
        key: &dyn Fn(&KernelTime) -> String,
    ) -> (Left, Left) {
        let mut keyed: BTreeMap<(String, String), (Left, Left)> = BTreeMap::new();
        for kernel in a {
            keyed.entry((kernel.class.clone(), key(&kernel))).or_default().0.push(kernel);
        }
        for kernel in b {
            keyed.entry((kernel.class.clone(), key(&kernel))).or_default().1.push(kernel);
        }
        let (mut left_a, mut left_b) = (Vec::new(), Vec::new());
        for ((class, _), (of_a, of_b)) in keyed {
            if of_a.is_empty() || of_b.is_empty() {
                left_a.extend(of_a);
                left_b.extend(of_b);
                continue;
            }
            let (name_a, name_b) = (names(&of_a), names(&of_b));
            let values = (sum(&of_a, self.units.0), sum(&of_b, self.units.1));
            self.push(name_a, Some(name_b), class, Some(how), values);
        }
        (left_a, left_b)
    }

    /// Joins the most similar pairs, the most similar first.
    fn by_likeness(&mut self, a: Left, b: Left) -> (Left, Left) {
        let keys = |side: &Left| -> Vec<String> {
            side.iter().map(|kernel| without_numbers(&function(&kernel.name))).collect()
        };
        let (keys_a, keys_b) = (keys(&a), keys(&b));
        let mut pairs: Vec<(f64, usize, usize)> = Vec::new();
        for (i, of_a) in a.iter().enumerate() {
            for (j, _) in b.iter().enumerate().filter(|(_, of_b)| of_b.class == of_a.class) {
                let likeness = strsim::jaro_winkler(&keys_a[i], &keys_b[j]);
                if likeness >= SIMILAR {
                    pairs.push((likeness, i, j));
                }
            }
        }
        pairs.sort_by(|x, y| y.0.total_cmp(&x.0).then((x.1, x.2).cmp(&(y.1, y.2))));
        let (mut a, mut b): (Vec<_>, Vec<_>) =
            (a.into_iter().map(Some).collect(), b.into_iter().map(Some).collect());
        for (_, i, j) in pairs {
            if a[i].is_some()
                && b[j].is_some()
                && let (Some(of_a), Some(of_b)) = (a[i].take(), b[j].take())
            {
                let values = (of_a.units, of_b.units);
                self.push(of_a.name, Some(of_b.name), of_a.class, Some(Matched::Similar), values);
            }
        }
        (a.into_iter().flatten().collect(), b.into_iter().flatten().collect())
    }

    fn push(
        &mut self,
        name: String,
        name_b: Option<String>,
        class: String,
        matched: Option<Matched>,
        (a, b): (Vec<f64>, Vec<f64>),
    ) {
        let name_b = name_b.filter(|other| *other != name);
        self.rows.push(MatchedKernel { name, name_b, class, matched, a, b });
    }
}

/// One name for several kernels: the one with the most time, and how many more.
fn names(kernels: &[KernelTime]) -> String {
    let time = |kernel: &KernelTime| kernel.units.iter().sum::<f64>();
    let longest =
        kernels.iter().max_by(|x, y| time(x).total_cmp(&time(y)).then_with(|| y.name.cmp(&x.name)));
    let name = longest.map(|kernel| kernel.name.clone()).unwrap_or_default();
    if kernels.len() > 1 { format!("{name} (and {} more)", kernels.len() - 1) } else { name }
}

fn sum(kernels: &[KernelTime], units: usize) -> Vec<f64> {
    (0..units).map(|unit| kernels.iter().map(|kernel| kernel.units[unit]).sum()).collect()
}

/// The function of a demangled name: without return type, template arguments and parameters. What stands
/// in no function (a lambda's braces, `(anonymous namespace)`) stays.
pub fn function(name: &str) -> String {
    const ANONYMOUS: &str = "(anonymous namespace)";
    let name = name.replace(ANONYMOUS, "{anonymous}");
    let mut kept = String::with_capacity(name.len());
    let (mut angles, mut parentheses) = (0_u32, 0_u32);
    let mut previous = ' ';
    for c in name.chars() {
        match c {
            // `operator<` and `->` are no brackets.
            '<' if !kept.ends_with("operator") => angles += 1,
            '>' if previous != '-' && angles > 0 => angles -= 1,
            '(' => parentheses += 1,
            ')' => parentheses = parentheses.saturating_sub(1),
            c if angles == 0 && parentheses == 0 => kept.push(c),
            _ => {}
        }
        previous = c;
    }
    let kept = kept.trim();
    let kept = kept.strip_prefix("void ").unwrap_or(kept).trim();
    if kept.is_empty() { name } else { kept.to_owned() }
}

/// Every run of digits becomes `#`.
pub fn without_numbers(name: &str) -> String {
    let mut kept = String::with_capacity(name.len());
    for c in name.chars() {
        if !c.is_ascii_digit() {
            kept.push(c);
        } else if !kept.ends_with('#') {
            kept.push('#');
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kernel(name: &str, class: &str, time: f64) -> KernelTime {
        KernelTime { name: name.into(), class: class.into(), units: vec![time] }
    }

    #[test]
    fn a_function_is_what_stands_outside_brackets() {
        let name = "void at::native::vectorized_elementwise_kernel<4, at::native::CUDAFunctor_add<float>, \
                    std::array<char*, 3> >(int, at::native::CUDAFunctor_add<float>)";
        assert_eq!(function(name), "at::native::vectorized_elementwise_kernel");
        assert_eq!(
            function("void (anonymous namespace)::softmax_warp<float, 10>(float*)"),
            "{anonymous}::softmax_warp"
        );
        assert_eq!(function("sm80_xmma_gemm_f32f32_128x64"), "sm80_xmma_gemm_f32f32_128x64");
        assert_eq!(function("<lambda>"), "<lambda>");
    }

    #[test]
    fn numbers_are_left_out() {
        assert_eq!(without_numbers("gemm_128x64_stage4"), "gemm_#x#_stage#");
    }

    #[test]
    fn kernels_are_found_again_step_by_step() {
        let a = vec![
            kernel("same", "x", 1.0),
            kernel("void f<int>(int*)", "x", 2.0),
            kernel("gemm_128x64", "gemm", 3.0),
            kernel("gemm_64x64", "gemm", 1.0),
            kernel("void softmax_forward<1>()", "softmax", 4.0),
            kernel("gone", "x", 5.0),
        ];
        let b = vec![
            kernel("same", "x", 1.5),
            kernel("void f<float>(float*)", "x", 2.5),
            kernel("gemm_256x128", "gemm", 3.5),
            kernel("void softmax_forward_v2<1>()", "softmax", 4.5),
            kernel("an entirely new one", "x", 6.0),
        ];
        let found = match_kernels(a, b, (1, 1));
        let how = |name: &str| found.iter().find(|row| row.name.starts_with(name)).unwrap();
        assert_eq!(how("same").matched, Some(Matched::Name));
        assert_eq!(how("same").name_b, None);
        assert_eq!(how("void f").matched, Some(Matched::Template));
        assert_eq!(how("void f").name_b.as_deref(), Some("void f<float>(float*)"));
        assert_eq!(how("gemm").matched, Some(Matched::Tile));
        assert_eq!((how("gemm").a[0], how("gemm").b[0]), (4.0, 3.5));
        assert_eq!(how("gemm").name, "gemm_128x64 (and 1 more)");
        assert_eq!(how("void softmax").matched, Some(Matched::Similar));
        assert_eq!((how("gone").matched, how("gone").b[0]), (None, 0.0));
        assert_eq!((how("an entirely").a[0], how("an entirely").b[0]), (0.0, 6.0));
        let total = |side: fn(&MatchedKernel) -> f64| found.iter().map(side).sum::<f64>();
        assert_eq!((total(|row| row.a[0]), total(|row| row.b[0])), (16.0, 18.0));
    }

    #[test]
    fn classes_do_not_mix() {
        let found =
            match_kernels(vec![kernel("k1", "a", 1.0)], vec![kernel("k2", "b", 1.0)], (1, 1));
        assert!(found.iter().all(|row| row.matched.is_none()));
    }
}
