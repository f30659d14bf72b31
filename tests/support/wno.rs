//! A request of the dense wavelet neural operator, as an eager framework would issue it: synthetic.
//!
//! Two shapes. `Eager450` has one launch for each operation of the public op sequence (4 blocks, 4
//! levels), uploads filters and gather indices on every call and is bound by launching. `Looped1860`
//! is what a library makes of grouped transposed convolutions when it loops over the groups: 640
//! data-gradient launches, each after one packing kernel, forked over 16 streams.

use super::program::{Costs, MAIN_STREAM, Program};
use super::spec::{TraceSpec, Work};

/// Which request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Eager450,
    Looped1860,
    /// The operations of `Eager450`, quickly launched and slowly computed: bound by the GPU. No fixture.
    GpuBound,
}

/// A trace of `warmups` ranges `warmup`, then `requests` ranges `latency`.
pub fn wno_request(shape: Shape, requests: usize, warmups: usize, seed: u64) -> TraceSpec {
    let costs = match shape {
        Shape::Eager450 => Costs {
            launch: 30_000,
            dispatch: 76_000,
            first_use: 3_000_000,
            latency: 4_000,
            slots: 1,
            queue: 1_000,
            slowness: 1,
        },
        Shape::Looped1860 => Costs {
            launch: 16_400,
            dispatch: 7_000,
            first_use: 3_000_000,
            latency: 3_000,
            slots: 2,
            queue: 1_000,
            slowness: 1,
        },
        Shape::GpuBound => Costs {
            launch: 4_000,
            dispatch: 2_000,
            first_use: 3_000_000,
            latency: 3_000,
            slots: 1,
            queue: 1_000,
            slowness: 12,
        },
    };
    let mut program = Program::new(costs, seed);
    for index in 0..warmups + requests {
        let name = if index < warmups { "warmup" } else { "latency" };
        program.within(name, |p| request(p, shape));
        program.host(400_000);
    }
    program.finish()
}

fn request(p: &mut Program, shape: Shape) {
    p.within("encode", |p| p.host(60_000));
    p.within("h2d", |p| p.copy_and_wait(Work::upload(28_900), 6_000));
    p.within("lift", |p| {
        for name in [LINSPACE, LINSPACE, CAT, SGEMM, ADD, PAD] {
            p.launch(name, 9_000, MAIN_STREAM);
        }
    });
    for block in 0..4 {
        p.within(&format!("block{block}.dwt"), |p| dwt(p, shape));
        p.within(&format!("block{block}.mix"), |p| mix(p, shape));
        p.within(&format!("block{block}.idwt"), |p| idwt(p, shape));
        p.within(&format!("block{block}.skip"), |p| {
            p.launch(CONV_1X1, 120_000 / scale(shape), MAIN_STREAM);
            p.launch(ADD, 6_000, MAIN_STREAM);
        });
        if block < 3 {
            p.within(&format!("block{block}.act"), |p| p.launch(GELU, 8_000, MAIN_STREAM));
        }
    }
    p.within("head", |p| {
        for (name, gpu) in
            [(COPY, 9_000), (SGEMM, 60_000), (GELU, 9_000), (GEMV, 14_000), (ADD, 5_000)]
        {
            p.launch(name, gpu, MAIN_STREAM);
        }
    });
    p.within("d2h", |p| p.copy_and_wait(Work::download(28_900), 5_000));
    p.within("decode", |p| p.host(50_000));
}

/// The small request is 85 x 85, the large one 141 x 141 and slower by so much.
fn scale(shape: Shape) -> i64 {
    match shape {
        Shape::Eager450 | Shape::GpuBound => 3,
        Shape::Looped1860 => 1,
    }
}

fn levels(shape: Shape) -> i64 {
    match shape {
        Shape::Eager450 | Shape::GpuBound => 4,
        Shape::Looped1860 => 5,
    }
}

