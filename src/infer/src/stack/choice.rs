//! Which stack and device run a network? Chosen by name and checked before the first tensor is made, so that a
//! missing GPU is a message and not a panic in a worker thread.
//!
//! Everything generic over the stack is called from here: the rest of the program names no backend.

use burn::backend::NdArray;

use super::Stack;

/// A device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Device {
    /// Processor.
    Cpu,
    /// First NVIDIA GPU.
    Cuda,
}

impl Device {
    /// Name in the sidecar document.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda:0",
        }
    }
}

/// A tensor stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StackName {
    /// burn on ndarray: processor only, in every build.
    Ndarray,
    /// burn on cubecl: NVIDIA GPU, builds with feature `cuda`.
    Cubecl,
    /// burn on LibTorch: processor or NVIDIA GPU, builds with feature `tch`.
    Tch,
}

/// A stack on a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    stack: StackName,
    device: Device,
}

/// Why a stack or device is not there.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum StackError {
    /// The build lacks it.
    #[error("this build has no {stack} stack: {remedy}")]
    NotBuilt {
        /// The stack.
        stack: &'static str,
        /// How to get it.
        remedy: &'static str,
    },
    /// The pair makes no sense.
    #[error("{0}")]
    Pair(&'static str),
    /// No GPU that could be used.
    #[error("no NVIDIA GPU can be used: {0}; --device cpu runs everywhere")]
    NoGpu(String),
}

impl Choice {
    /// The processor with the stack that is in every build.
    pub const CPU: Self = Self { stack: StackName::Ndarray, device: Device::Cpu };

    /// A stack on a device; without a name, ndarray on the processor, else the one this build has.
    ///
    /// # Errors
    /// When the build lacks the stack, the pair makes no sense, or there is no GPU.
    pub fn new(device: Device, stack: Option<StackName>) -> Result<Self, StackError> {
        let stack = stack.unwrap_or(match device {
            Device::Cpu => StackName::Ndarray,
            Device::Cuda if cfg!(feature = "tch") && !cfg!(feature = "cuda") => StackName::Tch,
            Device::Cuda => StackName::Cubecl,
        });
        match (stack, device) {
            (StackName::Ndarray, Device::Cuda) => Err(StackError::Pair(
                "the ndarray stack runs on the processor only: use --stack cubecl or --stack tch with --device cuda",
            )),
            (StackName::Cubecl, Device::Cpu) => Err(StackError::Pair(
                "the cubecl stack runs on an NVIDIA GPU only: add --device cuda",
            )),
            (StackName::Cubecl, Device::Cuda) => cubecl_ready(),
            (StackName::Tch, device) => tch_ready(device),
            (StackName::Ndarray, Device::Cpu) => Ok(()),
        }?;
        Ok(Self { stack, device })
    }

    /// The device.
    #[must_use]
    pub fn device(self) -> Device {
        self.device
    }
}

/// Work that is generic over the stack.
pub(crate) trait OnStack {
    /// What it returns.
    type Output;

    /// Does it.
    fn run<B: Stack>(self, device: &B::Device) -> Self::Output;
}

/// Runs `job` on the chosen stack.
pub(crate) fn on_stack<J: OnStack>(choice: Choice, job: J) -> J::Output {
    match choice.stack {
        #[cfg(feature = "cuda")]
        StackName::Cubecl => job.run::<burn::backend::Cuda>(&Default::default()),
        #[cfg(feature = "tch")]
        StackName::Tch => {
            use burn::backend::libtorch::{LibTorch, LibTorchDevice};
            let device = match choice.device {
                Device::Cpu => LibTorchDevice::Cpu,
                Device::Cuda => LibTorchDevice::Cuda(0),
            };
            job.run::<LibTorch>(&device)
        }
        // A choice of a stack that the build lacks cannot be made.
        _ => job.run::<NdArray>(&Default::default()),
    }
}

#[cfg(feature = "cuda")]
fn cubecl_ready() -> Result<(), StackError> {
    use cudarc::{driver, nvrtc};
    let no = |text: String| Err(StackError::NoGpu(text));
    // SAFETY: both only look whether the library can be opened.
    let (driver_there, compiler_there) =
        unsafe { (driver::sys::is_culib_present(), nvrtc::sys::is_culib_present()) };
    if !driver_there {
        return no("there is no CUDA driver (libcuda)".into());
    }
    if let Err(e) = driver::result::init() {
        return no(format!("the CUDA driver says {e}"));
    }
    match driver::result::device::get_count() {
        Ok(0) => return no("the CUDA driver finds no device".into()),
        Ok(_) => {}
        Err(e) => return no(format!("the CUDA driver says {e}")),
    }
    if !compiler_there {
        return no("the CUDA runtime compiler (libnvrtc) is not installed".into());
    }
    Ok(())
}

#[cfg(not(feature = "cuda"))]
fn cubecl_ready() -> Result<(), StackError> {
    let remedy = "build it with `cargo build --release --features cuda`";
    Err(StackError::NotBuilt { stack: "cubecl", remedy })
}

#[cfg(feature = "tch")]
fn tch_ready(device: Device) -> Result<(), StackError> {
    if device == Device::Cuda && !tch::Cuda::is_available() {
        return Err(StackError::NoGpu("LibTorch finds none".into()));
    }
    Ok(())
}

#[cfg(not(feature = "tch"))]
fn tch_ready(_device: Device) -> Result<(), StackError> {
    Err(StackError::NotBuilt { stack: "LibTorch", remedy: "build it with src/infer/build-tch" })
}
