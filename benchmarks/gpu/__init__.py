"""What a GPU has to show, in one command for a bare machine: `python -m benchmarks.gpu [STAGE…] --out DIR`.

truth      the library computes on the device what it computes elsewhere: tests, with what they found
kernels    every operation against its definition and against torch.compile, beside what the device can do at best
systems    generation, training steps in every precision, eager and compiled; where a step's time goes; loading
train      the small models that are published, detached, resumed where they were

record     what a stage finds, row by row, on the terminal and as JSON: a stage that is cut short goes on from there

Stages are independent; each takes a few minutes. `--smoke` runs all of it at toy sizes, on a CPU if need be.
"""
