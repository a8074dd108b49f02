"""Parts of LongVideoGAN (NeurIPS 2022) for inrvid."""
