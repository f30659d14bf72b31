//! From the runs of a study to its numbers.
//!
//! Latency and energy: untraced runs of the request path. Shares and causes: traced ones. Errors and
//! spike rates: the reference path. Each checkpoint is one unit, over all its repeats.

use std::collections::BTreeMap;
use std::path::Path;

use super::answers;
use super::availability::Availability;
use super::cells::{FoundRun, Runs};
use super::cross_reference;
use super::document::{ModelAbout, RailAbout, RunUsed, SCHEMA, Study, VerdictOf};
use super::doubts::{self, folded};
use super::energies;
use super::error::StudyError;
use super::measures::{self, ATTRIBUTION, COST, OfModel, What};
use super::methods;
use super::plan::{StudyPlan, path_name};
use super::pool::pool;
use super::published::PublishedNumbers;
use super::requests::{self, tool};
use super::traced::{self, Rules};
use crate::attribution::Analysis;
use crate::attribution::energy_document::Energy;
use crate::attribution::provenance::{ClassFile, RunAbout};
use crate::classify::{Classifier, SHIPPED_RULES};
use crate::compare::{Comparison, PairBy, compare, within};
use crate::finding::{self, Finding, Severity};
use crate::replay::document::Replay;
use crate::replay::sensitivity_document::Sensitivity;
use crate::report::paper::hash;
use crate::runs::sidecar::ExecutionPath;
use crate::units::Nanos;

/// Analyses of the checkpoints of a model, with the checkpoints' names.
type Units = Vec<(String, Analysis)>;

/// Everything that the report of a study is made from.
#[derive(Debug)]
pub struct Material {
    /// The numbers.
    pub study: Study,
    /// Untraced runs by model, one analysis for each checkpoint.
    pub untraced: Vec<(String, Vec<Analysis>)>,
    /// Traced runs by model, one analysis for each checkpoint.
    pub traced: Vec<(String, Vec<Analysis>)>,
    /// Models against the base: what is compared, and the comparison.
    pub comparisons: Vec<(String, Comparison)>,
    /// Cost against spike rate.
    pub sensitivities: Vec<Sensitivity>,
    /// Replays, one for each model and checkpoint that has a trace.
    pub replays: Vec<Replay>,
    /// The rules that gave kernels their classes.
    pub classes: ClassFile,
    /// Every request of every run of the request path.
    pub requests: Vec<RequestUsed>,
}

/// A request as its program timed it.
#[derive(Clone, Debug)]
pub struct RequestUsed {
    /// Its run.
    pub run: String,
    /// Its place among the run's requests.
    pub index: usize,
    /// Its length.
    pub latency: Nanos,
    /// The spike rate of each layer, from a second forward that is not timed.
    pub spike_rates: Option<Vec<f64>>,
}

/// What all steps look at.
struct Ground<'a> {
    plan: &'a StudyPlan,
    runs: &'a Runs,
    can: &'a Availability,
    published: Option<PublishedNumbers>,
    rules: Rules,
}

/// What the traced runs give.
struct FromTraces<'a> {
    units: Vec<Units>,
    replays: Vec<Vec<Replay>>,
    /// Every traced run with its analysis, by model.
    each: Vec<Vec<(&'a FoundRun, Analysis)>>,
}

