//! From one input to the rows of every table. What is counted where is the analysis' affair; this only
//! lays it out, and nothing is added up here.

use super::columns_of_run;
use super::error::DatasetError;
use super::layout;
use super::rows::{Rows, Value};
use super::unit::{Content, Unit};
use crate::attribution::document::{Idle, Instance};
use crate::attribution::energy_document::Energy;
use crate::attribution::{Analysis, WindowItems};
use crate::finding::{Finding, Severity};
use crate::units::{Bytes, Millijoules, Milliwatts, SessionClock, UnixTime};

/// The rows of one input, by table; tables without a row are there, too.
pub(super) struct Filled {
    windows: Rows,
    api: Rows,
    kernels: Rows,
    busy: Rows,
    idle: Rows,
    copies: Rows,
    energy: Rows,
    findings: Rows,
    tags: Rows,
    documents: Rows,
    runs: Rows,
}

impl Filled {
    /// Lays out an input.
    ///
    /// # Errors
    /// When a row does not fit the layout, which is a fault of this program.
    pub(super) fn of(unit: &Unit) -> Result<Self, DatasetError> {
        let mut filled = Self::empty();
        match &unit.outcome {
            Ok(contents) => {
                for (number, content) in contents.iter().enumerate() {
                    filled.add(unit, &unit.run_id(number), content)?;
                }
            }
            Err(error) => {
                let run = unit.run_id(0);
                filled.runs.push(columns_of_run::failed(unit, &run, error))?;
                filled.add_findings(&run, &[not_analysed(error)])?;
                filled.add_tags(unit, &run)?;
            }
        }
        Ok(filled)
    }

    fn empty() -> Self {
        Self {
            windows: Rows::of(&layout::WINDOWS),
            api: Rows::of(&layout::API),
            kernels: Rows::of(&layout::KERNELS),
            busy: Rows::of(&layout::BUSY),
            idle: Rows::of(&layout::IDLE),
            copies: Rows::of(&layout::COPIES),
            energy: Rows::of(&layout::ENERGY),
            findings: Rows::of(&layout::FINDINGS),
            tags: Rows::of(&layout::TAGS),
            documents: Rows::of(&layout::DOCUMENTS),
            runs: Rows::of(&layout::RUNS),
        }
    }

    /// All tables, in the order in which they are written.
    pub(super) fn into_tables(self) -> [Rows; 11] {
        [
            self.windows,
            self.api,
            self.kernels,
            self.busy,
            self.idle,
            self.copies,
            self.energy,
            self.findings,
            self.tags,
            self.documents,
            self.runs,
        ]
    }

    fn add(&mut self, unit: &Unit, run: &str, content: &Content) -> Result<(), DatasetError> {
        self.runs.push(columns_of_run::row(unit, run, content))?;
        self.add_tags(unit, run)?;
        match content {
            Content::Analysis(analysis, items) => {
                self.add_windows(run, analysis)?;
                match items {
                    Some(items) => self.add_items(run, analysis, items)?,
                    None => self.add_sums(run, analysis)?,
                }
                self.add_energy(run, analysis.energy.as_deref().unwrap_or_default())?;
                self.add_findings(run, &analysis.findings)?;
                self.add_document(run, serde_json::to_string(analysis))
            }
            Content::Energy { set, .. } => {
                self.add_energy(run, &set.energy)?;
                self.add_findings(run, &set.findings)?;
                self.add_document(run, serde_json::to_string(set))
            }
        }
    }

    fn add_tags(&mut self, unit: &Unit, run: &str) -> Result<(), DatasetError> {
        for (tag, value) in &unit.tags {
            self.tags.push(vec![run.into(), tag.as_str().into(), value.as_str().into()])?;
        }
        Ok(())
    }

    fn add_document(
        &mut self,
        run: &str,
        json: serde_json::Result<String>,
    ) -> Result<(), DatasetError> {
        let path = std::path::PathBuf::from("documents");
        let json = json.map_err(|source| DatasetError::Document { path, source })?;
        self.documents.push(vec![run.into(), json.into()])
    }

    fn add_windows(&mut self, run: &str, analysis: &Analysis) -> Result<(), DatasetError> {
        let trace = analysis.trace.as_ref();
        let clock =
            trace.and_then(|trace| trace.session_start_unix_ns).map(SessionClock::starting_at);
        for instance in &analysis.windows.instances {
            self.windows.push(window(run, instance, analysis, clock))?;
            if analysis.gpu.is_none() {
                continue;
            }
            for (class, busy) in &instance.busy_class_ns {
                let index = instance.index.into();
                self.busy.push(vec![run.into(), index, class.as_str().into(), (*busy).into()])?;
            }
            for (cause, idle, dispatch) in causes(&instance.idle) {
                self.idle.push(vec![
                    run.into(),
                    instance.index.into(),
                    cause.into(),
                    idle.into(),
                    dispatch.into(),
                ])?;
            }
        }
        Ok(())
    }

    /// Items window by window.
    fn add_items(
        &mut self,
        run: &str,
        analysis: &Analysis,
        items: &WindowItems,
    ) -> Result<(), DatasetError> {
        let instances = &analysis.windows.instances;
        let index = |place: usize| -> Value {
            Value::Int(instances.get(place).and_then(|at| i64::try_from(at.index).ok()))
        };
        for item in &items.api {
            self.api.push(vec![
                run.into(),
                index(item.window),
                item.name.as_str().into(),
                item.launches.into(),
                item.calls.into(),
                item.time_ns.into(),
                item.self_ns.into(),
            ])?;
        }
        for item in &items.kernels {
            self.kernels.push(vec![
                run.into(),
                index(item.window),
                item.name.as_str().into(),
                item.class.as_str().into(),
                item.count.into(),
                item.time_ns.into(),
            ])?;
        }
        for item in &items.copies {
            self.copies.push(vec![
                run.into(),
                index(item.window),
                item.kind.as_str().into(),
                item.count.into(),
                item.time_ns.into(),
                item.bytes.count().into(),
            ])?;
        }
        Ok(())
    }

