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
    from .config import Count, Fps, Layers, Natural, NonNegative, PartConfig, PathText, Positive, PowerOfTwo, Seed
    from .coords.acyclic import Codes, periods
    from .coords.base import AffinePhase, CoordinateEncoding, SharedBasis, linear_phase
    from .data.base import VideoDataset, VideoRecord
    from .data.indexed import IndexedDataset
    from .discriminators.base import Augmentation, ClipBatch, Discriminator, Tensors
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
    from .kernels.recording import is_recording
    from .kernels.upfirdn import upfirdn
    from .latents import Latents
    from .layers.activation import GAIN, SLOPE
    from .layers.conv import EqConv2d
    from .layers.half import block_dtype, half_dtypes, needs_clamp, to_precision
    from .layers.linear import EqLinear, StyleAffine
    from .layers.mapping import MappingNetwork, normalize_second_moment
    from .layers.modulated_conv import ModulatedConv2d
    from .layers.noise import InstanceNoise, instance_noise
    from .layers.parameters import ParameterGroup
    from .layers.precision import at_least_float32, in_float64, without_autocast
    from .layers.recurrent import GRU, LSTM
    from .layers.residual import (
        Epilogue,
        MinibatchStd,
        ResidualBlock,
        from_rgb,
        minibatch_std,
        run_blocks,
        separate_batches,
    )
    from .layers.rgb import ToRGB, add_rgb
    from .layers.widths import channels_of
    from .losses.base import AdversarialLoss, ClipKind, Phase, Turn
    from .losses.penalty import r1_norms
    from .motion.base import Motion, MotionHead, MotionState, Span
    from .motion.codes import CodeNetwork, CodesMotion
    from .motion.conv1d import Conv1dMotion
    from .motion.noise import ExplicitNoise, GivenNoise, NoiseSequence, SeededNoise
    from .random import Draws, SampleKey
    from .registry import PartOf, registry
    from .schedule import Cosine, value_at
    from .time_samplers.base import TimeSampler
    from .time_samplers.random_distance import RandomDistance
    from .training.callbacks.base import Callback
    from .training.run import Run
    from .transfer import to_device
    from .weights import WeightsError, read_metadata, read_weights

_NAMES = {
    "augment.base": "Augment",
    "config": "Count Fps Layers Natural NonNegative PartConfig PathText Positive PowerOfTwo Seed",
    "coords.acyclic": "Codes periods",
    "coords.base": "AffinePhase CoordinateEncoding SharedBasis linear_phase",
    "data.base": "VideoDataset VideoRecord",
    "data.indexed": "IndexedDataset",
    "discriminators.base": "Augmentation ClipBatch Discriminator Tensors",
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
    "kernels.recording": "is_recording",
    "kernels.upfirdn": "upfirdn",
    "latents": "Latents",
    "layers.activation": "GAIN SLOPE",
    "layers.conv": "EqConv2d",
    "layers.half": "needs_clamp half_dtypes block_dtype to_precision",
    "layers.linear": "EqLinear StyleAffine",
    "layers.mapping": "MappingNetwork normalize_second_moment",
    "layers.modulated_conv": "ModulatedConv2d",
    "layers.noise": "InstanceNoise instance_noise",
    "layers.parameters": "ParameterGroup",
    "layers.precision": "at_least_float32 in_float64 without_autocast",
    "layers.recurrent": "GRU LSTM",
    "layers.residual": "Epilogue MinibatchStd ResidualBlock separate_batches from_rgb minibatch_std run_blocks",
    "layers.rgb": "ToRGB add_rgb",
    "layers.widths": "channels_of",
    "losses.base": "AdversarialLoss ClipKind Phase Turn",
    "losses.penalty": "r1_norms",
    "motion.base": "Motion MotionHead MotionState Span",
    "motion.codes": "CodeNetwork CodesMotion",
    "motion.conv1d": "Conv1dMotion",
    "motion.noise": "ExplicitNoise GivenNoise NoiseSequence SeededNoise",
    "random": "Draws SampleKey",
    "registry": "PartOf registry",
    "schedule": "Cosine value_at",
    "time_samplers.base": "TimeSampler",
    "time_samplers.random_distance": "RandomDistance",
    "training.callbacks.base": "Callback",
    "training.run": "Run",
    "transfer": "to_device",
    "weights": "WeightsError read_metadata read_weights",
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
    "ClipBatch",
    "ClipKind",
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
    "NonNegative",
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
    "SampleKey",
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
    "VideoDataset",
    "VideoGenerator",
    "VideoINR",
    "VideoRecord",
    "WeightsError",
    "add_rgb",
    "at_least_float32",
    "block_dtype",
    "channels_of",
    "convolve_bias_act",
    "find_weights",
    "from_rgb",
    "half_dtypes",
    "implement",
    "in_float64",
    "instance_noise",
    "is_recording",
    "linear_phase",
    "load_efficientnet_lite0",
    "minibatch_std",
    "needs_clamp",
    "normalize_second_moment",
    "operations",
    "periods",
    "r1_norms",
    "read_metadata",
    "read_weights",
    "register",
    "registry",
    "run_blocks",
    "separate_batches",
    "timm_network",
    "to_device",
    "to_precision",
    "upfirdn",
    "value_at",
    "without_autocast",
]

_HOMES = {name: f"inrvid.{module}" for module, names in _NAMES.items() for name in names.split()}
__getattr__, __dir__ = lazy_names(__name__, _HOMES)