/// Analyses the runs; `tell` hears which run is read.
///
/// # Errors
/// When a trace, a log or a file that the plan names cannot be read.
pub fn analyse(
    plan: &StudyPlan,
    runs: &Runs,
    can: &Availability,
    tell: &mut dyn FnMut(&str),
) -> Result<Material, StudyError> {
    let published = plan.published.as_deref().map(PublishedNumbers::read).transpose()?;
    let ground = Ground { plan, runs, can, published, rules: rules(plan.classes.as_deref())? };
    let mut findings = runs.findings.clone();
    let mut of_runs = Vec::new();
    let untraced = ground.untraced(&mut findings, &mut of_runs)?;
    let traces = ground.traced(tell)?;
    for (run, analysis) in traces.each.iter().flatten() {
        of_runs.extend(named(&run.name, within(&run.name, analysis)));
    }
    findings.extend(folded(&of_runs, "runs"));
    let rail = rail(&untraced);
    let comparisons = ground.comparisons(&untraced, &traces.units, &mut findings);
    let (answers, sensitivities) = ground.answers(&traces);
    let pooled: Vec<&Analysis> = untraced.iter().flatten().map(|(_, analysis)| analysis).collect();
    let methods = methods::methods(plan, runs, can, &pooled, rail.as_ref());
    findings.extend(ground.doubts(&untraced, &traces.units));
    finding::sort(&mut findings);
    let study = Study {
        schema: SCHEMA.to_owned(),
        tool: tool(),
        name: plan.name.clone(),
        window: plan.window.clone(),
        models: (0..plan.model.len()).map(|m| ground.about(m)).collect(),
        base: plan.model[plan.base()].name.clone(),
        checkpoints: plan.checkpoint.iter().map(|one| one.name.clone()).collect(),
        runs: runs.found.iter().map(|run| ground.used(run)).collect(),
        accuracy: ground.accuracy(&mut findings),
        cost: ground.cost(&untraced, rail.as_ref()),
        rail,
        attribution: ground.attribution(&traces.units),
        verdicts: ground.verdicts(&traces),
        answers,
        methods,
        published: ground.published.as_ref().map(PublishedNumbers::about),
        cross_reference: cross_reference::read(&plan.cross_reference, &ground.rules)?,
        findings,
        run_findings: of_runs.into_iter().map(|(_, finding)| finding).collect(),
    };
    let labelled = |units: Vec<Units>| -> Vec<(String, Vec<Analysis>)> {
        let of = units.into_iter().map(|units| units.into_iter().map(|unit| unit.1).collect());
        plan.model.iter().map(|model| model.shown().to_owned()).zip(of).collect()
    };
    Ok(Material {
        study,
        untraced: labelled(untraced),
        traced: labelled(traces.units),
        comparisons,
        sensitivities,
        replays: traces.replays.into_iter().flatten().collect(),
        classes: ground.rules.about,
        requests: runs.found.iter().flat_map(timed).collect(),
    })
}

/// Findings with whose they are.
fn named(whose: &str, findings: Vec<Finding>) -> impl Iterator<Item = (String, Finding)> {
    findings.into_iter().map(move |finding| (whose.to_owned(), finding))
}

/// The requests of a run of the request path.
fn timed(run: &FoundRun) -> Vec<RequestUsed> {
    let sidecar = run.run.sidecar.iter().filter(|_| run.path == ExecutionPath::Request);
    let requests = sidecar.flat_map(|sidecar| &sidecar.requests).enumerate();
    let of = requests.map(|(index, request)| RequestUsed {
        run: run.name.clone(),
        index,
        latency: request.latency_ns,
        spike_rates: request.spike_rates.clone(),
    });
    of.collect()
}

/// The rail and log that most checkpoints have an energy of; of equal ones the first by name. All models are
/// shown on this one: a ratio of two rails would be none.
fn rail(untraced: &[Units]) -> Option<RailAbout> {
    let mut units: BTreeMap<RailAbout, usize> = BTreeMap::new();
    for energy in untraced.iter().flatten().filter_map(|(_, a)| a.energy.as_ref()).flatten() {
        if energy.refused.is_none() {
            *units.entry(RailAbout::of(energy)).or_default() += 1;
        }
    }
    let most = units.values().max().copied()?;
    units.into_iter().find(|(_, count)| *count == most).map(|(rail, _)| rail)
}

/// The shipped rules, or those of a file.
fn rules(file: Option<&Path>) -> Result<Rules, StudyError> {
    let shown = file.map(|file| {
        file.file_name().map_or_else(|| file.display().to_string(), |n| n.to_string_lossy().into())
    });
    let fault = |problem: String| StudyError::Rules {
        path: file.unwrap_or(Path::new("shipped")).to_path_buf(),
        problem,
    };
    let text = match file {
        None => SHIPPED_RULES.to_owned(),
        Some(file) => std::fs::read_to_string(file)
            .map_err(|source| StudyError::Unreadable { path: file.to_path_buf(), source })?,
    };
    let made = match &shown {
        None => Classifier::shipped(),
        Some(name) => Classifier::from_toml(&text, name),
    };
    let classifier = made.map_err(|error| fault(error.to_string()))?;
    Ok(Rules { classifier, about: ClassFile { path: shown, sha256: hash(text.as_bytes()) } })
}

