//! The same operations under automatic differentiation: each is one node of the graph, and its backward
//! pass is the stack's own, so that a firing step has its surrogate and GELU its exact derivative.

use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind, binary, unary};
use burn::prelude::{Backend, Tensor};
use burn::tensor::TensorPrimitive;

use super::{Pointwise, Stack};

type Float<B> = <B as burn::tensor::backend::BackendTypes>::FloatTensorPrimitive;

fn wrap<B: Backend>(x: Float<B>) -> Tensor<B, 4> {
    Tensor::from_primitive(TensorPrimitive::Float(x))
}

fn unwrap<B: Backend>(x: Tensor<B, 4>) -> Float<B> {
    x.into_primitive().tensor()
}

#[derive(Debug)]
struct PointwiseNode;

impl<B: Stack> Backward<B, 1> for PointwiseNode {
    type State = (Pointwise, Float<B>);

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let (op, x) = ops.state;
        unary::<B, _>(ops.parents, ops.node, grads, |grad| {
            unwrap(B::pointwise_backward(op, wrap(x), wrap(grad)))
        });
    }
}

#[derive(Debug)]
struct MixNode;

impl<B: Stack> Backward<B, 2> for MixNode {
    type State = (Float<B>, Float<B>);

    fn backward(
        self,
        ops: Ops<Self::State, 2>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let (x, w) = ops.state;
        // Both derivatives are mixings: over the outputs for x, over the batch for w.
        binary::<B, _, _>(
            ops.parents,
            ops.node,
            grads,
            |grad| unwrap(B::mix(wrap(grad), wrap::<B>(w).swap_dims(0, 1))),
            |grad| unwrap(B::mix(wrap::<B>(x).swap_dims(0, 1), wrap(grad))),
        );
    }
}

impl<B: Stack> Stack for Autodiff<B> {
    const NAME: &'static str = B::NAME;
    const POSITION_MAJOR: bool = false;

    fn pointwise(op: Pointwise, x: Tensor<Self, 4>) -> Tensor<Self, 4> {
        let x = unwrap(x);
        let value = |x: Float<B>| unwrap(B::pointwise(op, wrap(x)));
        let out = match PointwiseNode
            .prepare::<NoCheckpointing>([x.node.clone()])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => {
                let out = value(x.primitive.clone());
                prep.finish((op, x.primitive), out)
            }
            OpsKind::UnTracked(prep) => prep.finish(value(x.primitive)),
        };
        wrap(out)
    }

    fn mix(x: Tensor<Self, 4>, w: Tensor<Self, 4>) -> Tensor<Self, 4> {
        let (x, w) = (unwrap(x), unwrap(w));
        let value = |x, w| unwrap(B::mix(wrap(x), wrap(w)));
        let nodes = [x.node.clone(), w.node.clone()];
        let out = match MixNode.prepare::<NoCheckpointing>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                let out = value(x.primitive.clone(), w.primitive.clone());
                prep.finish((x.primitive, w.primitive), out)
            }
            OpsKind::UnTracked(prep) => prep.finish(value(x.primitive, w.primitive)),
        };
        wrap(out)
    }
}
