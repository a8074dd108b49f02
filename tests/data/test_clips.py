"""Training clips are functions of (seed, step, sample): not of processes, workers or restarts."""

from __future__ import annotations

import errno
import itertools
import multiprocessing
import shutil
import time
import warnings
from collections import Counter

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from inrvid.data.clips import Clips, loader, worker_count
from inrvid.data.memory import InMemory, bytes_in_memory, kept_in_memory
from inrvid.data.open import open_dataset
from inrvid.data.parallel import cpus
from inrvid.errors import DataError
from inrvid.random import SampleKey
from inrvid.registry import registry

from .making import write_video


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Classes of one video each: 8, 8 and 24 frames; brightness rises to the right and with the frame."""
    root = tmp_path_factory.mktemp("videos")
    for number, (name, frames) in enumerate({"a/1": 8, "b/2": 8, "c/3": 24}.items()):
        content = [ramp(number, frame) for frame in range(frames)]
        write_video(root / f"{name}.mp4", content, g="6", crf="10")
    return root


def ramp(video: int, frame: int) -> np.ndarray:
    columns = np.arange(32) * 2 + video * 50 + frame * 3
    return np.broadcast_to(columns[None, :, None], (32, 32, 3)).astype(np.uint8)


def clips(root, seed=0, **config) -> Clips:
    config = {"type": "videos", "path": str(root), "resolution": 32, "clip_length": 8, **config}
    sampler = registry("time_samplers").build({"type": "beta_pair", "clip_length": 8})
    return Clips(registry("datasets").build(config), sampler, seed)


def take(batches, count=3):
    return [{name: tensor.clone() for name, tensor in batch.items()} for batch in itertools.islice(batches, count)]


def assert_same(first, second):
    assert len(first) == len(second)
    for one, other in zip(first, second, strict=True):
        for name in ("frames", "t", "label"):
            assert torch.equal(one[name], other[name]), name


def test_a_clip(root):
    item = clips(root, labels=True)[SampleKey(0, 3, 5)]
    assert item["frames"].shape == (2, 3, 32, 32)
    assert item["frames"].dtype == torch.uint8
    assert item["t"].dtype == torch.float32
    assert 0 <= item["t"][0] <= item["t"][1] <= 7
    assert item["label"].tolist() in [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert clips(root)[SampleKey(0, 3, 5)]["label"].shape == (0,)


def test_the_frames_are_those_of_the_times(root):
    data = clips(root, labels=True)
    for sample in range(20):
        item = data[SampleKey(0, 0, sample)]
        first, last = (int(frame.float().mean().round()) for frame in item["frames"])
        assert last - first == pytest.approx(3 * float(item["t"][1] - item["t"][0]), abs=2)
        video = int(item["label"].argmax())
        assert first >= ramp(video, int(item["t"][0])).mean() - 2


def share_of_the_long_video(root, sampling) -> float:
    data = clips(root, labels=True, sampling=sampling)
    drawn = Counter(int(data[SampleKey(0, step, 0)]["label"].argmax()) for step in range(300))
    return drawn[2] / 300


def test_sampling(root):
    assert share_of_the_long_video(root, "videos") == pytest.approx(1 / 3, abs=0.09)
    assert share_of_the_long_video(root, "clips") == pytest.approx(17 / 19, abs=0.06)  # 24 − 8 + 1 of 1 + 1 + 17


def test_xflip_mirrors_whole_clips_half_of_the_time(root):
    plain, flipped = clips(root), clips(root, xflip=True)
    mirrored = 0
    for sample in range(100):
        frames = flipped[SampleKey(0, 0, sample)]["frames"].float()
        slopes = (frames[..., -1] - frames[..., 0]).mean(dim=(1, 2)).sign()
        assert slopes[0] == slopes[1]
        mirrored += int(slopes[0] < 0)
        frames = plain[SampleKey(0, 0, sample)]["frames"].float()
        assert (frames[..., -1] > frames[..., 0]).all()
    assert 30 <= mirrored <= 70


def test_shares_of_two_processes_make_the_batch_of_one(root):
    data = clips(root)
    whole = take(loader(data, range(6), workers=0))
    shares = [take(loader(data, [3 * i, 3 * i + 1, 3 * i + 2], workers=0)) for i in range(2)]
    joined = [{name: torch.cat([a[name], b[name]]) for name in a} for a, b in zip(*shares, strict=True)]
    assert whole[0]["frames"].shape[0] == 6
    assert_same(whole, joined)


def test_workers_change_nothing(root):
    data = clips(root)
    assert_same(take(loader(data, range(4), workers=0), 4), take(loader(data, range(4), workers=2), 4))


def test_a_worker_that_dies_does_not_interrupt_what_runs_meanwhile(root):
    """Not even where another loader of this process has set PyTorch's signal handler before."""
    next(iter(DataLoader([0, 1], num_workers=1)))
    batches = loader(clips(root), range(4), workers=1)
    next(batches)
    workers = multiprocessing.active_children()
    assert workers
    for worker in workers:
        worker.kill()
    time.sleep(0.5)  # time for the signal to come; `join` would hide the death from PyTorch's handler
    with pytest.raises(RuntimeError, match="DataLoader worker"):
        take(batches, 100)


