//! What the order of the kernels says beyond their names.
//!
//! ```text
//!  fft-product         fft2d_r2c  flip  [cgemm]  [cgemm]  transpose  fft2d_c2r     one stream
//!  group-loop-forward  [fprop] pack [fprop] pack ... [fprop]     same name, same grid, 8 or more
//!  cudnn-call          cudnnConvolutionForward( ... [sgemm] ... )
//! ```
//!
//! Roles (fft2d, cgemm, fprop, dgrad, helper) are tags of the rules file, classes that context gives
//! are its `[[context]]` entries; only the three shapes above are code (semantics of the classes in
//! `docs/kernel-classes.md`). One pass, time and memory linear in the number of kernels.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Assignment, ClassId, Classifier, Rule, Tag};

/// Launches of one kernel in a row from which a run counts as cuDNN's loop over groups.
pub const MIN_GROUP_LOOP: usize = 8;

/// One kernel in start order, as the rules of context see it.
#[derive(Clone, Copy, Debug)]
pub struct ContextOp {
    /// One number per (process, device, stream); kernels of different keys never meet.
    pub stream: u32,
    /// Identity of the name: equal for equal kernels only.
    pub name: u32,
    /// Blocks of the launch.
    pub grid: (u32, u32, u32),
    /// What [`Classifier::classify`] said; the rule in it carries the tags.
    pub by_name: Assignment,
    /// Whether it was launched inside a `cudnnConvolution*` call (`CUDNN_EVENTS`).
    pub in_cudnn_convolution: bool,
}

/// What a kernel that no cuDNN convolution launched can do to what is open on its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContextPart {
    /// Begin something, or go on with it.
    Starts,
    /// Stand between its kernels; nothing where nothing is open.
    Between,
    /// End it; nothing where nothing is open.
    Ends,
}

/// A rule of context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ContextRule {
    /// A complex product between two FFT stages.
    FftProduct,
    /// A forward convolution kernel repeated over groups.
    GroupLoopForward,
    /// A data-gradient kernel repeated over groups.
    GroupLoopGradient,
    /// A kernel launched by a cuDNN convolution call.
    CudnnCall,
    /// A complex product launched by a cuDNN convolution call.
    CudnnCallProduct,
    /// A helper launched by a cuDNN convolution call.
    CudnnCallHelper,
}

impl ContextRule {
    /// As the rules file spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FftProduct => "fft-product",
            Self::GroupLoopForward => "group-loop-forward",
            Self::GroupLoopGradient => "group-loop-gradient",
            Self::CudnnCall => "cudnn-call",
            Self::CudnnCallProduct => "cudnn-call-product",
            Self::CudnnCallHelper => "cudnn-call-helper",
        }
    }

    /// Why the context means another class than the name.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::FftProduct => {
                "a complex matrix product between two transforms of an FFT convolution on one \
                 stream is the product of that convolution"
            }
            Self::GroupLoopForward => {
                "a run of equal launches of one forward kernel is cuDNN looping over the groups of \
                 one grouped convolution"
            }
            Self::GroupLoopGradient => {
                "a run of equal launches of one data gradient is cuDNN looping over the groups of \
                 one transposed convolution"
            }
            Self::CudnnCall => "launched inside a cudnnConvolution call",
            Self::CudnnCallProduct => {
                "a complex matrix product inside a cudnnConvolution call is that of an FFT \
                 convolution, whose products cuDNN may spread over further streams"
            }
            Self::CudnnCallHelper => "moves data inside a cudnnConvolution call",
        }
    }
}

/// The class that context gives in place of the name's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContextAssignment {
    /// The class.
    pub class: ClassId,
    /// Which rule of context gave it.
    pub rule: ContextRule,
}

impl Classifier {
    /// For each kernel in start order: the class that its context gives, where that differs from the
    /// class of its name. The order of the streams among each other does not matter.
    ///
    /// The kernels are walked through twice, and not kept.
    pub fn reclassify_in_context<Ops>(
        &self,
        ops: Ops,
    ) -> impl Iterator<Item = Option<ContextAssignment>>
    where
        Ops: Iterator<Item = ContextOp> + Clone,
    {
        let roles: Vec<Roles> = self.rules().iter().map(Roles::of).collect();
        let roles_of = move |op: &ContextOp| {
            op.by_name.rule.and_then(|rule| roles.get(rule)).copied().unwrap_or_default()
        };
        let mut verdicts = Vec::new();
        let mut streams = Streams::default();
        for (index, op) in ops.clone().enumerate() {
            verdicts.push(None);
            streams.of(op.stream).step(index, &op, roles_of(&op), &mut verdicts);
        }
        for stream in &mut streams.open {
            stream.group_loop.close(&mut verdicts);
        }
        let in_family = self.families_of(ContextRule::CudnnCall);
        ops.zip(verdicts).map(move |(op, verdict)| {
            let rule = verdict.or_else(|| cudnn_rule(&op, roles_of(&op), &in_family))?;
            let class = *self.contexts.get(&rule)?;
            (class != op.by_name.class).then_some(ContextAssignment { class, rule })
        })
    }