impl Ground<'_> {
    fn model(&self, model: usize) -> String {
        self.plan.model[model].name.clone()
    }

    fn models(&self) -> Vec<String> {
        (0..self.plan.model.len()).map(|m| self.model(m)).collect()
    }

    fn about(&self, model: usize) -> ModelAbout {
        let parameters = self.runs.found.iter().filter(|run| run.model == model);
        let mut parameters =
            parameters.filter_map(|run| run.run.sidecar.as_ref()?.model.as_ref()?.parameters);
        ModelAbout {
            name: self.model(model),
            label: self.plan.model[model].shown().to_owned(),
            parameters: parameters.next(),
        }
    }

    fn used(&self, run: &FoundRun) -> RunUsed {
        RunUsed {
            name: run.name.clone(),
            model: self.model(run.model),
            checkpoint: self.plan.checkpoint[run.checkpoint].name.clone(),
            path: path_name(run.path).to_owned(),
            traced: run.traced,
            repeat: run.repeat,
            requests: run.run.sidecar.as_ref().map_or(0, |sidecar| sidecar.requests.len()),
            p50_ns: methods::median(run).map(|ns| Nanos::from_ns(ns.round() as i64)),
        }
    }

    /// The checkpoint under the plan's own name, by which models are paired.
    fn named(&self, mut analysis: Analysis, model: usize, checkpoint: usize) -> (String, Analysis) {
        let name = self.plan.checkpoint[checkpoint].name.clone();
        let run = analysis.run.get_or_insert_with(RunAbout::default);
        run.checkpoint = Some(name.clone());
        run.model = Some(self.model(model));
        (name, analysis)
    }

    /// Every unit of every model, from what `of` makes of a cell.
    fn each_unit(
        &self,
        mut of: impl FnMut(usize, usize) -> Result<Option<Analysis>, StudyError>,
    ) -> Result<Vec<Units>, StudyError> {
        let mut all: Vec<Units> = vec![Vec::new(); self.plan.model.len()];
        for (m, c) in self.plan.cells() {
            if let Some(analysis) = of(m, c)? {
                all[m].push(self.named(analysis, m, c));
            }
        }
        Ok(all)
    }

    /// Analyses of untraced runs; `of_runs` gets what is doubted of the windows of each.
    fn untraced(
        &self,
        findings: &mut Vec<Finding>,
        of_runs: &mut Vec<(String, Finding)>,
    ) -> Result<Vec<Units>, StudyError> {
        self.each_unit(|m, c| {
            let mut repeats = Vec::new();
            for found in self.runs.of(m, c, ExecutionPath::Request, false) {
                let Some(mut analysis) = requests::analysis(&found.run, &self.plan.window) else {
                    findings.push(without_requests(&found.name));
                    continue;
                };
                let run = analysis.run.get_or_insert_with(RunAbout::default);
                run.folder = Some(found.name.clone());
                of_runs.extend(named(&found.name, within(&found.name, &analysis)));
                if !found.run.power.is_empty() {
                    let (of, doubts) = energies::of(&found.run, &found.name, self.plan)?;
                    analysis.energy = Some(of);
                    analysis.findings.extend(doubts);
                }
                repeats.push(analysis);
            }
            Ok(pool(&repeats))
        })
    }

    fn traced(&self, tell: &mut dyn FnMut(&str)) -> Result<FromTraces<'_>, StudyError> {
        let models = self.plan.model.len();
        let mut replays: Vec<Vec<Replay>> = (0..models).map(|_| Vec::new()).collect();
        let mut each: Vec<Vec<(&FoundRun, Analysis)>> = (0..models).map(|_| Vec::new()).collect();
        let units = self.each_unit(|m, c| {
            let mut repeats = Vec::new();
            for found in self.runs.of(m, c, ExecutionPath::Request, true) {
                tell(&found.name);
                // One replay for each checkpoint: its repeats differ by what is random.
                let first = repeats.is_empty();
                let Some(read) = traced::read(found, &self.plan.window, &self.rules, first)? else {
                    continue;
                };
                replays[m].extend(read.replay);
                each[m].push((found, read.analysis.clone()));
                repeats.push(read.analysis);
            }
            Ok(pool(&repeats))
        })?;
        Ok(FromTraces { units, replays, each })
    }

    /// Every model against the base, over the checkpoints that both have.
    fn comparisons(
        &self,
        untraced: &[Units],
        traced: &[Units],
        findings: &mut Vec<Finding>,
    ) -> Vec<(String, Comparison)> {
        let base = self.plan.base();
        let mut all = Vec::new();
        for (what, units) in [("untraced", untraced), ("traced", traced)] {
            for m in (0..units.len()).filter(|m| *m != base) {
                let side = |of: &Units, other: &Units| -> Vec<Analysis> {
                    let in_both = of.iter().filter(|(name, _)| other.iter().any(|o| o.0 == *name));
                    in_both.map(|(_, analysis)| analysis.clone()).collect()
                };
                let a = side(&units[base], &units[m]);
                let b = side(&units[m], &units[base]);
                if a.is_empty() {
                    continue;
                }
                let pairs = (a.len() > 1).then_some(PairBy::Checkpoint);
                let label = |m: usize| self.plan.model[m].shown().to_owned();
                let labels = (label(base), label(m));
                match compare((&labels.0, a), (&labels.1, b), pairs) {
                    Ok(mut found) => {
                        // Repeats stand behind one another here; what single runs show is said of them.
                        found.findings.retain(|finding| !doubts::is_of_one_run(finding));
                        let title = format!("{} against {}, {what} runs", labels.1, labels.0);
                        all.push((title, found));
                    }
                    Err(error) => findings.push(not_compared(&labels.1, what, &error.to_string())),
                }
            }
        }
        all
    }

    fn answers(&self, traces: &FromTraces<'_>) -> (Vec<super::document::Answer>, Vec<Sensitivity>) {
        let (mut all, mut documents) = (Vec::new(), Vec::new());
        for m in (0..self.plan.model.len()).filter(|m| answers::spikes(self.runs, *m)) {
            let untraced = answers::of_untraced(self.plan, self.runs, m, &self.rules);
            let with_kernels: Vec<_> =
                traces.each[m].iter().filter(|(_, a)| a.kernels.is_some()).collect();
            let traced = (!with_kernels.is_empty()).then(|| {
                answers::slopes(with_kernels.iter().map(|(run, a)| (*run, a)), &self.rules)
            });
            all.extend(answers::measured(&self.model(m), &untraced, traced.as_ref()));
            documents.push(untraced);
            documents.extend(traced);
        }
        for m in 0..self.plan.model.len() {
            let replays: Vec<&Replay> = traces.replays[m].iter().collect();
            let why = self.no_attribution(&traces.units, m);
            all.extend(answers::replayed(&self.model(m), &replays, &why));
        }
        (all, documents)
    }

    /// Errors and spike rates; repeats must agree, since nothing is timed.
    fn accuracy(&self, findings: &mut Vec<Finding>) -> Vec<super::document::Measure> {
        let mut values: Vec<OfModel> = vec![Vec::new(); self.plan.model.len()];
        for (m, c) in self.plan.cells() {
            let repeats: Vec<Vec<(What, f64)>> = [false, true]
                .into_iter()
                .flat_map(|traced| self.runs.of(m, c, ExecutionPath::Reference, traced))
                .map(errors_and_rates)
                .filter(|all| !all.is_empty())
                .collect();
            let Some(first) = repeats.first() else { continue };
            if repeats.iter().any(|other| other != first) {
                findings.push(not_repeatable(&self.plan.program_name(m, c)));
            }
            values[m].push((self.plan.checkpoint[c].name.clone(), first.clone()));
        }
        let planned = self.plan.path.iter().any(|spec| spec.name == ExecutionPath::Reference);
        let why = |m: usize, quantity: &str| {
            if quantity != "error" && !values[m].is_empty() {
                "this model has no such layer".to_owned()
            } else if planned {
                "no complete run of the reference path says it".to_owned()
            } else {
                "the plan has no reference path".to_owned()
            }
        };
        let standard = [("error", "share")];
        let mut rows =
            measures::table(&self.models(), &values, &standard, &why, self.published.as_ref());
        // A dense network has no layer that could spike.
        let has_none = |model: &str| {
            let place = self.plan.model_named(model);
            place.is_some_and(|m| !values[m].is_empty())
        };
        rows.retain(|row| {
            row.quantity == "error" || row.missing.is_none() || !has_none(&row.model)
        });
        rows
    }

    /// Latency, energy, power, and the ratios of each model to the base.
    fn cost(&self, untraced: &[Units], rail: Option<&RailAbout>) -> Vec<super::document::Measure> {
        let of_unit = |(name, analysis): &(String, Analysis)| {
            let mut all = measures::latencies(analysis);
            let shown =
                |energy: &&Energy| energy.refused.is_none() && rail == Some(&RailAbout::of(energy));
            let energy = analysis.energy.iter().flatten().find(shown);
            if let Some((energy, latency)) = energy.zip(analysis.windows.mean_ns) {
                all.extend(measures::of_energy(energy, latency));
            }
            (name.clone(), all)
        };
        let values: Vec<OfModel> =
            untraced.iter().map(|units| units.iter().map(of_unit).collect()).collect();
        let why = |m: usize, quantity: &str| self.no_cost(&untraced[m], quantity, rail);
        let models = self.models();
        let rows = measures::table(&models, &values, &COST, &why, self.published.as_ref());
        let base = &models[self.plan.base()];
        let mut all = Vec::new();
        for rows in rows.chunks(models.len()) {
            all.extend(rows.iter().cloned());
            let Some(below) = rows.iter().find(|row| row.model == *base) else { continue };
            if below.quantity == "power(idle)" {
                continue;
            }
            for above in rows.iter().filter(|row| row.model != *base) {
                all.push(measures::ratio(above, below, self.published.as_ref()));
            }
        }
        all
    }

    fn no_cost(&self, units: &Units, quantity: &str, rail: Option<&RailAbout>) -> String {
        if units.is_empty() {
            return "no complete untraced run of the request path lists its requests".to_owned();
        }
        if !quantity.starts_with("energy") && !quantity.starts_with("power") {
            return "not known".to_owned();
        }
        let energies = || units.iter().filter_map(|(_, a)| a.energy.as_ref()).flatten();
        let refused = energies().find_map(|energy| energy.refused.as_ref());
        let mut read = energies().filter(|energy| energy.refused.is_none());
        let shown = read.clone().find(|energy| rail == Some(&RailAbout::of(energy)));
        match (shown.or_else(|| read.next()), refused, rail) {
            (Some(energy), _, Some(rail)) if shown.is_none() => format!(
                "its logs give energy on {} only, those of other checkpoints on {}",
                RailAbout::of(energy),
                rail
            ),
            (Some(energy), ..) => format!("no idle power: {}", energy.idle_how),
            (None, Some(refused), _) => refused.message.clone(),
            (None, None, _) => self.can.no_power.clone().unwrap_or_else(|| {
                "no power log that could be used lies beside the untraced runs".to_owned()
            }),
        }
    }

    fn attribution(&self, traced: &[Units]) -> Vec<super::document::Measure> {
        let of_unit = |(name, analysis): &(String, Analysis)| {
            let all = measures::counts(analysis).into_iter().chain(measures::shares(analysis));
            (name.clone(), all.collect())
        };
        let values: Vec<OfModel> =
            traced.iter().map(|units| units.iter().map(of_unit).collect()).collect();
        let why = |m: usize, _: &str| self.no_attribution(traced, m);
        measures::table(&self.models(), &values, &ATTRIBUTION, &why, self.published.as_ref())
    }

    /// Why nothing can be said of a model's calls and kernels.
    fn no_attribution(&self, traced: &[Units], model: usize) -> String {
        let Some((_, analysis)) = traced[model].first() else {
            let why = self.can.no_nsys.clone();
            return why.unwrap_or_else(|| "no complete traced run of the request path".to_owned());
        };
        if analysis.api.is_none() {
            let run = analysis.run.as_ref();
            let device = run.and_then(|run| run.device.as_deref()).unwrap_or("unknown");
            return format!(
                "the trace holds no CUDA call: the program ran on `{device}`, not on a GPU"
            );
        }
        "no call or kernel of this kind in the windows".to_owned()
    }

    /// What bounds the windows, by checkpoint; where its repeats differ, that is said.
    fn verdicts(&self, traces: &FromTraces<'_>) -> Vec<VerdictOf> {
        let of = |m: usize| {
            let mut checkpoints: BTreeMap<String, usize> = BTreeMap::new();
            for (name, analysis) in &traces.units[m] {
                let own = |found: &FoundRun| self.plan.checkpoint[found.checkpoint].name == *name;
                let runs = traces.each[m].iter().filter(|(found, _)| own(found));
                let any = runs.filter_map(|(_, a)| a.verdict.as_ref()).next();
                let kind = match (&analysis.verdict, any) {
                    (Some(verdict), _) => verdict.kind.as_str(),
                    (None, Some(_)) => "repeats differ",
                    (None, None) => continue,
                };
                *checkpoints.entry(kind.to_owned()).or_default() += 1;
            }
            let missing = checkpoints.is_empty().then(|| self.no_attribution(&traces.units, m));
            VerdictOf { model: self.model(m), checkpoints, missing }
        };
        (0..self.plan.model.len()).map(of).collect()
    }

    /// Doubts of all analyses, each kind once with the number of units that have it; and what is missing
    /// on this machine.
    fn doubts(&self, untraced: &[Units], traced: &[Units]) -> Vec<Finding> {
        let mut each = Vec::new();
        for (mode, models) in [("untraced", untraced), ("traced", traced)] {
            for (m, units) in models.iter().enumerate() {
                for (checkpoint, analysis) in units {
                    let whose = format!("{mode} {} {checkpoint}", self.model(m));
                    each.extend(named(&whose, analysis.findings.clone()));
                }
            }
        }
        let mut all = folded(&each, "units of the study");
        let gone =
            [("no-nsys", self.can.no_nsys.clone()), ("no-power", self.can.no_power_in_full())];
        for (code, why) in gone {
            all.extend(why.map(|why| {
                let remedy = "`nsys-attrib doctor` says what this machine has";
                Finding::new(code, Severity::Warning, why, remedy)
            }));
        }
        all
    }
}

