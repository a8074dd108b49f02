"""What the library does under Windows' rules for files, as far as they can be imitated."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

RULES = Path(__file__).with_name("windows.py")

TINY = {
    "extends": "quickstart",
    "data": {"videos": 8, "frames": 16},
    "generator": {
        "resolution": 8,
        "z_dim": 8,
        "w_dim": 8,
        "channel_base": 64,
        "channel_max": 8,
        "coord_dim": 4,
        "input_resolution": 4,
        "fmm_rank": 2,
    },
    "discriminator": {"channel_base": 64, "channel_max": 8},
    "train": {
        "kclips": 0.024,
        "batch_size": 8,
        "sample_kclips": 0.016,
        "checkpoint_kclips": 0.008,
        "sample_videos": 2,
        "keep_last": 1,
        "tensorboard": False,
    },
    "eval": {"clips": 8, "metrics": []},
}
TRAIN = ["train", "tiny.yaml", "--run-dir", "run", "--cpu"]
DRAW = ["generate", "run", "--cpu", "--seconds", "0.3", "-o"]


@pytest.mark.skipif(sys.platform != "linux", reason="what is open is told by /proc")
def test_a_training_is_begun_and_gone_on_with_and_drawn_from(tmp_path):
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(TINY), "utf-8")
    under_their_rules(tmp_path, TRAIN)
    under_their_rules(tmp_path, [*TRAIN, "--set", "train.kclips=0.04"])
    under_their_rules(tmp_path, [*DRAW, "drawn.mp4"], [*DRAW, "drawn.mp4"], [*DRAW, "frames"])

    assert [path.name for path in (tmp_path / "run" / "checkpoints").iterdir()] == ["clips-000000000040"]
    assert not [path for path in tmp_path.rglob("*") if "-inrvid-" in path.name or path.name.startswith(".deleted")]
    assert (tmp_path / "drawn.mp4").stat().st_size
    assert len([*(tmp_path / "frames").rglob("*.png")]) > 1


def under_their_rules(folder: Path, *commands: list[str]) -> None:
    command = [sys.executable, str(RULES), json.dumps(commands)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8", timeout=300)
    assert done.returncode == 0, done.stderr
