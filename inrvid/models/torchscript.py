"""A recorded program as TorchScript.

`torch.jit.trace` would write the sizes of its example into the program. This compiles the graph that `torch.export`
made, in which sizes are dynamic: its operations are those of TorchScript under other names.
"""

from __future__ import annotations

import torch
from torch import fx

NAMES = {torch.ops.aten.sym_size.int: torch.ops.aten.size, torch.ops.aten._assert_async.msg: torch._assert}
"""Operations that TorchScript knows by another name altogether, or would drop because nothing uses their result.

For all others, only the overload's name is dropped.
"""

FACTS = {torch.ops.aten._assert_scalar.default, torch.ops.aten.sym_constrain_range_for_size.default}
"""Assertions that the compiler wants about sizes that depend on values; TorchScript needs none of them."""


def scripted(program: torch.export.ExportedProgram) -> torch.jit.ScriptModule:
    """The program as TorchScript, with the same arguments. Raises RuntimeError if TorchScript lacks an operation."""
    module = program.module()
    graph = module.graph
    for node in list(graph.nodes):
        if node.target in FACTS or node.op == "call_module":  # the latter checks sizes, in Python
            graph.erase_node(node)
    graph.eliminate_dead_code()
    for node in graph.nodes:
        if isinstance(node.target, torch._ops.OpOverload):
            node.target = NAMES.get(node.target, node.target.overloadpacket)
    (results,) = graph.output_node().args
    graph.output_node().args = tuple(results)  # type: ignore[arg-type]
    graph.set_codegen(fx.graph.CodeGen())  # plain arguments and a plain result
    return torch.jit.script(fx.GraphModule(module, graph))