    /// What part a kernel can play in the rules of context.
    pub fn part(&self, by_name: Assignment) -> ContextPart {
        let rule = by_name.rule.and_then(|rule| self.rules().get(rule));
        match rule.map(Roles::of).unwrap_or_default() {
            Roles { helper: true, .. } => ContextPart::Between,
            roles if roles == Roles::default() => ContextPart::Ends,
            _ => ContextPart::Starts,
        }
    }

    /// By class: whether it is of the family that the rule gives.
    fn families_of(&self, rule: ContextRule) -> Vec<bool> {
        let family = |class: &str| class.split('/').next().unwrap_or_default().to_owned();
        let wanted = self.contexts.get(&rule).map(|class| family(self.class_name(*class)));
        self.class_names().iter().map(|class| Some(family(class)) == wanted).collect()
    }
}

/// A kernel inside a cuDNN convolution that its name does not already call a convolution.
fn cudnn_rule(op: &ContextOp, roles: Roles, is_convolution: &[bool]) -> Option<ContextRule> {
    let named = is_convolution.get(op.by_name.class.index()).copied().unwrap_or(false);
    if named || !op.in_cudnn_convolution {
        return None;
    }
    Some(match (roles.helper, roles.cgemm) {
        (true, _) => ContextRule::CudnnCallHelper,
        (_, true) => ContextRule::CudnnCallProduct,
        _ => ContextRule::CudnnCall,
    })
}

/// The tags of a rule, looked up once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Roles {
    helper: bool,
    cgemm: bool,
    fft2d: bool,
    repeated: Option<ContextRule>,
}

impl Roles {
    fn of(rule: &Rule) -> Self {
        let repeated = match (rule.has(Tag::Fprop), rule.has(Tag::Dgrad)) {
            (true, _) => Some(ContextRule::GroupLoopForward),
            (_, true) => Some(ContextRule::GroupLoopGradient),
            _ => None,
        };
        Self {
            helper: rule.has(Tag::Helper),
            cgemm: rule.has(Tag::Cgemm),
            fft2d: rule.has(Tag::Fft2d),
            repeated,
        }
    }
}

/// The streams, each found by its number.
#[derive(Default)]
struct Streams {
    place: BTreeMap<u32, usize>,
    open: Vec<Stream>,
    /// Neighbouring kernels are mostly of one stream.
    last: Option<(u32, usize)>,
}

impl Streams {
    fn of(&mut self, number: u32) -> &mut Stream {
        let place = match self.last {
            Some((last, place)) if last == number => place,
            _ => *self.place.entry(number).or_insert(self.open.len()),
        };
        if place == self.open.len() {
            self.open.push(Stream::default());
        }
        self.last = Some((number, place));
        &mut self.open[place]
    }
}

/// What is open on one stream.
#[derive(Default)]
struct Stream {
    fft: FftProducts,
    group_loop: GroupLoop,
}

impl Stream {
    fn step(
        &mut self,
        index: usize,
        op: &ContextOp,
        roles: Roles,
        verdicts: &mut [Option<ContextRule>],
    ) {
        if roles.helper {
            self.group_loop.helper(verdicts);
        } else if let Some(rule) = roles.repeated {
            let kernel = Repeated { name: op.name, grid: op.grid, rule };
            self.group_loop.launch(index, kernel, verdicts);
            self.fft = FftProducts::default();
        } else {
            self.group_loop.close(verdicts);
            self.fft.step(index, roles.fft2d, roles.cgemm, verdicts);
        }
    }
}

/// Complex products since the last FFT stage; they count when the next stage comes.
#[derive(Default)]
struct FftProducts {
    after_stage: bool,
    products: Vec<usize>,
}

impl FftProducts {
    fn step(&mut self, index: usize, stage: bool, product: bool, out: &mut [Option<ContextRule>]) {
        if stage {
            mark(out, &self.products, ContextRule::FftProduct);
            self.products.clear();
            self.after_stage = true;
        } else if product && self.after_stage {
            self.products.push(index);
        } else {
            *self = Self::default();
        }
    }
}

/// What must be equal for two launches to be of one loop.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Repeated {
    name: u32,
    grid: (u32, u32, u32),
    rule: ContextRule,
}

/// Equal launches of one kernel in a row, with at most one helper between two.
#[derive(Default)]
struct GroupLoop {
    kernel: Option<Repeated>,
    launches: Vec<usize>,
    helpers: u32,
}

impl GroupLoop {
    fn launch(&mut self, index: usize, kernel: Repeated, out: &mut [Option<ContextRule>]) {
        if self.kernel != Some(kernel) {
            self.close(out);
        }
        self.kernel = Some(kernel);
        self.launches.push(index);
        self.helpers = 0;
    }

    fn helper(&mut self, out: &mut [Option<ContextRule>]) {
        self.helpers += 1;
        if self.helpers > 1 {
            self.close(out);
        }
    }

    fn close(&mut self, out: &mut [Option<ContextRule>]) {
        if let Some(kernel) = self.kernel
            && self.launches.len() >= MIN_GROUP_LOOP
        {
            mark(out, &self.launches, kernel.rule);
        }
        *self = Self::default();
    }
}

fn mark(out: &mut [Option<ContextRule>], indices: &[usize], rule: ContextRule) {
    for &index in indices {
        if let Some(slot) = out.get_mut(index) {
            *slot = Some(rule);
        }
    }
}

#[cfg(test)]
mod tests;