def test_a_restart_goes_on_where_it_was(root):
    data = clips(root)
    assert_same(
        take(loader(data, range(4), workers=0), 5)[3:], take(loader(data, range(4), start_step=3, workers=0), 2)
    )


def test_memory_changes_nothing(root):
    data = clips(root)
    kept = Clips(InMemory(data.dataset), data.time_sampler, 0)
    assert_same(take(loader(data, range(4), workers=0)), take(loader(kept, range(4))))


def test_what_is_drawn_is_drawn_once_and_when_it_is_read(monkeypatch):
    data = open_dataset({"type": "procedural", "resolution": 8, "videos": 3, "clip_length": 2})
    whole, asked, draw = data.read(1, range(16)), [], data.read
    monkeypatch.setattr(data, "read", lambda video, frames: asked.append(video) or draw(video, frames))
    kept = InMemory(data)
    assert asked == []
    assert np.array_equal(kept.read(1, [9, 2]), whole[[9, 2]])
    assert np.array_equal(kept.read(1, [15]), whole[[15]])
    assert asked == [1]


def test_memory_auto(root, monkeypatch):
    data = clips(root).dataset
    size = 40 * 32 * 32 * 3
    assert bytes_in_memory(data) == size
    monkeypatch.setattr("inrvid.data.memory.AUTO_BYTES", size)
    assert isinstance(kept_in_memory(data), InMemory)
    monkeypatch.setattr("inrvid.data.memory.AUTO_BYTES", size - 1)
    assert kept_in_memory(data) is data
    assert isinstance(kept_in_memory(clips(root, in_memory=True).dataset), InMemory)


def test_memory_offers_what_the_data_set_does(root):
    data = clips(root, labels=True).dataset
    data.left_out = {".heic": 1}
    kept = InMemory(data)
    assert (len(kept), kept.fps, kept.fingerprint, kept.classes) == (3, 25, data.fingerprint, ["a", "b", "c"])
    assert kept.summary() == data.summary()
    assert np.array_equal(kept.read(2, [20, 1]), data.read(2, [20, 1]))


def test_automatic_workers(root):
    data = clips(root).dataset
    assert worker_count(InMemory(data), "auto", 1) == 0
    assert worker_count(data, "auto", 1) == max(1, min(8, cpus() - 1))
    assert worker_count(data, "auto", 10**6) == 1


def copied(root, target):
    return shutil.copytree(root, target, dirs_exist_ok=True)


@pytest.fixture
def losing(root, tmp_path):
    """Three videos are indexed, then the first is replaced by something else."""
    data = clips(copied(root, tmp_path), labels=True)
    (tmp_path / "a/1.mp4").write_bytes(b"gone")
    return data


