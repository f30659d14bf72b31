//! Which share of its time each launch would keep in a runtime that skipped what does not spike.
//!
//! The ideal sparsity-aware runtime: the kernels that are launched inside the NVTX range of a layer take the
//! layer's spike rate of their time; everything else stays, launching too. Ranges are named by the sidecar
//! (`layers[].nvtx`), rates come from it: of the request that the window is, where it has as many requests as
//! there are windows, else of the layer over all samples.

use std::collections::BTreeMap;

use crate::runs::Sidecar;
use crate::trace::{CallId, Trace};
use crate::windows::Window;

/// How many enclosing ranges are looked through.
const DEEPEST: usize = 16;

/// Ranges of layers, with their rates.
pub struct LayerRates {
    /// By thread: (start, end, layer), in the order of the starts.
    ranges: BTreeMap<usize, Vec<(i64, i64, usize)>>,
    /// Rate of each layer over all samples.
    overall: Vec<Option<f64>>,
    /// Rates by request, where requests are windows.
    by_request: Vec<Option<Vec<f64>>>,
}

impl LayerRates {
    /// Finds the ranges of the layers; `windows` is how many instances the specification has.
    ///
    /// # Errors
    /// In a sentence: a layer has no range, no rate, or its range is not in the trace.
    pub fn find(trace: &Trace, sidecar: &Sidecar, windows: usize) -> Result<Self, String> {
        if sidecar.layers.iter().all(|layer| layer.nvtx.is_none()) {
            return Err("the sidecar names no NVTX range of a layer (layers[].nvtx): the work of a layer cannot be \
                        told from the rest"
                .to_owned());
        }
        let mut ranges: BTreeMap<usize, Vec<(i64, i64, usize)>> = BTreeMap::new();
        let mut overall = Vec::new();
        for (at, layer) in sidecar.layers.iter().enumerate() {
            let of = sidecar.spikes.iter().find(|spikes| spikes.layer == layer.index);
            overall.push(of.and_then(|spikes| spikes.rate));
            let Some(name) = &layer.nvtx else { continue };
            let mut found = false;
            for range in trace.ranges.ids().filter(|range| trace.ranges.text(*range) == name) {
                if let Some(end) = trace.ranges.end(range) {
                    let start = trace.ranges.start(range).as_ns();
                    let thread = trace.ranges.thread(range).index();
                    ranges.entry(thread).or_default().push((start, end.as_ns(), at));
                    found = true;
                }
            }
            if !found {
                return Err(format!(
                    "layer `{}` names the NVTX range `{name}`, which is not in the trace: mark the work of each layer \
                     with its own range",
                    layer.name
                ));
            }
        }
        ranges.values_mut().for_each(|list| list.sort_unstable());
        let usable = |rates: &Option<Vec<f64>>| {
            rates.as_ref().is_some_and(|rates| rates.len() == sidecar.layers.len())
        };
        let matched = sidecar.requests.len() == windows
            && sidecar.requests.iter().all(|request| usable(&request.spike_rates));
        let by_request = if matched {
            sidecar.requests.iter().map(|request| request.spike_rates.clone()).collect()
        } else {
            Vec::new()
        };
        if by_request.is_empty() && overall.iter().all(Option::is_none) {
            return Err("the sidecar holds no spike rate of a layer (spikes[].rate)".to_owned());
        }
        Ok(Self { ranges, overall, by_request })
    }

    /// The share of their time that kernels of a call keep; `None` outside every layer with a rate.
    pub(crate) fn rate(&self, trace: &Trace, window: &Window, call: CallId) -> Option<f64> {
        let list = self.ranges.get(&trace.calls.thread(call).index())?;
        let at = trace.calls.span(call).start_ns();
        let before = list.partition_point(|(start, _, _)| *start <= at);
        let (_, _, layer) =
            list[..before].iter().rev().take(DEEPEST).find(|(_, end, _)| *end > at)?;
        let of_request =
            self.by_request.get(window.index).and_then(Option::as_ref).map(|rates| rates[*layer]);
        of_request.or(self.overall[*layer])
    }
}
