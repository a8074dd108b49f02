from __future__ import annotations

import pytest

from inrvid import build_generator

from ..small import small_generator


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """Folders of small models: a network of coordinates (of three named classes), StyleGAN-V."""
    folder = tmp_path_factory.mktemp("models")
    made = {
        "coordinates": small_generator("inr_gan", "global", label_dim=3),
        "convolutions": small_generator("stylegan2", "conv1d"),
        "codes": small_generator("inr_gan", "conv1d"),
    }
    for name, config in made.items():
        generator = build_generator(config, seed=1)
        generator.class_names = ("dogs", "cats", "7") if generator.label_dim else ()
        generator.save_pretrained(folder / name)
    return folder
