"""What other packages may use: the public contract of parts.

A package that declares parts by entry points (`inrvid.registry`) imports from `inrvid` and from here, and from
`inrvid.testing` in its tests. What is named here changes only with the major version; where it lives in the library may
change at any time. Names are imported at their first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .lazy import lazy_names

if TYPE_CHECKING:
    from .augment.base import Augment
    from .config import Count, Fps, Layers, Natural, NotNegative, PartConfig, PathText, Positive, PowerOfTwo, Seed
    from .coords.acyclic import Codes, periods
    from .coords.base import AffinePhase, CoordinateEncoding, SharedBasis, linear_phase
    from .data.base import VideoDataset, VideoRecord
    from .data.indexed import IndexedDataset
    from .discriminators.base import Augmentation, Clips, Discriminator, Tensors
    from .discriminators.hypernetwork import TimeEmbedding
    from .discriminators.residual import ResidualDiscriminator
    from .errors import ConfigError, DataError, InrvidError, ModelError
    from .evaluation.detectors.base import Detector, DetectorDigest
    from .evaluation.detectors.efficientnet_lite0 import EfficientNetLite0Network, load_efficientnet_lite0
    from .evaluation.detectors.sources import SOURCES
    from .evaluation.detectors.timm import timm_network
    from .evaluation.detectors.weights import find_weights
    from .evaluation.metrics.base import Metric, Parts
    from .generators.base import VideoGenerator
    from .generators.inr import VideoINR
    from .grid import Grid
    from .kernels import implement, operations, register
    from .kernels.bias_act import convolve_bias_act
    from .kernels.recording import recording
    from .kernels.upfirdn import upfirdn
    from .latents import Latents
    from .layers.activation import GAIN, SLOPE
    from .layers.conv import EqConv2d
    from .layers.half import bounded, half_dtypes, runs_in, switch
    from .layers.linear import EqLinear, StyleAffine
    from .layers.mapping import MappingNetwork, normalize_second_moment
    from .layers.modulated_conv import ModulatedConv2d
    from .layers.noise import InstanceNoise, noise_of
    from .layers.parameters import ParameterGroup
    from .layers.precision import at_least_float32, in_float64, in_its_own_precision
    from .layers.recurrent import GRU, LSTM
    from .layers.residual import (
        Epilogue,
        MinibatchStd,
        ResidualBlock,
        batches_apart,
        from_rgb,
        minibatch_std,
        run_blocks,
    )
    from .layers.rgb import ToRGB, add_rgb
    from .layers.widths import channels_of
    from .losses.base import AdversarialLoss, Kind, Phase, Turn
    from .losses.penalty import r1_norms
    from .motion.base import Motion, MotionHead, MotionState, Span
    from .motion.codes import CodeNetwork, CodesMotion
    from .motion.conv1d import Conv1dMotion
    from .motion.noise import ExplicitNoise, GivenNoise, NoiseSequence, SeededNoise
    from .random import Draws, Key
    from .registry import PartOf, registry
    from .schedule import Cosine, at
    from .time_samplers.base import TimeSampler
    from .time_samplers.random_distance import RandomDistance
    from .training.callbacks.base import Callback
    from .training.run import Run
    from .transfer import sent
    from .weights import Unfit, read_metadata, read_weights

_NAMES = {
    "augment.base": "Augment",
    "config": "Count Fps Layers Natural NotNegative PartConfig PathText Positive PowerOfTwo Seed",
    "coords.acyclic": "Codes periods",
    "coords.base": "AffinePhase CoordinateEncoding SharedBasis linear_phase",
    "data.base": "VideoDataset VideoRecord",
    "data.indexed": "IndexedDataset",
    "discriminators.base": "Augmentation Clips Discriminator Tensors",
    "discriminators.hypernetwork": "TimeEmbedding",
    "discriminators.residual": "ResidualDiscriminator",
    "errors": "ConfigError DataError InrvidError ModelError",
    "evaluation.detectors.base": "Detector DetectorDigest",
    "evaluation.detectors.efficientnet_lite0": "EfficientNetLite0Network load_efficientnet_lite0",
    "evaluation.detectors.sources": "SOURCES",
    "evaluation.detectors.timm": "timm_network",
    "evaluation.detectors.weights": "find_weights",
    "evaluation.metrics.base": "Metric Parts",
    "generators.base": "VideoGenerator",
    "generators.inr": "VideoINR",
    "grid": "Grid",
    "kernels": "implement operations register",
    "kernels.bias_act": "convolve_bias_act",
    "kernels.recording": "recording",
    "kernels.upfirdn": "upfirdn",
    "latents": "Latents",
    "layers.activation": "GAIN SLOPE",
    "layers.conv": "EqConv2d",
    "layers.half": "bounded half_dtypes runs_in switch",
    "layers.linear": "EqLinear StyleAffine",
    "layers.mapping": "MappingNetwork normalize_second_moment",
    "layers.modulated_conv": "ModulatedConv2d",
    "layers.noise": "InstanceNoise noise_of",
    "layers.parameters": "ParameterGroup",
    "layers.precision": "at_least_float32 in_float64 in_its_own_precision",
    "layers.recurrent": "GRU LSTM",
    "layers.residual": "Epilogue MinibatchStd ResidualBlock batches_apart from_rgb minibatch_std run_blocks",
    "layers.rgb": "ToRGB add_rgb",
    "layers.widths": "channels_of",
    "losses.base": "AdversarialLoss Kind Phase Turn",
    "losses.penalty": "r1_norms",
    "motion.base": "Motion MotionHead MotionState Span",
    "motion.codes": "CodeNetwork CodesMotion",
    "motion.conv1d": "Conv1dMotion",
    "motion.noise": "ExplicitNoise GivenNoise NoiseSequence SeededNoise",
    "random": "Draws Key",
    "registry": "PartOf registry",
    "schedule": "Cosine at",
    "time_samplers.base": "TimeSampler",
    "time_samplers.random_distance": "RandomDistance",
    "training.callbacks.base": "Callback",
    "training.run": "Run",
    "transfer": "sent",
    "weights": "Unfit read_metadata read_weights",
}
"""Module → its public names."""

__all__ = [
    "GAIN",
    "GRU",
    "LSTM",
    "SLOPE",
    "SOURCES",
    "AdversarialLoss",
    "AffinePhase",
    "Augment",
    "Augmentation",
    "Callback",
    "Clips",
    "CodeNetwork",
    "Codes",
    "CodesMotion",
    "ConfigError",
    "Conv1dMotion",
    "CoordinateEncoding",
    "Cosine",
    "Count",
    "DataError",
    "Detector",
    "DetectorDigest",
    "Discriminator",
    "Draws",
    "EfficientNetLite0Network",
    "Epilogue",
    "EqConv2d",
    "EqLinear",
    "ExplicitNoise",
    "Fps",
    "GivenNoise",
    "Grid",
    "IndexedDataset",
    "InrvidError",
    "InstanceNoise",
    "Key",
    "Kind",
    "Latents",
    "Layers",
    "MappingNetwork",
    "Metric",
    "MinibatchStd",
    "ModelError",
    "ModulatedConv2d",
    "Motion",
    "MotionHead",
    "MotionState",
    "Natural",
    "NoiseSequence",
    "NotNegative",
    "ParameterGroup",
    "PartConfig",
    "PartOf",
    "Parts",
    "PathText",
    "Phase",
    "Positive",
    "PowerOfTwo",
    "RandomDistance",
    "ResidualBlock",
    "ResidualDiscriminator",
    "Run",
    "Seed",
    "SeededNoise",
    "SharedBasis",
    "Span",
    "StyleAffine",
    "Tensors",
    "TimeEmbedding",
    "TimeSampler",
    "ToRGB",
    "Turn",
    "Unfit",
    "VideoDataset",
    "VideoGenerator",
    "VideoINR",
    "VideoRecord",
    "add_rgb",
    "at",
    "at_least_float32",
    "batches_apart",
    "bounded",
    "channels_of",
    "convolve_bias_act",
    "find_weights",
    "from_rgb",
    "half_dtypes",
    "implement",
    "in_float64",
    "in_its_own_precision",
    "linear_phase",
    "load_efficientnet_lite0",
    "minibatch_std",
    "noise_of",
    "normalize_second_moment",
    "operations",
    "periods",
    "r1_norms",
    "read_metadata",
    "read_weights",
    "recording",
    "register",
    "registry",
    "run_blocks",
    "runs_in",
    "sent",
    "switch",
    "timm_network",
    "upfirdn",
]

_HOMES = {name: f"inrvid.{module}" for module, names in _NAMES.items() for name in names.split()}
__getattr__, __dir__ = lazy_names(__name__, _HOMES)
