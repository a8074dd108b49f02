"""Networks as things to keep: to `build` them, to keep them (`hub`: on disk, on the Hugging Face Hub), and the
layouts of the papers' releases (`official`). `pickles` reads those of others, and runs nothing."""