def test_a_video_that_breaks_costs_one_sample(losing, root):
    intact = clips(root, labels=True)
    with pytest.warns(RuntimeWarning, match=r"a/1\.mp4") as warned:
        got = [losing[SampleKey(0, 0, sample)] for sample in range(40)]
    assert len(warned) == 1
    expected = [intact[SampleKey(0, 0, sample)] for sample in range(40)]
    assert any(item["label"][0] == 1 for item in expected)
    for item, other in zip(got, expected, strict=True):
        assert item["label"][0] == 0
        if other["label"][0] == 0:  # the others are drawn as if nothing had happened
            assert torch.equal(item["frames"], other["frames"])


def test_what_takes_its_place_is_drawn_by_the_key(losing):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert_same(take(loader(losing, range(6), workers=0)), take(loader(losing, range(6), workers=2)))
        kept = Clips(InMemory(losing.dataset), losing.time_sampler, 0)
        assert_same(take(loader(losing, range(6), workers=0)), take(loader(kept, range(6))))


def test_on_error_fail_stops_at_the_first_one(root, tmp_path):
    data = clips(copied(root, tmp_path), on_error="fail")
    (tmp_path / "a/1.mp4").write_bytes(b"gone")
    with pytest.raises(DataError, match=r"a/1\.mp4: not a video"):
        take(loader(data, range(40), workers=0), 1)


@pytest.mark.parametrize("workers", [0, 1])
def test_no_video_left(losing, workers):
    for record in losing.dataset.records:
        (losing.dataset.path / record.name).unlink(missing_ok=True)
    batches = loader(losing, range(2), workers=workers)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(DataError, match="100 videos in a row could not be read") as caught:
            next(batches)
    assert "Traceback" not in str(caught.value)
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("memory", [False, True])
def test_the_fingerprint_does_not_look_at_the_disk(root, tmp_path, memory):
    """It is asked for at each checkpoint, whatever has become of the videos."""
    intact = clips(root).dataset.fingerprint
    data = clips(copied(root, tmp_path / "videos")).dataset
    data = InMemory(data) if memory else data
    shutil.rmtree(tmp_path / "videos")
    assert data.fingerprint == intact


def test_a_folder_that_vanishes_says_why(root, tmp_path):
    data = clips(copied(root, tmp_path / "videos"))
    shutil.rmtree(tmp_path / "videos")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(DataError, match=r"videos in a row could not be read; .* The last one: .*No such file"):
            data[SampleKey(0, 0, 0)]


@pytest.mark.parametrize("workers", [0, 1])
def test_too_many_open_files_are_one_line_and_no_videos_fault(root, monkeypatch, workers):
    data = clips(root)

    def read(video, frames):
        raise OSError(errno.EMFILE, "Too many open files", "a.mp4")

    monkeypatch.setattr(data.dataset, "read", read)
    with pytest.raises(DataError, match="Too many open files") as caught:
        next(loader(data, range(2), workers=workers))
    assert "\n" not in str(caught.value)


@pytest.fixture
def many():
    """Clips of many videos by formulas, as a function of the training's seed."""
    data = {"type": "procedural", "resolution": 16, "videos": 500, "frames": 16, "clip_length": 2}
    sampler = registry("time_samplers").build({"type": "beta_pair", "clip_length": 2})
    return lambda seed: Clips(registry("datasets").build(data), sampler, seed)


def test_the_seed_of_a_training_decides_its_batches(many):
    first, other = (next(loader(many(seed), range(4), workers=0)) for seed in (0, 1))
    assert not torch.equal(first["frames"], other["frames"])


def test_every_part_of_a_key_is_another_clip(many):
    first = many(0)[SampleKey(0, 0, 0)]
    assert_same([first], [many(0)[SampleKey(0, 0, 0)]])
    for key in (SampleKey(1, 0, 0), SampleKey(0, 1, 0), SampleKey(0, 0, 1)):
        assert not torch.equal(first["frames"], many(0)[key]["frames"])
