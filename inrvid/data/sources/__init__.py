"""Where clips come from: `videos` (files), `frames` (folders and zips of pictures), `ucf101`, `procedural`
landscapes."""
