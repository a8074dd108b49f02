"""What this machine does, and what the library makes of it: `python -m benchmarks` in a clone.

plan       which cases, from the command line's options
harness    timing: warm-up, then rounds in which every case has its turn
ceilings   what the device can do at best: convolution, matrix product, copy
kernels    every operation of `inrvid.kernels` against its definition
systems    generation and training of a recipe
loading    evaluation and data loading
memory     peak memory, and what autograd keeps
results    the records and their JSON; `tables`, `markdown` and `compare` show them
gpu        the same and more for a GPU that is borrowed for minutes: `python -m benchmarks.gpu`

A benchmark reports; it asserts nothing. A case that fails is a record with an error, and the others go on.
"""
