"""An edit that a judge guides: it comes to like the frame, and the change goes with the video."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from inrvid import InrvidError
from inrvid.applications.edit.directions import moved
from inrvid.applications.edit.guided import GuidedRequest, guided, read_mask

from ..making import model


def redness(frames):
    return -frames[:, 0].mean(dim=(1, 2))


def edit(G, latents, judge=redness, mask=None, **keys):
    return guided(G, latents, judge, GuidedRequest(**keys), name="red", how="redness", mask=mask)


@pytest.mark.parametrize(("generator", "motion"), [("inr_gan", "global"), ("stylegan2", "conv1d")])
def test_the_frame_and_the_video_become_what_is_liked(generator, motion):
    G = model(generator, motion)
    latents = G.sample_latents(1, seed=3)
    direction = edit(G, latents, at=2.0, steps=10)
    assert direction.vector.shape == (G.num_ws, 12)
    assert all(p.grad is None for p in G.parameters())
    t, fresh = torch.arange(6.0), latents.with_motion(G.sample_latents(1, seed=9))
    with torch.no_grad():
        before, after = (G.inr(x)(t)[0] for x in (fresh, moved(G, fresh, [(direction, 1.0)])))
    assert (redness(after) < redness(before) - 0.1).all()


def test_steps_are_adam_s():
    G = model()
    latents = G.sample_latents(1)
    first = edit(G, latents, steps=1, lr=0.1, l2=0.0)
    moved_by = first.vector[first.vector != 0].abs()
    torch.testing.assert_close(moved_by, torch.full_like(moved_by, 0.1), rtol=1e-2, atol=1e-3)
    far, near = (edit(G, latents, steps=20, l2=l2).vector.norm() for l2 in (0.0, 1.0))
    assert near < far / 2


def test_outside_the_mask_the_judge_sees_the_original():
    G = model()
    latents, seen = G.sample_latents(1), []

    def judge(frames):
        seen.append(frames.detach())
        return redness(frames)

    mask = torch.zeros(32, 32)
    mask[:, :16] = 1
    edit(G, latents, judge, mask, steps=3)
    assert torch.equal(seen[0][..., 16:], seen[2][..., 16:])
    assert not torch.allclose(seen[0][..., :16], seen[2][..., :16])
    with torch.no_grad():
        original = G.inr(latents)(0.0)[0]

    def changes(keep):
        edited = moved(G, latents, [(edit(G, latents, judge, mask, steps=10, keep=keep), 1.0)])
        change = (G.inr(edited)(0.0)[0] - original).square()
        return change[..., :16].mean().item(), change[..., 16:].mean().item()

    (inside, outside), (_, free) = changes(100.0), changes(0.0)
    assert outside < free / 2
    assert outside < inside / 2


def test_of_styles_that_were_found():
    G = model()
    latents = moved(G, G.sample_latents(1), [])
    assert edit(G, latents, steps=1).vector.shape == (G.num_ws, 12)


def test_what_cannot_be_is_refused():
    G = model()
    with pytest.raises(InrvidError, match="begins at one video, these are 2"):
        edit(G, G.sample_latents(2))
    with pytest.raises(InrvidError, match="step 0: the loss is not finite"):
        edit(G, G.sample_latents(1), lambda frames: frames.mean((1, 2, 3)) * float("nan"))


def test_a_mask_is_a_picture_of_any_size(tmp_path):
    G = model()
    picture = np.zeros((64, 128, 3), np.uint8)
    picture[:, :64] = 255
    Image.fromarray(picture).save(tmp_path / "m.png")
    mask = read_mask(tmp_path / "m.png", G)
    assert mask.shape == (32, 32)
    assert (mask[:, :16] == 1).all()
    assert (mask[:, 16:] == 0).all()
    (tmp_path / "m.png").write_text("no picture")
    for name in ("m.png", "none.png"):
        with pytest.raises(InrvidError, match=f"{name}: not a picture that can be read"):
            read_mask(tmp_path / name, G)
