//! Which network do parameters belong to? Read off their names: the version and the number of blocks; off
//! their shapes: channels, head, whether and where it spikes. Wavelet and levels give the kernels' extents
//! on the grid, but several pairs may give the same: then they must be named. Activations leave no trace in
//! weights; those of the published version are taken unless named.

use super::ConvertError;
use crate::model::config::{Activation, ModelConfig, Sites, Variant};
use crate::model::weights::{Arrays, block_names, kernel_names};
use crate::wavelet::Wavelet;

/// What the caller knows.
#[derive(Debug, Clone, Default)]
pub struct Hints {
    /// Wavelet.
    pub wavelet: Option<Wavelet>,
    /// Levels.
    pub level: Option<usize>,
    /// Grid points (height, width) of the training data.
    pub size: Option<[usize; 2]>,
    /// Appended rows and columns.
    pub padding: Option<usize>,
    /// Activation after blocks.
    pub act: Option<Activation>,
    /// Activation in the head.
    pub head_act: Option<Activation>,
    /// Mode divisor of v3.
    pub omega: Option<usize>,
    /// Where neurons sit.
    pub sites: Option<Sites>,
    /// Function of firing neurons.
    pub phi: Option<Activation>,
    /// Spike time steps.
    pub steps: Option<usize>,
}

/// Deepest transform that is tried.
const MOST_LEVELS: usize = 8;

/// The configuration of `arrays`, as far as it can be read off them and `hints` say the rest.
///
/// # Errors
/// What is missing or ambiguous, with the choices and the options that make it.
pub fn network(arrays: &Arrays, hints: &Hints) -> Result<ModelConfig, ConvertError> {
    let variant = variant(arrays)?;
    let layers = (0..).take_while(|&i| arrays.contains_key(&kernel(variant, i))).count();
    let width = extent(arrays, "fc0.weight", 0)?;
    let head = extent(arrays, "fc1.weight", 0)?;
    let at = if variant == Variant::V3 { "modes" } else { "coefficients" };
    let first = kernel(variant, 0);
    let extents = [extent(arrays, &first, 2)?, extent(arrays, &first, 3)?];
    let size = hints.size.ok_or_else(|| {
        ConvertError::Ask(format!(
            "the grid cannot be read off kernels of {}x{} {at}: give --size HEIGHTxWIDTH, or the training data with --train-data",
            extents[0], extents[1]
        ))
    })?;
    let (wavelet, level, omega) = transform(variant, size, extents, hints)?;
    let published = ModelConfig::published(variant);
    let spiking = arrays.keys().any(|name| name.starts_with("vsn."));
    let config = ModelConfig {
        variant,
        wavelet,
        level,
        width,
        layers,
        head,
        act: hints.act.unwrap_or(published.act),
        head_act: hints.head_act.unwrap_or(published.head_act),
        padding: hints.padding.unwrap_or(published.padding),
        size,
        omega,
        spiking,
        steps: hints.steps.unwrap_or(1),
        phi: hints.phi.unwrap_or_default(),
        sites: if spiking {
            sites(arrays, layers, (width, head), hints)?
        } else {
            Sites::default()
        },
        ..published
    };
    config.check()?;
    Ok(config)
}

fn kernel(variant: Variant, block: usize) -> String {
    format!("{}{}", block_names(variant, block).0, kernel_names(variant)[0])
}

fn variant(arrays: &Arrays) -> Result<Variant, ConvertError> {
    let all = [Variant::V1, Variant::V2, Variant::V3];
    all.into_iter().find(|&v| arrays.contains_key(&kernel(v, 0))).ok_or_else(|| {
        ConvertError::NotWno(
            "no kernel `conv0.weights1` (v1), `conv.0.weights1` (v2) or `conv.0.weights_a1` (v3) in it".to_owned(),
        )
    })
}

fn extent(arrays: &Arrays, name: &str, axis: usize) -> Result<usize, ConvertError> {
    let found = arrays.get(name).and_then(|a| a.shape.get(axis)).copied();
    found.ok_or_else(|| ConvertError::NotWno(format!("`{name}` is missing or has too few axes")))
}

