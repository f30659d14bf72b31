//! The named tensors of a file written by torch.save since 1.6: a zip with `data.pkl`, a pickle that
//! describes the objects, and one raw storage a `data/<key>`.
//!
//! Three shapes of files are read: a state_dict; a dictionary that holds one (`{"epoch": ..., "model": ...}`);
//! a whole module, as the public WNO programs save it, whose `_parameters`, `_buffers` and `_modules` are
//! walked by name without importing any class. Offsets and strides of views are honoured.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use zip::{CompressionMethod, ZipArchive};

use super::Array;
use super::element::{Element, Endian, fits};
use super::error::{FormatError, Origin};
use super::npz::zip_error;
use super::pickle::{Id, Node, Pickle};

/// What to do about a file that is not understood.
const ADVICE: &str = "load it in Python with the program that wrote it and save the weights alone: torch.save(model.state_dict(), 'weights.pt')";

/// Nested dictionaries and modules deeper than this are no network.
const DEEPEST: usize = 32;

/// Tensors of a torch file.
#[derive(Debug, Clone, Default)]
pub struct TorchFile {
    /// By their names in the state_dict; complex ones with a trailing axis of 2.
    pub tensors: BTreeMap<String, Array<f64>>,
    /// Whether a whole module was walked, not a state_dict.
    pub module: bool,
    /// Where in the file the state_dict was; empty at the top.
    pub prefix: String,
}

/// Reads the tensors; `key` chooses a dictionary (`model`, `state/ema`) where there are several.
///
/// # Errors
/// When the file is malformed, holds no tensors, or several state_dicts and no `key`.
pub fn read(path: &Path, key: Option<&str>) -> Result<TorchFile, FormatError> {
    let origin = Origin(path);
    let file = File::open(path).map_err(|e| origin.io(e))?;
    let length = file.metadata().map_err(|e| origin.io(e))?.len();
    let archive =
        ZipArchive::new(BufReader::new(file)).map_err(|e| zip_error(origin, "archive", e))?;
    let folder =
        archive.file_names().flatten().find_map(|n| n.strip_suffix("data.pkl").map(str::to_owned));
    let folder = folder.ok_or_else(|| origin.malformed("archive", "there is no data.pkl in it"))?;
    let mut zip = Zip { origin, archive, folder, length };
    let pickle = zip.entry("data.pkl")?;
    let pickle = Pickle::parse(&pickle).map_err(|reason| origin.malformed("data.pkl", reason))?;
    let endian = if zip.entry("byteorder").is_ok_and(|b| b.starts_with(b"big")) {
        Endian::Big
    } else {
        Endian::Little
    };
    let mut found = Found::default();
    found.search(&pickle, pickle.root(), &mut Vec::new());
    let (prefix, names, module) = found.choose(origin, key)?;
    let mut reader = Tensors { pickle: &pickle, zip, endian, storages: BTreeMap::new(), read: 0 };
    let mut tensors = BTreeMap::new();
    for (name, id) in names {
        tensors.insert(name.clone(), reader.tensor(&name, id)?);
    }
    Ok(TorchFile { tensors, module, prefix })
}

/// The archive, whose entries are not trusted to be of the length they claim.
struct Zip<'a> {
    origin: Origin<'a>,
    archive: ZipArchive<BufReader<File>>,
    folder: String,
    length: u64,
}

impl Zip<'_> {
    fn entry(&mut self, name: &str) -> Result<Vec<u8>, FormatError> {
        let part = format!("entry `{name}`");
        let entry = self.archive.by_name(&format!("{}{name}", self.folder));
        let entry = entry.map_err(|e| zip_error(self.origin, &part, e))?;
        let packed = entry.compression() != CompressionMethod::Stored;
        if !fits(entry.size(), 1, self.length, packed) {
            return Err(self
                .origin
                .malformed(part, format!("claims {} bytes, more than the file", entry.size())));
        }
        let most = entry.size();
        let mut bytes = Vec::new();
        entry.take(most).read_to_end(&mut bytes).map_err(|e| self.origin.reading(&part, e))?;
        Ok(bytes)
    }
}

