"""The index of everything the library itself provides: name, class, configuration, summary, source.

Nothing is imported here; a class is imported when it is built, its configuration when it is validated.
"""

from __future__ import annotations

from .registry import REGISTRIES

_DIGAN = "DIGAN (ICLR 2022)"
_INR_GAN = "INR-GAN (CVPR 2021)"
_STYLEGAN_V = "StyleGAN-V (CVPR 2022)"

REGISTRIES["coords"].declare(
    "fourier",
    "inrvid.coords.fourier:FourierCoords",
    config="inrvid.coords.configs:FourierConfig",
    summary="Fourier features whose frequencies and phases are predicted from the style",
    source=f"{_DIGAN} §3.1",
)
REGISTRIES["coords"].declare(
    "log",
    "inrvid.coords.fixed:LogCoords",
    config="inrvid.coords.configs:LogConfig",
    summary="fixed axis-aligned frequencies, logarithmically spaced",
    source=_INR_GAN,
)
REGISTRIES["coords"].declare(
    "random",
    "inrvid.coords.fixed:RandomCoords",
    config="inrvid.coords.configs:RandomConfig",
    summary="fixed Gaussian random frequencies",
    source=_INR_GAN,
)
REGISTRIES["coords"].declare(
    "learned",
    "inrvid.coords.learned:LearnedCoords",
    config="inrvid.coords.configs:LearnedConfig",
    summary="learned frequencies shared by all videos",
    source=_INR_GAN,
)
REGISTRIES["coords"].declare(
    "constant",
    "inrvid.coords.constant:ConstantCoords",
    config="inrvid.coords.configs:ConstantConfig",
    summary="a learned phase for each cell of the native grid",
    source=_INR_GAN,
)

REGISTRIES["motions"].declare(
    "global",
    "inrvid.motion.global_motion:GlobalMotion",
    config="inrvid.motion.configs:GlobalConfig",
    summary="one motion vector a video, scaled by time and passed through f_M",
    source=f"{_DIGAN} §3.2",
)
REGISTRIES["motions"].declare(
    "conv1d",
    "inrvid.motion.conv1d:Conv1dMotion",
    config="inrvid.motion.configs:Conv1dConfig",
    summary="motion codes by 1-D convolutions over noise, acyclic positional encoding between them",
    source=f"{_STYLEGAN_V} §3.1, eqs. 2–5",
)
REGISTRIES["motions"].declare(
    "attention",
    "inrvid.motion.attention:AttentionMotion",
    config="inrvid.motion.configs:AttentionConfig",
    summary="motion codes by windowed self-attention over noise, acyclic positional encoding between them",
)
REGISTRIES["motions"].declare(
    "lstm",
    "inrvid.motion.lstm:LstmMotion",
    config="inrvid.motion.configs:LstmConfig",
    summary="recurrent motion codes, linearly interpolated",
    source=f"MoCoGAN (CVPR 2018); {_STYLEGAN_V} §4.2",
)
REGISTRIES["motions"].declare(
    "static",
    "inrvid.motion.static:StaticMotion",
    config="inrvid.motion.configs:StaticConfig",
    summary="no motion: turns a video generator into the image generator it came from",
)

REGISTRIES["generators"].declare(
    "inr_gan",
    "inrvid.generators.inr_gan:InrGan",
    config="inrvid.generators.configs:InrGanConfig",
    summary="coordinate network with factorised multiplicative modulation, skip architecture",
    source=f"{_INR_GAN}; {_DIGAN}",
)

REGISTRIES["generators"].declare(
    "stylegan2",
    "inrvid.generators.stylegan2:StyleGan2",
    config="inrvid.generators.configs:StyleGan2Config",
    summary="convolutions modulated by the style; the motion code enters at the constant input, or all styles",
    source=f"StyleGAN2 (CVPR 2020); {_STYLEGAN_V}",
)

REGISTRIES["discriminators"].declare(
    "dual",
    "inrvid.discriminators.dual:DualDiscriminator",
    config="inrvid.discriminators.configs:DualConfig",
    summary="an image discriminator, and a motion discriminator on a pair of frames and their interval",
    source=f"{_DIGAN} §3.2",
)