/// Wavelet, levels and (v3) mode divisor that give these extents on this grid.
fn transform(
    variant: Variant,
    size: [usize; 2],
    extents: [usize; 2],
    hints: &Hints,
) -> Result<(Wavelet, usize, Option<usize>), ConvertError> {
    let mut fitting = Vec::new();
    for wavelet in Wavelet::ALL.into_iter().filter(|w| hints.wavelet.is_none_or(|h| h == *w)) {
        for level in (1..=MOST_LEVELS).filter(|l| hints.level.is_none_or(|h| h == *l)) {
            let deepest = size.map(|n| wavelet.lengths(n, level).last().copied().unwrap_or(n));
            if variant == Variant::V3 {
                let divisors = (1..=64).filter(|o| hints.omega.is_none_or(|h| h == *o));
                let modes = divisors.filter(|o| [deepest[0] / o + 1; 2] == extents);
                fitting.extend(modes.map(|omega| (wavelet, level, Some(omega))));
            } else if deepest == extents {
                fitting.push((wavelet, level, None));
            }
        }
    }
    match fitting[..] {
        [only] => Ok(only),
        [] => Err(ConvertError::Ask(format!(
            "no transform of haar, db2, db4, db6 with up to {MOST_LEVELS} levels that fits what was named gives kernels of {}x{} on {}x{} points; is --size right?",
            extents[0], extents[1], size[0], size[1]
        ))),
        _ => Err(ConvertError::Ask(format!(
            "kernels of {}x{} on {}x{} points fit {}: name the right one with --wavelet and --level{}",
            extents[0],
            extents[1],
            size[0],
            size[1],
            listed(&fitting),
            if variant == Variant::V3 { " and --omega" } else { "" }
        ))),
    }
}

fn listed(fitting: &[(Wavelet, usize, Option<usize>)]) -> String {
    let one = |(wavelet, level, omega): &(Wavelet, usize, Option<usize>)| {
        let omega = omega.map(|o| format!(" and omega {o}")).unwrap_or_default();
        format!(
            "{} with {level} level{}{omega}",
            wavelet.name(),
            if *level == 1 { "" } else { "s" }
        )
    };
    let shown: Vec<String> = fitting.iter().take(6).map(one).collect();
    let more =
        if fitting.len() > 6 { format!(" and {} more", fitting.len() - 6) } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

/// The last neuron layer has the head's features or the blocks' channels.
fn sites(
    arrays: &Arrays,
    layers: usize,
    (width, head): (usize, usize),
    hints: &Hints,
) -> Result<Sites, ConvertError> {
    if let Some(sites) = hints.sites {
        return Ok(sites);
    }
    let name = format!("vsn.{}.threshold", layers.saturating_sub(1));
    let array = arrays.get(&name).ok_or_else(|| {
        ConvertError::NotWno(format!("`{name}` is missing: one neuron layer a block is expected"))
    })?;
    match (array.values.len(), width == head) {
        (n, false) if n == width => Ok(Sites::Blocks),
        (n, false) if n == head => Ok(Sites::Activations),
        _ => Err(ConvertError::Ask(format!(
            "`{name}` of shape {:?} does not tell where the neurons sit: give --sites activations or --sites blocks",
            array.shape
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::{Hints, network};
    use crate::model::config::{ModelConfig, Sites, Variant};
    use crate::model::init;

    fn hints(config: &ModelConfig) -> Hints {
        Hints { size: Some(config.size), ..Hints::default() }
    }

    #[test]
    fn published_networks_are_recognised_from_their_weights() {
        for variant in [Variant::V1, Variant::V2] {
            let mut config = ModelConfig::published(variant);
            config.width = 5;
            let arrays = init::arrays(&config, 0, 1.0);
            let full = Hints { wavelet: Some(config.wavelet), ..hints(&config) };
            assert_eq!(network(&arrays, &full).unwrap(), config);
        }
        let mut config = ModelConfig::published(Variant::V3);
        config.width = 3;
        let arrays = init::arrays(&config, 0, 1.0);
        let text = network(&arrays, &hints(&config)).unwrap_err().to_string();
        assert!(text.contains("--omega") && text.contains("more"), "{text}");
        let full = Hints {
            wavelet: Some(config.wavelet),
            level: Some(1),
            omega: Some(8),
            ..hints(&config)
        };
        assert_eq!(network(&arrays, &full).unwrap(), config);
    }

    #[test]
    fn spiking_networks_and_their_sites_are_recognised() {
        for sites in [Sites::Activations, Sites::Blocks] {
            let config = ModelConfig { sites, ..ModelConfig::small().spiking() };
            let full = Hints {
                wavelet: Some(config.wavelet),
                level: Some(config.level),
                ..hints(&config)
            };
            assert_eq!(network(&init::arrays(&config, 1, 1.0), &full).unwrap(), config);
            let square = ModelConfig { head: config.width, ..config };
            let text = network(&init::arrays(&square, 1, 1.0), &full).unwrap_err().to_string();
            assert!(text.contains("--sites"), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_off_is_asked_for() {
        let config = ModelConfig::small();
        let arrays = init::arrays(&config, 0, 1.0);
        assert!(network(&arrays, &Hints::default()).unwrap_err().to_string().contains("--size"));
        let wrong = Hints { size: Some([100_000, 100_000]), ..Hints::default() };
        assert!(network(&arrays, &wrong).unwrap_err().to_string().contains("is --size right?"));
        let mut none = arrays.clone();
        none.retain(|name, _| !name.starts_with("conv"));
        assert!(network(&none, &hints(&config)).unwrap_err().to_string().contains("no kernel"));
    }
}