/// Names and nodes of the tensors of one dictionary or module.
type Named = Vec<(String, Id)>;

/// What holds tensors in a pickle.
#[derive(Default)]
struct Found {
    /// Place in the file, tensors, whether it is a module.
    holders: Vec<(String, Named, bool)>,
    seen: BTreeSet<Id>,
}

impl Found {
    /// Looks for dictionaries of tensors and for modules, from the top down.
    fn search(&mut self, pickle: &Pickle, id: Id, path: &mut Vec<String>) {
        if path.len() > DEEPEST || !self.seen.insert(id) {
            return;
        }
        if is_module(pickle, id) {
            let mut names = Named::new();
            walk_module(pickle, id, "", &mut names, &mut BTreeSet::new());
            self.holders.push((path.join("/"), names, true));
            return;
        }
        let Some(entries) = pickle.entries(id) else { return };
        let mut names = Named::new();
        for &(key, value) in entries {
            let Some(key) = pickle.text(key) else { continue };
            if is_tensor(pickle, value) {
                names.retain(|(name, _)| name != key);
                names.push((key.to_owned(), value));
            } else {
                path.push(key.to_owned());
                self.search(pickle, value, path);
                path.pop();
            }
        }
        if !names.is_empty() {
            self.holders.push((path.join("/"), names, false));
        }
    }

    fn choose(
        mut self,
        origin: Origin<'_>,
        key: Option<&str>,
    ) -> Result<(String, Named, bool), FormatError> {
        let places: Vec<String> = self.holders.iter().map(|(path, ..)| path.clone()).collect();
        match (key, self.holders.len()) {
            (Some(key), _) => {
                let at = places.iter().position(|p| p == key);
                at.map(|at| self.holders.swap_remove(at))
                    .ok_or_else(|| origin.missing(&[key], &places))
            }
            (None, 1) => Ok(self.holders.remove(0)),
            (None, 0) => Err(origin
                .unsupported("data.pkl", format!("no state_dict and no module in it; {ADVICE}"))),
            (None, _) => Err(origin.unsupported(
                "data.pkl",
                format!(
                    "several dictionaries of tensors: {}; choose one with --key",
                    places.join(", ")
                ),
            )),
        }
    }
}

/// The attributes of an instance, where it is a torch module.
fn module_state(pickle: &Pickle, id: Id) -> Option<Id> {
    let Node::Object(object) = pickle.node(id) else { return None };
    let state = object.state?;
    pickle.get(state, "_modules").and(pickle.get(state, "_parameters")).map(|_| state)
}

fn is_module(pickle: &Pickle, id: Id) -> bool {
    module_state(pickle, id).is_some()
}

/// Names are paths of `_modules`, ended by a key of `_parameters` or `_buffers`, as state_dict() makes them.
fn walk_module(pickle: &Pickle, id: Id, prefix: &str, names: &mut Named, above: &mut BTreeSet<Id>) {
    let Some(state) = module_state(pickle, id) else { return };
    if above.len() > DEEPEST || !above.insert(id) {
        return; // a module that contains itself
    }
    let entries = |key| pickle.get(state, key).and_then(|d| pickle.entries(d)).unwrap_or_default();
    for (key, value) in entries("_parameters").iter().chain(entries("_buffers")) {
        if let Some(key) = pickle.text(*key).filter(|_| is_tensor(pickle, *value)) {
            names.push((format!("{prefix}{key}"), *value));
        }
    }
    for (key, value) in entries("_modules") {
        if let Some(key) = pickle.text(*key) {
            walk_module(pickle, *value, &format!("{prefix}{key}."), names, above);
        }
    }
    above.remove(&id);
}

/// The call that rebuilds a tensor: name of the function and its arguments.
fn rebuild(pickle: &Pickle, id: Id) -> Option<(&str, &[Id])> {
    let Node::Object(object) = pickle.node(id) else { return None };
    let (module, name) = pickle.global(object.class)?;
    let known = matches!(module, "torch._utils" | "torch._tensor" | "torch.nn.parameter");
    known.then_some((name, pickle.tuple(object.arguments)?))
}

