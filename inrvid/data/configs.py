"""Configurations of the data sets."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from ..config import MOST, Count, Fps, PartConfig, PathText, Side, Sides


def _different(values: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(values)) < len(values):
        raise ValueError(f"each may be named once, got {', '.join(values)}")
    return values


class DatasetConfig(PartConfig):
    """What every data set has. "The model's rate" is the videos' own, after `fps` and `stride`."""

    path: PathText | None = Field(None, description="where the videos are; --data sets it")
    resolution: Side | Sides = Field(128, description="side, or [height, width], pixels; in a recipe: the generator's")
    clip_length: Annotated[int, Field(ge=1, le=MOST)] = Field(
        16, description="frames of a clip; in a recipe: the generator's"
    )
    fps: Fps | None = Field(None, description="resample all videos to this rate; default: each one's own")
    stride: Count = Field(1, description="keep every n-th frame")
    sampling: Literal["videos", "clips"] = Field(
        "videos", description="what is drawn uniformly: a video, then a clip in it; or a clip (long videos weigh more)"
    )
    xflip: bool = Field(False, description="mirror whole clips with probability ½")
    resize: Literal["center_crop", "squash"] = Field(
        "center_crop", description="center_crop keeps the aspect ratio, squash all of the picture"
    )
    interpolation: Literal["bicubic", "bilinear"] = Field(
        "bicubic", description="of a resize: bicubic with antialiasing; bilinear without (DIGAN's release)"
    )
    labels: bool = Field(False, description="use the videos' classes")
    on_error: Literal["skip", "fail"] = Field("skip", description="what to do with a video that cannot be used")
    workers: Annotated[int, Field(ge=0, le=256)] | Literal["auto"] = Field("auto", description="loader processes")
    in_memory: bool | Literal["auto"] = Field("auto", description="keep all decoded frames in memory; auto: if small")


class FileDatasetConfig(DatasetConfig):
    """Data sets on disk. `path` is needed to open one, not to write a recipe."""

    cut: Literal["whole", "clips"] = Field(
        "whole",
        description="clips: each clip_length frames of a video are a video of their own, with a stride as many "
        "interleaved ones (DIGAN's release, of folders of frames)",
    )


class VideoFolderConfig(FileDatasetConfig):
    pass


class Ucf101Config(FileDatasetConfig):
    split: Literal["train", "test", "all"] = Field("all", description="part of the data")
    split_number: Literal[1, 2, 3] = Field(1, description="which of the three official splits")


class FrameFolderConfig(FileDatasetConfig):
    source_fps: Fps = Field(25.0, description="frame rate of the frames on disk")


class FrameZipConfig(FileDatasetConfig):
    source_fps: Fps = Field(25.0, description="frame rate of the frames in the zip, where it does not say")


class ProceduralScenesConfig(DatasetConfig):
    split: Literal["train", "test"] = Field("train", description="the two have no video in common")
    videos: Annotated[int, Field(ge=1, le=10**6)] = Field(512, description="number of videos")
    frames: Annotated[int, Field(ge=1, le=10**6)] = Field(16, description="frames a video")
    elements: Annotated[tuple[Literal["clouds", "hills", "lake"], ...], Field(strict=False)] = Field(
        ("clouds", "hills", "lake"), description="what there may be beside the sky and its sun or moon"
    )
    times_of_day: Annotated[
        tuple[Literal["dawn", "day", "dusk", "night"], ...],
        Field(strict=False, min_length=1),
        AfterValidator(_different),
    ] = Field(("dawn", "day", "dusk", "night"), description="in equal numbers; with labels, the classes")