/// Each level and axis: gather for the periodic border, concatenate the filters, convolve.
fn dwt(p: &mut Program, shape: Shape) {
    for level in 0..levels(shape) {
        for _axis in 0..2 {
            let size = (60_000 / scale(shape)) >> level;
            p.copy_and_wait(Work::upload(1_200), 1_600);
            p.launch(INDEX, 9_000 + size / 4, MAIN_STREAM);
            if shape != Shape::Looped1860 || level < 4 {
                p.copy_and_wait(Work::upload(96), 1_500);
            }
            p.launch(CAT, 9_000, MAIN_STREAM);
            p.launch(COPY, 9_000, MAIN_STREAM);
            p.launch(DEPTHWISE, 12_000 + size, MAIN_STREAM);
            if shape != Shape::Looped1860 {
                p.launch(PAD, 6_000, MAIN_STREAM);
            }
        }
    }
}

fn mix(p: &mut Program, shape: Shape) {
    for _ in 0..4 {
        p.launch(CLONE, 7_000, MAIN_STREAM);
        p.launch(GEMV, 28_000 / scale(shape), MAIN_STREAM);
        p.launch(COPY, 7_000, MAIN_STREAM);
    }
    for name in [FILL, FILL, COPY] {
        p.launch(name, 4_000, MAIN_STREAM);
    }
}

/// Each level: transposed convolutions of the four bands, and their sums.
fn idwt(p: &mut Program, shape: Shape) {
    for level in (0..levels(shape)).rev() {
        let size = (120_000 / scale(shape)) >> level;
        match shape {
            Shape::Eager450 | Shape::GpuBound => {
                for band in 0..6 {
                    p.launch(DGRAD_GROUPED, 9_000 + size / 4, MAIN_STREAM);
                    if band % 2 == 0 {
                        p.launch(CAT, 8_000, MAIN_STREAM);
                        p.launch(ADD, 6_000, MAIN_STREAM);
                    }
                }
                p.launch(COPY, 7_000, MAIN_STREAM);
            }
            Shape::Looped1860 => {
                groups(p, 22_000 + size / 3);
                for _ in 0..2 {
                    p.launch(DGRAD_GROUPED, 40_000 + size, MAIN_STREAM);
                    p.launch(CAT, 10_800, MAIN_STREAM);
                    p.launch(CAT, 10_800, MAIN_STREAM);
                    p.launch(CAT, 10_800, MAIN_STREAM);
                    p.launch(ADD, 11_000, MAIN_STREAM);
                }
                for _ in 0..7 {
                    p.launch(COPY, 12_000, MAIN_STREAM);
                }
            }
        }
    }
}

/// One grouped transposed convolution, group by group over the side streams.
fn groups(p: &mut Program, gpu: i64) {
    p.call("cudaEventRecord_v3020", 1_700);
    for group in 0..32 {
        let stream = 13 + group % 16;
        p.call("cudaStreamWaitEvent_v3020", 1_500);
        p.join(MAIN_STREAM, stream);
        p.launch(SCALE_PACKED, 9_800, stream);
        p.launch(DGRAD, gpu, stream);
        p.call("cudaEventRecord_v3020", 1_700);
        p.call("cudaStreamWaitEvent_v3020", 1_500);
        p.join(stream, MAIN_STREAM);
    }
}

