"""What to train, as a file: its `schema`, and the `file`s that are `merge`d and made to `fit` each other."""
