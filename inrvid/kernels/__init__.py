"""The operations that a video generator spends its time in, each defined once and implemented for several devices.

A folder holds an operation: `definition.py` in readable PyTorch, differentiable as often as one likes; `cpu.py` and
`triton.py`, which are faster; and `__init__.py`, which registers it as a torch custom op, `torch.ops.inrvid.<name>`,
with a fake implementation for compilation and a backward pass, itself an operation. All implementations have the same
results up to rounding. `use_backend("definition")`, or `INRVID_KERNELS=definition` in the environment, runs the
definitions everywhere.

Layout: *rows* `[N, M, C]` are N samples of M points with C channels, contiguous; feature maps are `[N, C, H, W]` in
channels-last memory, whose rows are a view.

Other packages can add implementations and operations. Say that `fast_kernels.py` implements a pointwise layer and its
backward pass for CPUs, and makes a new operation with a kernel for Hopper GPUs, which is imported on first use:

    import torch
    import torch.nn.functional as F
    from inrvid.kernels import implement, register

    @implement("pointwise", device="cpu", dtypes=[torch.float32])
    def pointwise(x, weight, bias, slope):  # the arguments of its definition
        y = x @ weight if bias is None else torch.baddbmm(bias, x, weight)
        return F.leaky_relu(y, slope, inplace=True)

    @implement("pointwise_backward", device="cpu", dtypes=[torch.float32])
    def pointwise_backward(gradient, x, weight, y, slope, biased):
        before = torch.where(y > 0, gradient, slope * gradient)
        of_bias = before.sum(dim=(0, 1)) if biased else before.new_empty(0)
        return before @ weight.mT, x.mT @ before, of_bias

    def definition(x, frequency):
        return torch.sin(frequency * x)

    def setup(ctx, inputs, output):
        x, ctx.frequency = inputs
        ctx.save_for_backward(x)

    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return gradient * ctx.frequency * torch.cos(ctx.frequency * x), None

    schema = "(Tensor x, float frequency) -> Tensor"
    sine = register("sine", schema, definition, lambda x, _: torch.empty_like(x), backward=backward, setup=setup)
    implement("sine", device="cuda", capability=(9, 0), requires="triton")("fast_kernels_hopper:sine")

Its pyproject.toml names the module, which is then imported before the first operation runs:

    [project.entry-points."inrvid.kernels"]
    fast_kernels = "fast_kernels"
"""

from .dispatch import use_backend
from .operation import implement, operations, register

__all__ = ["implement", "operations", "register", "use_backend"]
