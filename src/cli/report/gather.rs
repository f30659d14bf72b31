//! From what was typed to the sections of a report: documents are read, traces analysed, and the
//! events of their windows taken while the trace is at hand.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::Path;

use anyhow::{Result, bail};

use super::{ReportArgs, Seeds};
use crate::attribution::{Analysis, Analyzer, Options};
use crate::cli::energy;
use crate::cli::input::document::Document;
use crate::cli::input::{self, Resolver};
use crate::cli::progress::Progress;
use crate::compare::Comparison;
use crate::compare::document as comparison;
use crate::plots::power_trace;
use crate::replay::document::{self as replay, Replay};
use crate::replay::sensitivity_document::{self as sensitivity, Sensitivity};
use crate::report::paper::timeline::{self, PowerTrack, Timeline};
use crate::report::paper::{self, Figure, InputAbout, Section};
use crate::trace::Trace;
use crate::units::plain;
use crate::windows::WindowSet;

/// Events that the page of a report holds, unless more is asked for.
const EVENTS: usize = 40_000;

/// What the inputs give.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) sections: Vec<Section>,
    pub(super) analyses: Vec<Analysis>,
    pub(super) inputs: Vec<InputAbout>,
    pub(super) sources: Vec<InputAbout>,
    pub(super) power: Vec<InputAbout>,
    pub(super) seeds: Seeds,
    taken: BTreeSet<String>,
    /// Events that the timelines hold so far.
    events: usize,
}

/// Reads and analyses everything that was named.
pub(super) fn gather(args: &ReportArgs, jobs: Option<NonZeroUsize>) -> Result<Gathered> {
    let resolver = Resolver::new(&args.how, jobs)?.with_energy(&args.energy);
    let wanted = Wanted::parse(args.timeline.as_deref())?;
    let mut gathered = Gathered::default();
    if !args.energy.power.is_empty() && args.inputs.len() > 1 {
        bail!("--power belongs to one trace: make a report of {} alone", args.inputs[0].display());
    }
    for path in &args.inputs {
        gathered.add(path, args, &resolver, &wanted)?;
    }
    for log in &args.energy.power {
        gathered.power.push(InputAbout {
            path: plain(&log.display().to_string(), 400),
            sha256: input::sha256(log),
        });
    }
    Ok(gathered)
}

impl Gathered {
    fn add(
        &mut self,
        path: &Path,
        args: &ReportArgs,
        resolver: &Resolver<'_>,
        wanted: &Wanted,
    ) -> Result<()> {
        let shown = plain(&path.display().to_string(), 400);
        if let Some(analysis) = resolver.without_trace(path)? {
            let mut section = paper::of_analysis(&analysis, &mut self.taken);
            section.figures.extend(power_of_run(path, args, &analysis, &section.id)?);
            self.sections.push(section);
            self.analyses.push(analysis);
            self.inputs.push(InputAbout { path: shown, sha256: None });
            return Ok(());
        }
        if !input::is_document(path) {
            let before = self.analyses.len();
            resolver.each(path, &mut |trace, set, analysis| {
                self.add_trace((path, trace, set), analysis, args, resolver, wanted)
            })?;
            let trace = self.analyses.get(before).and_then(|analysis| analysis.trace.as_ref());
            let sha256 = trace.and_then(|trace| trace.sha256.clone());
            self.inputs.push(InputAbout { path: shown, sha256 });
            return Ok(());
        }
        if !args.energy.power.is_empty() {
            bail!("{}: --power needs the trace, not what was made from it", path.display());
        }
        let hash = |shown| InputAbout { path: shown, sha256: input::sha256(path) };
        match input::document::schema_of(path).as_deref() {
            Some(comparison::SCHEMA) => {
                self.add_comparison(path)?;
                self.inputs.push(hash(shown));
                return Ok(());
            }
            Some(replay::SCHEMA) => {
                self.add_replay(path)?;
                self.inputs.push(hash(shown));
                return Ok(());
            }
            Some(sensitivity::SCHEMA) => {
                self.add_sensitivity(path)?;
                self.inputs.push(hash(shown));
                return Ok(());
            }
            _ => {}
        }
        match resolver.resolve(path)? {
            Document::Analyses(analyses) => {
                for analysis in analyses {
                    self.add_sources(&analysis);
                    self.sections.push(paper::of_analysis(&analysis, &mut self.taken));
                    self.analyses.push(analysis);
                }
            }
            Document::Energy(document) => {
                self.sections.extend(paper::of_energy(&document, &mut self.taken));
            }
        }
        self.inputs.push(hash(shown));
        Ok(())
    }