/// What a run of the reference path says.
fn errors_and_rates(run: &FoundRun) -> Vec<(What, f64)> {
    let Some(sidecar) = &run.run.sidecar else { return Vec::new() };
    let errors: Vec<f64> = sidecar.samples.iter().map(|sample| sample.rel_l2).collect();
    let error = crate::stats::mean(&errors).map(|error| (What::new("error", "share"), error));
    let rates = sidecar.spikes.iter().filter_map(|spikes| {
        let name = format!("spike-rate(layer {})", spikes.layer + 1);
        Some((What { quantity: name, unit: "share" }, spikes.rate?))
    });
    error.into_iter().chain(rates).collect()
}

fn without_requests(name: &str) -> Finding {
    Finding::new(
        "run-without-requests",
        Severity::Warning,
        format!("{name}: its program wrote no sidecar with requests: it has no latency"),
        "let the program write its requests where NSYS_ATTRIB_SIDECAR says",
    )
}

fn not_compared(model: &str, what: &str, why: &str) -> Finding {
    Finding::new(
        "not-compared",
        Severity::Warning,
        format!("{model}: the {what} runs were not compared with the base: {why}"),
        "look at the runs with `nsys-attrib compare`",
    )
}

fn not_repeatable(program: &str) -> Finding {
    Finding::new(
        "reference-not-repeatable",
        Severity::Warning,
        format!(
            "{program}: repeats of the reference path give different errors or spike rates; the first is shown"
        ),
        "fix seeds and threads of the program: this path is not timed and should repeat exactly",
    )
}
