//! What can this machine do of what the plan asks for?
//!
//! Without nsys, traced runs are left out; without a readable power source, power logs are. Neither is
//! an error: what follows from them is missing in the report, with the reason that is kept here.

use std::path::Path;

use super::plan::{PathSpec, StudyPlan};
use crate::collect::plan::{Mode, PowerPlan};
use crate::collect::sampler;
use crate::collect::{Host, Nsys};
use crate::runs::sidecar::ExecutionPath;

/// What there is, and why something is not.
#[derive(Clone, Debug, Default)]
pub struct Availability {
    /// Why there are no traced runs; `None` when there can be.
    pub no_nsys: Option<String>,
    /// Why there are no power logs; `None` when there can be, or none are asked for.
    pub no_power: Option<String>,
    /// Why each power source cannot be read, by its name.
    pub absent: Vec<(String, String)>,
    /// The nsys of this machine.
    pub nsys: Option<Nsys>,
}

impl Availability {
    /// Looks for what the plan needs.
    pub fn of(plan: &StudyPlan, nsys: Option<&Path>, host: &Host, nvml: Option<&Path>) -> Self {
        let mut found = Self::default();
        if plan.path.iter().any(|path| path.modes.contains(&Mode::Traced)) {
            match Nsys::find(nsys) {
                Ok(nsys) => found.nsys = Some(nsys),
                Err(error) => found.no_nsys = Some(error.to_string()),
            }
        }
        if plan.power.is_on() {
            found.no_power = match sampler::choose(&plan.power.sources, host, nvml) {
                Err(error) => Some(error.to_string()),
                Ok(choice) if choice.samplers.is_empty() => {
                    found.absent = choice
                        .absent
                        .iter()
                        .map(|(name, why)| ((*name).to_owned(), why.clone()))
                        .collect();
                    let names: Vec<&str> =
                        found.absent.iter().map(|(name, _)| name.as_str()).collect();
                    Some(format!("no power source can be read (none of {})", names.join(", ")))
                }
                Ok(_) => None,
            };
        }
        found
    }

    /// Why there are no power logs, with what each source says.
    pub fn no_power_in_full(&self) -> Option<String> {
        let each: Vec<String> =
            self.absent.iter().map(|(name, why)| format!("{name}: {why}")).collect();
        self.no_power.as_ref().map(|why| match each.as_slice() {
            [] => why.clone(),
            each => format!("{why}: {}", each.join("; ")),
        })
    }

    /// The modes of a path that can be run here.
    pub fn modes(&self, spec: &PathSpec) -> Vec<Mode> {
        let can = |mode: &Mode| *mode == Mode::Untraced || self.no_nsys.is_none();
        spec.modes.iter().copied().filter(can).collect()
    }

    /// What is read beside the runs of a path: power on the request path alone, which is timed.
    pub fn power(&self, plan: &StudyPlan, spec: &PathSpec) -> PowerPlan {
        if spec.name == ExecutionPath::Request && self.no_power.is_none() && plan.power.is_on() {
            PowerPlan { only_untraced: true, ..plan.power.clone() }
        } else {
            PowerPlan::default()
        }
    }
}
