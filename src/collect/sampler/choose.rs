//! Which power sources does this machine have, and which are used?
//!
//! `auto` takes every source that can be read in this process: the monitors of a Jetson, NVML, RAPL.
//! Tools are taken where what they would add is missing: tegrastats without INA3221, nvidia-smi without
//! NVML. A source that is named must be there.

use std::path::Path;

use super::Source;
use super::child::ChildSource;
use super::ina3221::Ina3221;
use super::nvml::NvmlPower;
use super::rapl::Rapl;
use crate::collect::error::CollectError;
use crate::collect::host::Host;
use crate::collect::nsys::on_path;

/// A source that is ready.
#[allow(missing_debug_implementations, reason = "a source is no data")]
pub enum Sampler {
    /// Read in this process.
    Read(Box<dyn Source>),
    /// Lines of a tool.
    Child(ChildSource),
}

/// What was chosen, and what was not there.
#[allow(missing_debug_implementations, reason = "a source is no data")]
#[derive(Default)]
pub struct Choice {
    /// Ready sources.
    pub samplers: Vec<Sampler>,
    /// Name and reason of each source that cannot be used.
    pub absent: Vec<(&'static str, String)>,
}

const NAMES: [&str; 5] = ["ina3221", "nvml", "rapl", "tegrastats", "nvidia-smi"];

/// Opens the sources of these names, or with `auto` those that there are.
///
/// # Errors
/// [`CollectError::Power`] for a name that is none, or a named source that cannot be used.
pub fn choose(names: &[String], host: &Host, nvml: Option<&Path>) -> Result<Choice, CollectError> {
    if names.iter().any(|name| name == "auto") {
        return Ok(automatic(host, nvml));
    }
    let mut choice = Choice::default();
    for name in names.iter().filter(|name| *name != "none") {
        let fault = |problem: String, remedy: &str| CollectError::Power {
            name: name.clone(),
            problem,
            remedy: remedy.to_owned(),
        };
        let Some(known) = NAMES.into_iter().find(|known| known == name) else {
            return Err(fault(
                "there is no such source".to_owned(),
                "There are auto, ina3221, nvml, rapl, tegrastats, nvidia-smi and none",
            ));
        };
        let sampler = open(known, host, nvml);
        choice.samplers.push(
            sampler.map_err(|why| {
                fault(why, "`nsys-attrib doctor` lists the sources of this machine")
            })?,
        );
    }
    Ok(choice)
}

fn automatic(host: &Host, nvml: Option<&Path>) -> Choice {
    let mut choice = Choice::default();
    for name in NAMES {
        let covered_by = match name {
            "tegrastats" => Some("ina3221"),
            "nvidia-smi" => Some("nvml"),
            _ => None,
        };
        if covered_by
            .is_some_and(|other| choice.samplers.iter().any(|sampler| sampler.name() == other))
        {
            continue;
        }
        match open(name, host, nvml) {
            Ok(sampler) => choice.samplers.push(sampler),
            Err(why) => choice.absent.push((name, why)),
        }
    }
    choice
}

fn open(name: &'static str, host: &Host, nvml: Option<&Path>) -> Result<Sampler, String> {
    let tool = |file, stamp| {
        let program = on_path(name.as_ref()).ok_or_else(|| format!("{name} is not on PATH"))?;
        Ok(Sampler::Child(ChildSource { name, program, file, stamp }))
    };
    match name {
        "ina3221" => Ina3221::open(host)
            .map(|source| Sampler::Read(Box::new(source)))
            .ok_or_else(|| "there is no INA3221 monitor with readable rails".to_owned()),
        "nvml" => NvmlPower::open(nvml).map(|source| Sampler::Read(Box::new(source))),
        "rapl" => Rapl::open(host).map(|source| Sampler::Read(Box::new(source))),
        "tegrastats" => tool("power-tegrastats.log", true),
        _ => tool("power-nvidia-smi.csv", false),
    }
}

impl Sampler {
    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Read(source) => source.name(),
            Self::Child(child) => child.name,
        }
    }

    /// Its rails; those of a tool are known from its lines only.
    pub fn rails(&self) -> Vec<String> {
        match self {
            Self::Read(source) => source.rails(),
            Self::Child(_) => Vec::new(),
        }
    }
}
