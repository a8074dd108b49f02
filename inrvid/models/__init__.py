"""Networks as things to keep: to `build` them; as `files` of a folder, on the Hub (`hub`) and by name (`pretrained`).

`convert` makes models of the checkpoints of the papers' releases: `snapshots` reads them, `official` has their layouts.
`export` writes a generator as a `program` that runs without the library, or as `torchscript`.
`pickles` and its `machine` read what others pickled, and run nothing.
"""
