"""Prediction: which frame is whose, the baselines by hand, and scores where there is something to compare."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from inrvid import InrvidError
from inrvid.applications import predict as module
from inrvid.applications.predict import BACKWARD, BETWEEN, BLEND, FORWARD, LINE, MODEL, NEAREST, predict
from inrvid.applications.predict_video import predict_video, remove_states
from inrvid.applications.projection import unknowns
from inrvid.applications.projection.search import SearchOptions, search
from inrvid.applications.similarity import psnr, ssim
from inrvid.video_io import to_uint8, write_image, write_video

from .making import generator, own_frames

GIVEN, TIMES = [2.0, 4.0], [0.0, 2.5, 3.0, 4.0, 6.0]


@pytest.fixture(autouse=True)
def few(tmp_path, monkeypatch):
    monkeypatch.setattr(unknowns, "SAMPLES", 50)
    monkeypatch.setenv("INRVID_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module", name="G")
def model():
    return generator()


@pytest.fixture
def found(G):
    given = np.stack([own_frames(G, GIVEN, seed) for seed in (7, 8)])
    return given, predict(G, given, GIVEN, TIMES, SearchOptions.of(steps=2))


def test_places_and_shapes(found):
    _, prediction = found
    assert prediction.times == [0, 2.5, 3, 6]
    assert prediction.places == [BACKWARD, BETWEEN, BETWEEN, FORWARD]
    assert {frames.shape for frames in prediction.frames.values()} == {(2, 4, 16, 16, 3)}
    assert prediction.known[MODEL] == prediction.known[NEAREST] == [True] * 4
    assert prediction.known[BLEND] == prediction.known[LINE] == [False, True, True, False]


def test_the_model_s_frames_are_those_of_its_latents(G, found):
    _, prediction = found
    with torch.no_grad():
        frames = G.inr(prediction.latents)(torch.tensor([0.0, 2.5, 3.0, 6.0, 2.0, 4.0]))
    assert np.array_equal(to_uint8(frames)[:, :4], prediction.frames[MODEL])
    assert np.array_equal(to_uint8(frames)[:, 4:], prediction.projected)


def test_baselines_by_hand(found):
    given, prediction = found
    assert np.array_equal(prediction.frames[NEAREST], given[:, [0, 0, 0, 1]])
    first, second = given[:, 0].astype(float), given[:, 1].astype(float)
    assert np.array_equal(prediction.frames[BLEND][:, 1], (0.75 * first + 0.25 * second + 0.5).astype(np.uint8))


def test_the_line_of_latents_goes_from_one_frame_s_to_the_other_s(G):
    """Between stills of one frame twice there is no way to go."""
    frame = own_frames(G, [0.0])
    prediction = predict(
        G, np.stack([frame[0], frame[0]])[None], [0, 4], [1, 2], SearchOptions.of(steps=4, learning_rate=1e-9)
    )
    line = prediction.frames[LINE][0]
    assert np.array_equal(line[0], line[1])
    moved = predict(G, own_frames(G, [0.0, 4.0])[None], [0, 4], [1, 3], SearchOptions.of(steps=12))
    first, second = moved.frames[LINE][0].astype(int)
    assert np.abs(first - second).max() > 0


def test_frames_alone_are_those_around_what_is_asked_for(G, monkeypatch):
    alone = []
    monkeypatch.setattr(module, "search", lambda G, x, *a, **k: alone.append(len(x)) or search(G, x, *a, **k))
    given = own_frames(G, [0.0, 2.0, 4.0, 6.0])[None]
    few = predict(G, given, [0, 2, 4, 6], [1, 9], SearchOptions.of(steps=2))
    assert alone == [1, 2]
    more = predict(G, given, [0, 2, 4, 6], [1, 3], SearchOptions.of(steps=2))
    assert alone == [1, 2, 1, 3]
    assert np.abs(few.frames[LINE][:, 0].astype(int) - more.frames[LINE][:, 0]).max() <= 1


def test_scores_are_means_where_something_is_known(G, found):
    _, prediction = found
    truth = np.stack([own_frames(G, prediction.times, seed) for seed in (7, 8)])
    scores = prediction.scores(truth, [True, True, False, True])
    assert set(scores[BLEND]) == {BETWEEN}
    assert scores[MODEL][BETWEEN].frames == 2
    ours, real = prediction.frames[MODEL][:, 1], truth[:, 1]
    assert scores[MODEL][BETWEEN].ssim == pytest.approx(ssim(ours, real).mean())
    assert scores[MODEL][BETWEEN].psnr == pytest.approx(psnr(ours, real).mean())


def test_nothing_to_predict(G):
    frames = own_frames(G, GIVEN)[None]
    for at, times in ((GIVEN, GIVEN), ([4.0, 2.0], [3.0])):
        with pytest.raises(InrvidError, match="to predict"):
            predict(G, frames, at, times, SearchOptions.of(steps=1))


def test_of_a_video(G, tmp_path):
    """Half the model's rate: its frames lie two apart. Frames behind its end are predicted, and not scored."""
    G.save_pretrained(tmp_path / "model")
    greys = 40 * np.arange(6, dtype=np.uint8)
    write_video(tmp_path / "v.mp4", np.broadcast_to(greys[:, None, None, None], (6, 16, 16, 3)), 12.5)
    found = predict_video(
        tmp_path / "model",
        tmp_path / "v.mp4",
        [1, 2],
        [0, 3, 7],
        SearchOptions.of(steps=2),
        cpu=True,
        folder=tmp_path / "out",
    )
    assert found.prediction.given == [2, 4]
    assert found.prediction.times == [0, 6, 14]
    assert found.there == [True, True, False]
    assert found.scores[MODEL][FORWARD].frames == 1
    assert found.reproduced is not None
    assert found.reproduced.ssim == pytest.approx(ssim(found.prediction.projected[0], found.given).mean())
    assert found.numbers()["reproduced"]["frames"] == 2
    assert found.all_times() == [0, 2, 4, 6, 14]
    truth, there = found.at_all_times()
    assert there == [True, True, True, True, False]
    assert np.abs(truth.mean((1, 2, 3)) - [0, 40, 80, 120, 0]).max() < 3
    assert np.array_equal(found.at_all_times(MODEL)[0][1], found.prediction.projected[0, 0])
    remove_states(tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_what_no_video_is(G, tmp_path):
    G.save_pretrained(tmp_path / "model")
    write_image(tmp_path / "p.png", own_frames(G, [0.0])[0])
    with pytest.raises(InrvidError, match="a photograph has no other frames"):
        predict_video(tmp_path / "model", tmp_path / "p.png", [0], cpu=True)
    write_video(tmp_path / "v", own_frames(G, [0.0, 1.0]), 25)
    with pytest.raises(InrvidError, match="some frames are given, and others predicted"):
        predict_video(tmp_path / "model", tmp_path / "v", [0, 1], [1], cpu=True)