// Names in the style that the exporter prints; parameters abridged.
const LINSPACE: &str = "void <unnamed>::elementwise_kernel_with_index<int, at::native::linspace_cuda_out(const c10::Scalar &, const c10::Scalar &, long, at::Tensor &)::[lambda(long) (instance 1)]>(T1, T2, function_traits<T2>::result_type *)";
const CAT: &str = "void at::native::<unnamed>::CatArrayBatchedCopy_aligned16_contig<at::native::<unnamed>::OpaqueType<(unsigned int)4>, unsigned int, (int)4, (int)128, (int)1>(T1 *, at::native::<unnamed>::CatArrInputTensorMetadata<T1, T2, T4, T5>, at::native::<unnamed>::TensorSizeStride<T2, (unsigned int)4>, int, T2)";
const SGEMM: &str = "ampere_sgemm_128x32_tn";
const GEMV: &str = "void gemv2N_kernel<int, int, float, float, float, float, (int)128, (int)2, (int)4, (int)4, (int)1, (bool)0, cublasGemvParamsEx<int, cublasGemvTensorStridedBatched<const float>, cublasGemvTensorStridedBatched<const float>, cublasGemvTensorStridedBatched<float>, float>>(T13)";
const ADD: &str = "void at::native::vectorized_elementwise_kernel<(int)4, at::native::CUDAFunctor_add<float>, at::detail::Array<char *, (int)3>>(int, T2, T3)";
const GELU: &str = "void at::native::vectorized_elementwise_kernel<(int)4, at::native::GeluCUDAKernelImpl(at::TensorIteratorBase &, at::native::GeluType)::[lambda() (instance 2)]::operator ()() const::[lambda(float) (instance 1)], at::detail::Array<char *, (int)2>>(int, T2, T3)";
const FILL: &str = "void at::native::vectorized_elementwise_kernel<(int)4, at::native::FillFunctor<float>, at::detail::Array<char *, (int)1>>(int, T2, T3)";
const PAD: &str = "void at::native::elementwise_kernel<(int)128, (int)2, void at::native::gpu_kernel_impl_nocast<at::native::CUDAFunctorOnSelf_add<float>>(at::TensorIteratorBase &, const T1 &)::[lambda(int) (instance 1)]>(int, T3)";
const COPY: &str = "void at::native::elementwise_kernel<(int)128, (int)2, void at::native::gpu_kernel_impl_nocast<at::native::direct_copy_kernel_cuda(at::TensorIteratorBase &)::[lambda(float) (instance 1)]>(at::TensorIteratorBase &, const T1 &)::[lambda(int) (instance 1)]>(int, T3)";
const CLONE: &str = "void at::native::unrolled_elementwise_kernel<at::native::direct_copy_kernel_cuda(at::TensorIteratorBase &)::[lambda(float) (instance 1)], at::detail::Array<char *, (int)2>, TrivialOffsetCalculator<(int)1, unsigned int>>(int, T1, T2, T3)";
const INDEX: &str = "void at::native::index_elementwise_kernel<(int)128, (int)4, void at::native::gpu_index_kernel<void at::native::index_kernel_impl<at::native::OpaqueType<(int)4>>(at::TensorIteratorBase &, c10::ArrayRef<long>, c10::ArrayRef<long>)::[lambda(char *, const char *, long) (instance 1)]>(at::TensorIteratorBase &, c10::ArrayRef<long>, c10::ArrayRef<long>, const T1 &)::[lambda(int) (instance 1)]>(long, T3)";
const DEPTHWISE: &str = "void at::native::<unnamed>::conv_depthwise2d_forward_kernel_generic<float, int>(at::GenericPackedTensorAccessor<const T1, (unsigned long)4, at::DefaultPtrTraits, T2>, at::GenericPackedTensorAccessor<T1, (unsigned long)4, at::DefaultPtrTraits, T2>, bool, T2, int, int)";
const DGRAD_GROUPED: &str = "void cudnn::cnn::dgrad2d_grouped_direct_kernel<float, int, float, float, (bool)0, (bool)1, (int)1, (int)0, (int)0>(cudnnTensorStruct, const T1 *, cudnnFilterStruct, const T1 *, cudnnConvolutionStruct, cudnnTensorStruct, T1 *)";
const DGRAD: &str = "void cudnn::detail::dgrad_engine<float, (int)512, (int)6, (int)5, (int)3, (int)3, (int)3, (bool)0>(int, int, int, const T1 *, int, const T1 *, int, T1 *, kernel_grad_params, unsigned long, int, float, int, int, int)";
const SCALE_PACKED: &str =
    "void cudnn::ops::scalePackedTensor_kernel<float, float>(long, T1 *, T2)";
const CONV_1X1: &str = "void implicit_convolve_sgemm<float, float, (int)1024, (int)5, (int)5, (int)3, (int)3, (int)3, (int)1, (bool)1, (bool)0, (bool)1>(int, int, int, const T1 *, int, T2 *, const T1 *, kernel_conv_params, unsigned long, int, float, float, int, const T2 *, const T2 *, int, int)";
