"""The index of the parts that the library itself provides: kind, name → where its class is.

Nothing is imported here: a class is imported when a recipe names it.
"""

from __future__ import annotations

BUILT_IN: dict[str, dict[str, str]] = {
    "coords": {
        "fourier": "inrvid.coords.fourier:FourierCoords",
        "log": "inrvid.coords.fixed:LogCoords",
        "random": "inrvid.coords.fixed:RandomCoords",
        "learned": "inrvid.coords.learned:LearnedCoords",
        "constant": "inrvid.coords.constant:ConstantCoords",
    },
    "motions": {
        "global": "inrvid.motion.global_motion:GlobalMotion",
        "conv1d": "inrvid.motion.conv1d:Conv1dMotion",
        "attention": "inrvid.motion.attention:AttentionMotion",
        "lstm": "inrvid.motion.lstm:LstmMotion",
        "static": "inrvid.motion.static:StaticMotion",
    },
    "generators": {
        "inr_gan": "inrvid.generators.inr_gan:InrGan",
        "stylegan2": "inrvid.generators.stylegan2:StyleGan2",
    },
    "discriminators": {
        "dual": "inrvid.discriminators.dual:DualDiscriminator",
        "hypernetwork": "inrvid.discriminators.hypernetwork:HypernetworkDiscriminator",
    },
    "augments": {
        "none": "inrvid.augment.none:NoAugment",
        "diffaugment": "inrvid.augment.diffaugment:DiffAugment",
        "ada": "inrvid.augment.ada:Ada",
    },
    "time_samplers": {
        "random_distance": "inrvid.time_samplers.random_distance:RandomDistance",
        "uniform": "inrvid.time_samplers.uniform:Uniform",
        "consecutive": "inrvid.time_samplers.consecutive:Consecutive",
        "beta_pair": "inrvid.time_samplers.beta_pair:BetaPair",
    },
    "losses": {
        "logistic": "inrvid.losses.logistic:LogisticLoss",
    },
    "datasets": {
        "videos": "inrvid.data.sources.videos:VideoFolder",
        "ucf101": "inrvid.data.sources.ucf101:Ucf101",
        "frames": "inrvid.data.sources.frames:FrameFolder",
        "zip": "inrvid.data.sources.frames:FrameZip",
        "procedural": "inrvid.data.sources.procedural:ProceduralScenes",
    },
    "detectors": {
        "c3d": "inrvid.evaluation.detectors.c3d:C3d",
        "diagnostics": "inrvid.evaluation.detectors.diagnostics:Diagnostics",
        "efficientnet_lite0": "inrvid.evaluation.detectors.efficientnet_lite0:EfficientNetLite0",
        "i3d": "inrvid.evaluation.detectors.i3d:I3d",
        "i3d_torchscript": "inrvid.evaluation.detectors.torchscript:I3dTorchScript",
        "inception": "inrvid.evaluation.detectors.torchscript:Inception",
        "random": "inrvid.evaluation.detectors.random_features:RandomFeatures",
        "statistics": "inrvid.evaluation.detectors.statistics:Statistics",
        "timm": "inrvid.evaluation.detectors.timm:Timm",
        "videomae": "inrvid.evaluation.detectors.videomae:VideoMae",
    },
    "metrics": {
        "fvd": "inrvid.evaluation.metrics.frechet:Fvd",
        "fid": "inrvid.evaluation.metrics.frechet:Fid",
        "statistics": "inrvid.evaluation.metrics.frechet:Statistics",
        "kvd": "inrvid.evaluation.metrics.kernel:Kvd",
        "precision_recall": "inrvid.evaluation.metrics.precision_recall:PrecisionRecall",
        "diagnostics": "inrvid.evaluation.metrics.diagnostics:Diagnostics",
        "diversity": "inrvid.evaluation.metrics.spread:Diversity",
        "memorisation": "inrvid.evaluation.metrics.spread:Memorisation",
        "inception_score": "inrvid.evaluation.metrics.inception_score:InceptionScore",
    },
}
