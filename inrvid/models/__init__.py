"""Networks, built (`build`), kept as files of a folder (`files`), on the Hub (`hub`), loaded by name (`pretrained`).

`convert` turns checkpoints of the papers' releases into models: `snapshots` reads them, `official` has their layouts.
`export` writes a generator as a `program` that runs without the library, or as `torchscript`.
`pickles` and its `machine` read other people's pickles, and run nothing.
"""
