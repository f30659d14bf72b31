//! Shapes of kernel order, by name: what context must see, and what it must not.

use super::*;

const FPROP: &str = "void implicit_convolve_sgemm<float>(int)";
const DGRAD: &str = "void cudnn::detail::dgrad_engine<float>(int)";
const PACK: &str = "void cudnn::scalePackedTensor_kernel<float>(long)";
const CGEMM: &str = "volta_gcgemm_32x32_nt";
const FORTH: &str = "void fft2d_r2c_32x32<float>(float2*)";
const BACK: &str = "void fft2d_c2r_32x32<float>(float2*)";
const FLIP: &str = "void flip_filter<float>(float*)";
const SGEMM: &str = "ampere_sgemm_128x32_tn";
const RELU: &str = "void at::native::vectorized_elementwise_kernel<4>(int)";

/// Kernels of one stream, all with the same grid, outside cuDNN calls.
fn ops(rules: &Classifier, names: &[&str]) -> Vec<ContextOp> {
    let mut known: Vec<&str> = Vec::new();
    let number = |name: &str, known: &[&str]| known.iter().position(|old| *old == name);
    for name in names {
        if number(name, &known).is_none() {
            known.push(name);
        }
    }
    let op = |name: &&str| ContextOp {
        stream: 7,
        name: u32::try_from(number(name, &known).unwrap()).unwrap(),
        grid: (1, 2, 3),
        by_name: rules.classify(name, ""),
        in_cudnn_convolution: false,
    };
    names.iter().map(op).collect()
}

/// Class and rule by context for each kernel, `-` where the name's class stays.
fn said(rules: &Classifier, ops: &[ContextOp]) -> Vec<String> {
    let tell = |found: Option<ContextAssignment>| {
        found.map_or_else(
            || "-".to_owned(),
            |found| format!("{} {}", rules.class_name(found.class), found.rule.name()),
        )
    };
    rules.reclassify_in_context(ops.iter().copied()).map(tell).collect()
}

fn said_of(names: &[&str]) -> Vec<String> {
    let rules = Classifier::shipped().unwrap();
    said(&rules, &ops(&rules, names))
}

fn repeat<'a>(pattern: &[&'a str], times: usize) -> Vec<&'a str> {
    pattern.iter().copied().cycle().take(pattern.len() * times).collect()
}

#[test]
fn complex_products_between_two_transforms_are_the_convolution() {
    let got = said_of(&[CGEMM, FLIP, FORTH, FLIP, CGEMM, CGEMM, BACK, CGEMM]);
    let fft = "conv/fft fft-product";
    assert_eq!(got, ["-", "-", "-", "-", fft, fft, "-", "-"]);
}

#[test]
fn another_kernel_between_the_transforms_breaks_the_convolution() {
    assert_eq!(said_of(&[FORTH, CGEMM, RELU, BACK]), ["-"; 4]);
    assert_eq!(said_of(&[FORTH, SGEMM, CGEMM, BACK]), ["-"; 4]);
    assert_eq!(said_of(&[FORTH, FPROP, CGEMM, BACK]), ["-"; 4]);
}

#[test]
fn streams_do_not_see_each_other() {
    let rules = Classifier::shipped().unwrap();
    let mut mixed = ops(&rules, &[FORTH, RELU, CGEMM, RELU, BACK]);
    for (index, op) in mixed.iter_mut().enumerate() {
        op.stream = if index % 2 == 1 { 8 } else { 7 };
    }
    assert_eq!(said(&rules, &mixed), ["-", "-", "conv/fft fft-product", "-", "-"]);
    mixed[2].stream = 8;
    assert_eq!(said(&rules, &mixed), ["-"; 5]);
}

#[test]
fn eight_equal_forward_launches_are_one_grouped_convolution() {
    let grouped = "conv/depthwise group-loop-forward";
    assert_eq!(said_of(&repeat(&[FPROP], 8)), [grouped; 8]);
    assert_eq!(said_of(&repeat(&[FPROP], 7)), ["-"; 7]);
    let paired = said_of(&repeat(&[PACK, FPROP], 9));
    assert_eq!(paired, repeat(&["-", grouped], 9));
    assert_eq!(said_of(&repeat(&[PACK, FLIP, FPROP], 9)), ["-"; 27], "two helpers each");
    assert_eq!(said_of(&repeat(&[FPROP, RELU], 9)), ["-"; 18], "layers, not groups");
}

#[test]
fn a_change_of_grid_or_kernel_ends_the_run() {
    let rules = Classifier::shipped().unwrap();
    let mut run = ops(&rules, &[FPROP; 12]);
    run[4].grid = (9, 9, 9);
    assert_eq!(said(&rules, &run), ["-"; 12]);
    let mut run = ops(&rules, &[FPROP; 12]);
    run[3].grid = (9, 9, 9);
    assert_eq!(said(&rules, &run).iter().filter(|said| *said != "-").count(), 8);
    let mut run = ops(&rules, &[FPROP; 12]);
    run[5].name = 99;
    assert_eq!(said(&rules, &run), ["-"; 12]);
}

#[test]
fn a_looped_data_gradient_stays_a_transposed_convolution() {
    assert_eq!(said_of(&repeat(&[DGRAD, PACK], 640)), ["-"; 1280]);
    let text = "extends = 'default'\n[[rule]]\nclass = 'conv/grad'\npattern = 'dgrad_engine'\n\
                reason = ''\ntags = ['dgrad']";
    let rules = Classifier::from_toml(text, "own").unwrap();
    let run = ops(&rules, &[DGRAD; 8]);
    assert_eq!(said(&rules, &run), ["conv/transposed group-loop-gradient"; 8]);
}

#[test]
fn a_kernel_inside_a_cudnn_convolution_is_one() {
    let rules = Classifier::shipped().unwrap();
    let copy = "void transpose_readWrite_alignment_kernel<float2>(int)";
    let mut inside = ops(&rules, &[SGEMM, FLIP, FPROP, copy, CGEMM, "cutie_kernel", SGEMM]);
    for op in &mut inside[..6] {
        op.in_cudnn_convolution = true;
    }
    let expected = [
        "conv/plain cudnn-call",
        "-",
        "-",
        "conv/helper cudnn-call-helper",
        "conv/fft cudnn-call-product",
        "conv/plain cudnn-call",
        "-",
    ];
    assert_eq!(said(&rules, &inside), expected);
}

#[test]
fn context_without_an_entry_in_the_file_changes_nothing() {
    let text = "[[rule]]\nclass = 'a'\npattern = 'convolve'\nreason = ''\ntags = ['fprop']";
    let rules = Classifier::from_toml(text, "own").unwrap();
    assert_eq!(said(&rules, &ops(&rules, &[FPROP; 9])), ["-"; 9]);
    assert_eq!(rules.reclassify_in_context(std::iter::empty()).count(), 0);
}