    /// What a document was made from, once.
    fn add_sources(&mut self, analysis: &Analysis) {
        let tables = analysis.imported.iter().flat_map(|imported| &imported.files);
        let tables = tables.map(|file| (&file.path, Some(&file.sha256)));
        let trace = analysis.trace.iter().filter(|_| analysis.imported.is_none());
        let trace = trace.map(|trace| (&trace.path, trace.sha256.as_ref()));
        for (path, sha256) in tables.chain(trace) {
            let about = InputAbout { path: plain(path, 400), sha256: sha256.cloned() };
            if !self.sources.contains(&about) {
                self.sources.push(about);
            }
        }
    }

    fn add_replay(&mut self, path: &Path) -> Result<()> {
        let document: Replay = input::document::parse(path, replay::SCHEMA)?;
        let mut section = paper::of_replay(&document, &mut self.taken);
        section.figures.extend(paper::figure_of_replay(&document, &section.id)?);
        self.seeds.insert(format!("bootstrap, {}", section.title), document.seed);
        self.sections.push(section);
        Ok(())
    }

    fn add_sensitivity(&mut self, path: &Path) -> Result<()> {
        let document: Sensitivity = input::document::parse(path, sensitivity::SCHEMA)?;
        let section = paper::of_sensitivity(&document, &mut self.taken);
        self.seeds.insert(format!("bootstrap, {}", section.title), document.seed);
        self.sections.push(section);
        Ok(())
    }

    fn add_comparison(&mut self, path: &Path) -> Result<()> {
        let document: Comparison = input::document::parse(path, comparison::SCHEMA)?;
        let mut section = paper::of_comparison(&document, &mut self.taken);
        section.figures = paper::figures_of_comparison(&document, &section.id)?;
        self.seeds.insert(format!("bootstrap, {}", section.title), document.seed);
        self.sections.push(section);
        Ok(())
    }

    fn add_trace(
        &mut self,
        (path, trace, set): (&Path, &Trace, &WindowSet),
        mut analysis: Analysis,
        args: &ReportArgs,
        resolver: &Resolver<'_>,
        wanted: &Wanted,
    ) -> Result<()> {
        let windows = &args.how.windows;
        energy::attach(path, trace, set, &mut analysis, &args.energy, windows)?;
        let measured = analysis.energy.is_some();
        let track = match measured {
            true => energy::track(path, trace, set, &args.energy)?,
            false => None,
        };
        let mut section = paper::of_analysis(&analysis, &mut self.taken);
        if !set.whole_trace && *wanted != Wanted::None {
            let of = analysis.trace.as_ref().map_or_else(String::new, |about| about.path.clone());
            self.add_timeline(&mut section, (of, trace, set), resolver, wanted, track.as_ref())?;
        }
        if measured {
            // After the timeline, which is the figure of the section when it has none.
            section.figures.extend(power_figure((path, trace, set), args, &analysis, &section.id)?);
        }
        self.sections.push(section);
        self.analyses.push(analysis);
        Ok(())
    }