fn is_tensor(pickle: &Pickle, id: Id) -> bool {
    rebuild(pickle, id).is_some_and(|(name, _)| name.starts_with("_rebuild_"))
}

/// Element types of torch: the width in the storage is two numbers where it is complex.
fn element(name: &str) -> Option<(Element, bool)> {
    let real = |element| Some((element, false));
    match name {
        "FloatStorage" | "float32" => real(Element::F32),
        "DoubleStorage" | "float64" => real(Element::F64),
        "HalfStorage" | "float16" => real(Element::F16),
        "BFloat16Storage" | "bfloat16" => real(Element::Bf16),
        "LongStorage" | "int64" => real(Element::I64),
        "IntStorage" | "int32" => real(Element::I32),
        "ShortStorage" | "int16" => real(Element::I16),
        "CharStorage" | "int8" => real(Element::I8),
        "ByteStorage" | "uint8" | "BoolStorage" | "bool" => real(Element::U8),
        "ComplexFloatStorage" | "complex64" => Some((Element::F32, true)),
        "ComplexDoubleStorage" | "complex128" => Some((Element::F64, true)),
        _ => None,
    }
}

struct Tensors<'a> {
    pickle: &'a Pickle,
    zip: Zip<'a>,
    endian: Endian,
    /// Decoded numbers by storage key and type: several tensors may share one.
    storages: BTreeMap<(String, String), Vec<f64>>,
    /// Numbers of all tensors so far.
    read: u64,
}

impl Tensors<'_> {
    fn tensor(&mut self, name: &str, id: Id) -> Result<Array<f64>, FormatError> {
        let part = format!("tensor `{name}`");
        let origin = self.zip.origin;
        let bad = |what: &str| origin.malformed(&*part, format!("its {what} cannot be read"));
        let (mut id, mut depth) = (id, 0);
        let (function, arguments) = loop {
            let (function, arguments) =
                rebuild(self.pickle, id).ok_or_else(|| bad("description"))?;
            // A parameter wraps its tensor.
            if !function.starts_with("_rebuild_parameter") {
                break (function, arguments);
            }
            depth += 1;
            id = *arguments.first().filter(|_| depth < 4).ok_or_else(|| bad("parameter"))?;
        };
        if !matches!(function, "_rebuild_tensor" | "_rebuild_tensor_v2" | "_rebuild_tensor_v3") {
            return Err(origin.unsupported(
                &*part,
                format!("is made by `{function}`, not a plain tensor; {ADVICE}"),
            ));
        }
        let [storage, offset, size, stride, ..] = arguments else { return Err(bad("arguments")) };
        let numbers = |id: Id| -> Option<Vec<usize>> {
            self.pickle
                .tuple(id)?
                .iter()
                .map(|&n| usize::try_from(self.pickle.int(n)?).ok())
                .collect()
        };
        let view = View {
            offset: self
                .pickle
                .int(*offset)
                .and_then(|o| usize::try_from(o).ok())
                .ok_or_else(|| bad("offset"))?,
            size: numbers(*size).ok_or_else(|| bad("size"))?,
            stride: numbers(*stride).ok_or_else(|| bad("stride"))?,
        };
        let (kind, key) = self.storage(*storage).ok_or_else(|| bad("storage"))?;
        let kind = match (function, arguments.get(6).and_then(|&d| self.pickle.global(d))) {
            ("_rebuild_tensor_v3", Some((_, dtype))) => dtype.to_owned(),
            _ => kind,
        };
        let (element, complex) = element(&kind).ok_or_else(|| {
            origin.unsupported(&*part, format!("has elements of type {kind}; {ADVICE}"))
        })?;
        let slot = (key, kind);
        if !self.storages.contains_key(&slot) {
            let bytes = self.zip.entry(&format!("data/{}", slot.0))?;
            let mut numbers = Vec::new();
            element.decode(&bytes, self.endian, &mut numbers);
            self.storages.insert(slot.clone(), numbers);
        }
        let storage = self.storages.get(&slot).map(Vec::as_slice).unwrap_or_default();
        let array =
            view.read(storage, complex).map_err(|reason| origin.malformed(&*part, reason))?;
        // Tensors that share storages could claim any multiple of the file.
        self.read += array.values.len() as u64;
        if self.read > self.zip.length.saturating_mul(8) {
            return Err(
                origin.malformed(part, "the tensors up to this one claim many times the file")
            );
        }
        Ok(array)
    }

    /// Type and key of `('storage', FloatStorage, key, location, count)`.
    fn storage(&self, id: Id) -> Option<(String, String)> {
        let Node::Persistent(inner) = self.pickle.node(id) else { return None };
        match self.pickle.tuple(*inner)? {
            [word, kind, key, ..] if self.pickle.text(*word) == Some("storage") => {
                Some((self.pickle.global(*kind)?.1.to_owned(), self.pickle.text(*key)?.to_owned()))
            }
            _ => None,
        }
    }
}

