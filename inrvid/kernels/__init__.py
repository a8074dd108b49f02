"""The operations that a video generator spends its time in, each defined once and implemented for each device.

A module holds one operation: its *definition* in readable PyTorch, differentiable as often as one likes; a fast
path for the CPU; and the torch custom op (`torch.ops.inrvid.<name>`, with a fake implementation for compilation and
a registered backward) that chooses between them and the Triton kernel of the same name in `kernels/triton/`.
All paths have the same results up to rounding. `dispatch.using("definition")`, or `INRVID_KERNELS=definition` in the
environment, runs the definitions everywhere.

Layout: *rows* `[N, M, C]` are N samples of M points with C channels, contiguous; feature maps are `[N, C, H, W]` in
channels-last memory, whose rows are a view.
"""