REGISTRIES["discriminators"].declare(
    "hypernetwork",
    "inrvid.discriminators.hypernetwork:HypernetworkDiscriminator",
    config="inrvid.discriminators.configs:HypernetworkConfig",
    summary="one discriminator of a few frames at once, conditioned on the time distances between them",
    source=f"{_STYLEGAN_V} §3.2",
)

REGISTRIES["time_samplers"].declare(
    "random_distance",
    "inrvid.time_samplers.random_distance:RandomDistance",
    config="inrvid.time_samplers.configs:RandomDistanceConfig",
    summary="k times whose total distance is drawn first, anywhere in the video",
    source=f"{_STYLEGAN_V} §3.2",
)
REGISTRIES["time_samplers"].declare(
    "uniform",
    "inrvid.time_samplers.uniform:Uniform",
    config="inrvid.time_samplers.configs:UniformConfig",
    summary="k different times of a clip, each as likely",
)
REGISTRIES["time_samplers"].declare(
    "consecutive",
    "inrvid.time_samplers.consecutive:Consecutive",
    config="inrvid.time_samplers.configs:ConsecutiveConfig",
    summary="k neighbouring frames, anywhere in the video",
    source="MoCoGAN (CVPR 2018)",
)
REGISTRIES["time_samplers"].declare(
    "beta_pair",
    "inrvid.time_samplers.beta_pair:BetaPair",
    config="inrvid.time_samplers.configs:BetaPairConfig",
    summary="two times in a clip, t1 ~ Beta(2, 1) and t2 ~ Beta(1, 2), sorted",
    source=f"{_DIGAN} appendix A.1",
)

REGISTRIES["augments"].declare(
    "none",
    "inrvid.augment.none:NoAugment",
    config="inrvid.augment.configs:NoAugmentConfig",
    summary="frames as they are",
)
REGISTRIES["augments"].declare(
    "diffaugment",
    "inrvid.augment.diffaugment:DiffAugment",
    config="inrvid.augment.configs:DiffAugmentConfig",
    summary="colour and translation, the same draw for all frames of a clip",
    source="DiffAugment (NeurIPS 2020)",
)

REGISTRIES["augments"].declare(
    "ada",
    "inrvid.augment.ada:Ada",
    config="inrvid.augment.configs:AdaConfig",
    summary="adaptive augmentation: geometry and colour, as often as D needs it",
    source="StyleGAN2-ADA (NeurIPS 2020)",
)

REGISTRIES["losses"].declare(
    "logistic",
    "inrvid.losses.logistic:LogisticLoss",
    config="inrvid.losses.configs:LogisticConfig",
    summary="non-saturating logistic loss, lazy R1 where the discriminator says",
    source="StyleGAN2 (CVPR 2020)",
)

for _name, _class, _summary, _source in (
    ("videos", "videos:VideoFolder", "a folder of video files; class = sub-folder", ""),
    ("ucf101", "ucf101:Ucf101", "UCF-101's layout with its split files", "UCF-101 (2012)"),
    ("frames", "frames:FrameFolder", "folders of frames (jpg, png), one a video", ""),
    ("zip", "frames:FrameZip", "a zip of frame folders, labels in dataset.json", "StyleGAN-V's format"),
    ("procedural", "procedural:ProceduralScenes", "moving landscapes drawn by formulas: needs no download", ""),
):
    REGISTRIES["datasets"].declare(
        _name,
        f"inrvid.data.sources.{_class}",
        config=f"inrvid.data.configs:{_class.split(':')[1]}Config",
        summary=_summary,
        source=_source,
    )

REGISTRIES["metrics"].declare(
    "statistics",
    "inrvid.evaluation.metrics.statistics:VideoStatistics",
    config="inrvid.evaluation.metrics.configs:VideoStatisticsConfig",
    summary="Fréchet distances of simple spatial and temporal statistics: quick, needs no weights",
)