    /// Items over all windows: what a document holds.
    fn add_sums(&mut self, run: &str, analysis: &Analysis) -> Result<(), DatasetError> {
        let all = || Value::Int(None);
        if let Some(api) = &analysis.api {
            for function in &api.by_name {
                self.api.push(vec![
                    run.into(),
                    all(),
                    function.name.as_str().into(),
                    api.launch.names.contains(&function.name).into(),
                    function.calls.into(),
                    function.time_ns.into(),
                    function.self_ns.into(),
                ])?;
            }
        }
        for kernel in analysis.kernels.iter().flat_map(|kernels| &kernels.by_name) {
            self.kernels.push(vec![
                run.into(),
                all(),
                kernel.name.as_str().into(),
                kernel.class.as_str().into(),
                kernel.count.into(),
                kernel.time_ns.into(),
            ])?;
        }
        for copies in analysis.copies.iter().flatten() {
            self.copies.push(vec![
                run.into(),
                all(),
                copies.kind.as_str().into(),
                copies.count.into(),
                copies.time_ns.into(),
                copies.bytes.map(Bytes::count).into(),
            ])?;
        }
        Ok(())
    }

    fn add_energy(&mut self, run: &str, energies: &[Energy]) -> Result<(), DatasetError> {
        let mj = |energy: Option<Millijoules>| Value::Float(energy.map(Millijoules::as_mj));
        let mw = |power: Option<Milliwatts>| Value::Float(power.map(Milliwatts::as_mw));
        for energy in energies {
            let [total_low, total_high] = ends(energy.total_ci95_mj);
            let [dynamic_low, dynamic_high] = ends(energy.dynamic_ci95_mj);
            self.energy.push(vec![
                run.into(),
                energy.rail.as_str().into(),
                energy.source.as_str().into(),
                energy.estimator.clone().into(),
                energy.run.as_str().into(),
                energy.windows_used.into(),
                mj(energy.total_mj),
                mj(total_low),
                mj(total_high),
                mj(energy.dynamic_mj),
                mj(dynamic_low),
                mj(dynamic_high),
                mj(energy.systematic_mj),
                mw(energy.mean_power_mw),
                mw(energy.idle_mw),
                energy.coverage.into(),
                energy.samples_inside.into(),
                energy.refused.as_ref().map(|refused| refused.code.clone()).into(),
            ])?;
        }
        Ok(())
    }

    fn add_findings(&mut self, run: &str, findings: &[Finding]) -> Result<(), DatasetError> {
        for finding in findings {
            let numbers = serde_json::to_string(&finding.numbers).ok();
            self.findings.push(vec![
                run.into(),
                finding.code.as_str().into(),
                finding.severity.to_string().into(),
                finding.message.as_str().into(),
                finding.remedy.as_str().into(),
                numbers.filter(|_| !finding.numbers.is_empty()).into(),
            ])?;
        }
        Ok(())
    }
}

fn ends(interval: Option<[Millijoules; 2]>) -> [Option<Millijoules>; 2] {
    interval.map_or([None, None], |[low, high]| [Some(low), Some(high)])
}

fn not_analysed(error: &str) -> Finding {
    Finding::new(
        "input-not-analysed",
        Severity::Error,
        error,
        "mend or replace the input; `dataset add --retry` tries those again that failed",
    )
}

fn window(
    run: &str,
    instance: &Instance,
    analysis: &Analysis,
    clock: Option<SessionClock>,
) -> Vec<Value> {
    // Without a trace there is no trace time: requests lie on unix time.
    let traced = analysis.trace.is_some();
    let start = if traced {
        clock.map(|clock| UnixTime::as_unix_ns(clock.to_unix(instance.start_ns)))
    } else {
        Some(instance.start_ns.as_ns())
    };
    let count = |there: bool, count: u64| Value::Int(i64::try_from(count).ok().filter(|_| there));
    let (api, kernels, gpu) =
        (analysis.api.is_some(), analysis.kernels.is_some(), analysis.gpu.is_some());
    vec![
        run.into(),
        instance.index.into(),
        instance.label.as_str().into(),
        instance.process.into(),
        instance.thread.into(),
        traced.then(|| instance.start_ns.as_ns()).into(),
        start.into(),
        (instance.end_ns - instance.start_ns).into(),
        count(api, instance.calls),
        api.then_some(instance.api_ns).into(),
        count(api, instance.launches),
        api.then_some(instance.launch_ns).into(),
        count(kernels, instance.kernels),
        kernels.then_some(instance.kernel_ns).into(),
        gpu.then_some(instance.busy_ns).into(),
        gpu.then(|| instance.idle.total()).into(),
    ]
}

/// The causes that occur, with the dispatch part of `host`.
fn causes(idle: &Idle) -> Vec<(&'static str, i64, Option<i64>)> {
    let dispatch = Some(idle.dispatch_ns.as_ns());
    let all = [
        ("none", idle.none_ns, None),
        ("head", idle.head_ns, None),
        ("tail", idle.tail_ns, None),
        ("launch", idle.launch_ns, None),
        ("queue", idle.queue_ns, None),
        ("api", idle.api_ns, None),
        ("sync", idle.sync_ns, None),
        ("host", idle.host_ns, dispatch),
        ("unknown", idle.unknown_ns, None),
    ];
    let some = all.into_iter().filter(|(_, time, _)| time.as_ns() > 0);
    some.map(|(cause, time, dispatch)| (cause, time.as_ns(), dispatch)).collect()
}
