//! Which stack and device run the network, by name.

use wno_infer::stack::{Choice, Device, StackError, StackName};

/// Options of every command that runs a network.
#[derive(clap::Args, Clone, Copy)]
pub(crate) struct DeviceArgs {
    /// Where the network runs
    #[arg(long, value_enum, default_value = "cpu")]
    device: DeviceArg,
    /// Tensor stack [default: ndarray on the CPU, else the one this build has]
    #[arg(long, value_enum)]
    stack: Option<StackArg>,
}

#[derive(clap::ValueEnum, Debug, Clone, Copy)]
enum DeviceArg {
    /// Processor
    Cpu,
    /// First NVIDIA GPU
    Cuda,
}

#[derive(clap::ValueEnum, Debug, Clone, Copy)]
enum StackArg {
    /// burn on ndarray: processor only, in every build
    Ndarray,
    /// burn on cubecl: NVIDIA GPU, builds with feature `cuda`
    Cubecl,
    /// burn on LibTorch: processor or NVIDIA GPU, builds with feature `tch`
    Tch,
}

impl DeviceArgs {
    /// The choice, checked.
    pub(crate) fn choice(&self) -> Result<Choice, StackError> {
        let device = match self.device {
            DeviceArg::Cpu => Device::Cpu,
            DeviceArg::Cuda => Device::Cuda,
        };
        let stack = self.stack.map(|stack| match stack {
            StackArg::Ndarray => StackName::Ndarray,
            StackArg::Cubecl => StackName::Cubecl,
            StackArg::Tch => StackName::Tch,
        });
        Choice::new(device, stack)
    }
}
