"""Several systems trained on the same data, for equal numbers of clips and again for equal minutes, on one page.

`python -m benchmarks.trainings SET -o DIR` trains what `SET.yaml` beside this file (or a path) lists, each in a process
of one thread, stops where its number of clips and its minutes are reached, and there scores it against held-out clips
and draws its first seeds. What is done is not done again: the same command goes on after whatever has happened.

Minutes are the processor's, of the whole training process, as cores are shared; a first, short stretch tells how many
clips a system needs to fill them.

- plan: a set as data;
- run: trainings, scores, strips;
- page: the table and curves, as HTML and Markdown.
"""