/// A tensor as a view of its storage.
struct View {
    offset: usize,
    size: Vec<usize>,
    stride: Vec<usize>,
}

impl View {
    fn read(&self, storage: &[f64], complex: bool) -> Result<Array<f64>, String> {
        let parts = if complex { 2 } else { 1 };
        let count = self.count(storage.len() / parts)?;
        let mut values = Vec::with_capacity(count * parts);
        for flat in 0..count {
            let (mut rest, mut at) = (flat, self.offset);
            for (size, stride) in self.size.iter().zip(&self.stride).rev() {
                at += rest % size * stride;
                rest /= size;
            }
            values.extend_from_slice(&storage[at * parts..][..parts]);
        }
        let mut shape = self.size.clone();
        shape.extend(complex.then_some(2));
        Ok(Array { shape, values })
    }

    /// Number of elements, all of them inside a storage of `held`.
    fn count(&self, held: usize) -> Result<usize, String> {
        let text =
            || format!("size {:?}, stride {:?}, offset {}", self.size, self.stride, self.offset);
        if self.size.len() != self.stride.len() {
            return Err(format!("{} do not fit together", text()));
        }
        let count = self.size.iter().try_fold(1_usize, |p, &s| p.checked_mul(s));
        let count = count.filter(|&c| c <= held).ok_or_else(|| {
            format!(
                "{} need more than the {held} elements of the storage; save a contiguous copy",
                text()
            )
        })?;
        let reach =
            self.size.iter().zip(&self.stride).try_fold(self.offset, |at, (&size, &stride)| {
                at.checked_add(size.saturating_sub(1).checked_mul(stride)?)
            });
        if count > 0 && reach.is_none_or(|r| r >= held) {
            return Err(format!("{} reach beyond the {held} elements of the storage", text()));
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::View;

    #[test]
    fn views_are_followed_and_never_left() {
        let storage: Vec<f64> = (0..6).map(f64::from).collect();
        let turned = View { offset: 0, size: vec![3, 2], stride: vec![1, 3] };
        assert_eq!(turned.read(&storage, false).unwrap().values, [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
        let part = View { offset: 4, size: vec![2], stride: vec![1] };
        assert_eq!(part.read(&storage, false).unwrap().values, [4.0, 5.0]);
        for (offset, size, stride) in
            [(5, vec![2], vec![1]), (0, vec![2], vec![6]), (0, vec![7], vec![1])]
        {
            assert!(View { offset, size, stride }.read(&storage, false).is_err());
        }
        let huge = View { offset: 0, size: vec![usize::MAX, usize::MAX], stride: vec![0, 0] };
        assert!(huge.read(&storage, false).is_err());
        let far = View { offset: usize::MAX, size: vec![2], stride: vec![usize::MAX] };
        assert!(far.read(&storage, false).is_err());
        let empty = View { offset: 0, size: vec![0], stride: vec![1] };
        assert!(empty.read(&[], false).unwrap().values.is_empty());
        let complex = View { offset: 1, size: vec![2], stride: vec![1] };
        let read = complex.read(&storage, true).unwrap();
        assert_eq!((read.shape, read.values), (vec![2, 2], vec![2.0, 3.0, 4.0, 5.0]));
    }
}