    /// The events of the windows that are wanted, while there is room, and a picture of the first.
    fn add_timeline(
        &mut self,
        section: &mut Section,
        (path, trace, set): (String, &Trace, &WindowSet),
        resolver: &Resolver<'_>,
        wanted: &Wanted,
        power: Option<&PowerTrack>,
    ) -> Result<()> {
        let _progress = Progress::start("taking the events of windows".to_owned());
        let analyzer = Analyzer::new(trace, &resolver.rules.classifier);
        let options = Options { path, ..Options::default() };
        let mut found = Timeline::default();
        for (place, why) in wanted.places(set)? {
            let full = self.events + found.events() >= EVENTS;
            if full && *wanted == Wanted::WhileThereIsRoom && !found.windows.is_empty() {
                break;
            }
            // One at a time: a window's events are large before they are packed.
            for lanes in analyzer.lanes(&set.only(&[place]), &options) {
                found.add(&lanes, why, power);
                if section.figures.is_empty() {
                    section.figures.extend(paper::figure_of_lanes(&lanes, &section.id)?);
                }
            }
        }
        self.events += found.events();
        section.has_timeline = found.events() > 0;
        section.timeline = section.has_timeline.then_some(found);
        Ok(())
    }
}

/// Power over time, of the first log.
fn power_figure(
    (path, trace, set): (&Path, &Trace, &WindowSet),
    args: &ReportArgs,
    analysis: &Analysis,
    section: &str,
) -> Result<Option<Figure>> {
    let curves = energy::curves(path, trace, set, &args.energy, &args.how.windows)?;
    let Some(curve) = curves.first() else { return Ok(None) };
    let (windows, busy) = energy::spans(trace, set);
    let shown = power_trace::Shown {
        trace: analysis.trace.as_ref(),
        curve,
        spec: &set.spec,
        axis: "trace time",
        windows: &windows,
        busy: Some(&busy),
        span: None,
    };
    Ok(paper::figure_of_power(&shown, section)?)
}

/// Power over time of a run without a trace, of the first log, where it has an energy or the reason for none.
fn power_of_run(
    path: &Path,
    args: &ReportArgs,
    analysis: &Analysis,
    section: &str,
) -> Result<Option<Figure>> {
    let Some(run) = input::run::without_trace(path)?.filter(|_| analysis.energy.is_some()) else {
        return Ok(None);
    };
    let beside = energy::untraced::curves(&run, &args.energy, &args.how.windows)?;
    let Some(curve) = beside.curves.first() else { return Ok(None) };
    Ok(paper::figure_of_power(&beside.shown(curve, None), section)?)
}

/// Which windows the page shows.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    WhileThereIsRoom,
    All,
    None,
    These(Vec<usize>),
}

impl Wanted {
    fn parse(text: Option<&str>) -> Result<Self> {
        match text {
            None => Ok(Self::WhileThereIsRoom),
            Some("all") => Ok(Self::All),
            Some("none") => Ok(Self::None),
            Some(list) => {
                let numbers: Result<Vec<usize>, _> =
                    list.split(',').map(|n| n.trim().parse()).collect();
                match numbers {
                    Ok(numbers) => Ok(Self::These(numbers)),
                    Err(_) => bail!(
                        "--timeline {}: give numbers of instances (`windows` lists them), all or none",
                        plain(list, 60)
                    ),
                }
            }
        }
    }

    /// Places in the set, with the reason for each.
    fn places(&self, set: &WindowSet) -> Result<Vec<(usize, &'static str)>> {
        let lengths: Vec<_> = set.windows.iter().map(|window| window.span.length()).collect();
        let order = timeline::order(&lengths);
        let Self::These(numbers) = self else { return Ok(order) };
        let mut places = Vec::new();
        for number in numbers {
            let found = set.windows.iter().position(|window| window.index == *number);
            let Some(place) = found else {
                bail!(
                    "--timeline {number}: `{}` has no instance of that number (`windows` lists them)",
                    plain(&set.spec, 60)
                );
            };
            let why = order.iter().find(|(known, _)| *known == place).map_or("", |(_, why)| why);
            places.push((place, why));
        }
        Ok(places)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_chosen_by_number_or_by_word() {
        assert_eq!(Wanted::parse(None).unwrap(), Wanted::WhileThereIsRoom);
        assert_eq!(Wanted::parse(Some("0, 7")).unwrap(), Wanted::These(vec![0, 7]));
        assert!(
            Wanted::parse(Some("some")).unwrap_err().to_string().contains("`windows` lists them")
        );
    }
}
