"""The path through W: where it begins, what it takes from a first stage, what stays as it is."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from inrvid_mocogan_hd.generators.principal import principal_axes, styles

from inrvid import Grid, InrvidError, VideoGenerator, build_generator
from inrvid.plugins import Draws, ExplicitNoise, registry
from inrvid.testing import small_recipe, train

SIZES = {"resolution": 32, "clip_length": 8, "z_dim": 12, "w_dim": 12, "mapping_layers": 2}
IMAGE = {"type": "stylegan2", "channel_base": 256, "channel_max": 16, "motion": {"type": "static"}}
NOISY = {"type": "stylegan2_noise", "channel_base": 256, "channel_max": 16, "motion": {"type": "static"}}


def path(image=IMAGE, seed=1, **keys):
    own = {"type": "mocogan_hd", **SIZES, "image": image, "n_pca": 6, "pca_samples": 5000, **keys}
    return build_generator({**own, "motion": {"type": "latent_walk", "code_dim": 8}}, seed=seed)


def pictures_of(image=IMAGE, seed=7):
    return build_generator({**image, **SIZES}, seed=seed)


@torch.no_grad()
def test_second_stage_begins_with_the_first():
    """Its weights, the principal axes of its W; frame 0 is the picture of z."""
    first, G = pictures_of().eval(), path()
    G.load_state_dict({**G.state_dict(), **G.adopted(first)})
    latents = G.eval().sample_latents(3)
    frames = G.inr(latents)(torch.tensor([-5.0, 0.0, 3.0]))
    pictures = first.inr(first.sample_latents(3))(0.0)
    torch.testing.assert_close(frames[:, :1], pictures, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(frames[:, 1], frames[:, 0])  # before 0 it stands still
    assert (frames[:, 2] - frames[:, 1]).abs().amax() > 1e-4
    z = Draws.of_seeds(range(4000), "some").normal(12)
    deviations = principal_axes(iter([first.mapping(z, z[:, :0])])).norm(dim=1)[:6]
    torch.testing.assert_close(G.axes.norm(dim=1), deviations, rtol=0.1, atol=1e-3)
    apart = G.axes @ G.axes.mT
    torch.testing.assert_close(apart, apart.diagonal().diag(), rtol=0, atol=1e-4)


def test_principal_axes_do_not_depend_on_chunks():
    x = torch.randn(400, 5, generator=torch.Generator().manual_seed(0)) * torch.tensor([3.0, 1, 0.5, 2, 0.1]) + 100
    expected = torch.linalg.svd(x - x.mean(0), full_matrices=False)
    axes = principal_axes(iter(x.split(7)))
    torch.testing.assert_close(axes.norm(dim=1), expected.S / 399**0.5, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(
        ((axes / axes.norm(dim=1, keepdim=True)) @ expected.Vh.mT).abs(), torch.eye(5), rtol=0, atol=1e-3
    )


def test_styles_are_functions_of_seed_and_number():
    def mapping(z, label):
        return torch.cat([z, label], dim=1)

    def drawn(count):
        options = {"z_dim": 3, "label_dim": 2, "seed": 5, "device": torch.device("cpu")}
        return torch.cat(list(styles(mapping, count=count, **options)))

    assert torch.equal(drawn(4100)[:7], drawn(7))
    assert drawn(4).tolist()[1][3:] == [0.0, 1.0]


def test_only_the_motion_learns(tmp_path):
    """In a training from a first stage: pictures are its, in the generator and its average."""
    first = pictures_of(seed=3).eval()
    first.save_pretrained(tmp_path / "first")
    config = path().config | {"motion": {"type": "latent_walk", "code_dim": 8, "recognises": True}}
    parts = {
        "generator": config,
        "discriminator": {"type": "mocogan_hd", "frames": 4, "width": 4, "channel_max": 16},
        "time_sampler": {"type": "consecutive", "max_frames": 4},
        "loss": {"type": "mocogan_hd", "generator_steps": 2},
    }
    training = train(tmp_path / "run", small_recipe(parts), f"train.init={tmp_path / 'first'}").training
    for G in (training.G, training.ema.module):
        for name, value in first.state_dict().items():
            assert torch.equal(G.image.state_dict()[name], value), name
        assert torch.equal(G.axes, training.G.axes)
    fresh = build_generator(config, seed=0).head
    assert not torch.equal(fresh.out.weight, training.G.head.out.weight)
    assert not torch.equal(training.G.axes, torch.eye(6, 12))


def test_image_generator_has_its_keys_from_the_video_generator():
    G = path(label_dim=3)
    assert (G.image.resolution, G.image.label_dim, G.image.z_dim) == (32, 3, 12)
    assert "resolution" not in G.config["image"]
    with pytest.raises(InrvidError, match=r"image\.resolution is 64, but resolution is 32: leave it out"):
        path({**IMAGE, "resolution": 64})


@pytest.mark.parametrize(
    "image",
    [
        NOISY,
        {
            "type": "inr_gan",
            "channel_base": 256,
            "channel_max": 16,
            "coord_dim": 6,
            "input_resolution": 16,
            "fmm_rank": 2,
            "motion": {"type": "conv1d", "code_dim": 8},
        },
    ],
)
@torch.no_grad()
def test_any_image_generator(image):
    G = path(image).eval()
    G.axes.mul_(20)
    frames = G.inr(G.sample_latents(2))(torch.tensor([0.0, 4.0]))
    assert (frames[:, 0] - frames[:, 1]).abs().amax() > 1e-3
    torch.testing.assert_close(G.inr(G.sample_latents(2)[1])(4.0)[0, 0], frames[1, 1], rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_truncation_moves_the_whole_path():
    G = path().eval()
    G.image.mapping.w_average.normal_(generator=torch.Generator().manual_seed(0))
    latents = G.sample_latents(2)
    average = G.inr_of_ws(G.image.mapping.w_average.expand(2, G.num_ws, -1), latents.motion[:0], latents.label)
    frames = G.inr(latents, truncation=0.0)(torch.tensor([0.0, 3.0]))
    expected = G.image.render(G.image.modulate(average.phi["ws"]), torch.zeros(2, 1), torch.zeros(2, 1), _grid(G))
    torch.testing.assert_close(frames, expected.expand(-1, 2, -1, -1, -1), rtol=1e-4, atol=1e-4)


def _grid(G):
    from inrvid import Grid

    return Grid(G.resolution, G.resolution)


@torch.no_grad()
def test_noise_is_the_video_s():
    """The same for all its frames, a function of its latent; none where there is none."""
    G = path(NOISY).eval()
    for layer in G.image.layers:
        layer.strength.fill_(1.0)
    video = G.inr(latents := G.sample_latents(2))
    assert torch.equal(video.phi["noise.4"][1], G.inr(latents[1]).phi["noise.4"][0])
    maps = video.phi["noise.4"]
    assert abs(maps.std() - 1) < 0.1
    assert not torch.equal(maps[0], maps[1])
    G.axes.zero_()
    frames = video(torch.tensor([0.0, 5.0]))
    torch.testing.assert_close(frames[:, 0], frames[:, 1])
    G.image.noise = "never"
    assert not any(name.startswith("noise.") for name in G.inr(latents).phi)
    assert (G.inr(latents)(0.0) - frames[:, :1]).abs().amax() > 1e-2


@pytest.mark.parametrize("distance", [1.0, 2.5])
@torch.no_grad()
def test_walk_is_linear_between_steps(distance):
    motion = registry("motions").build(
        {"type": "latent_walk", "code_dim": 8, "distance": distance}, z_dim=6, label_dim=0, clip_length=8
    )
    head, w = motion.head(5, 4), torch.randn(2, 4)
    noise = ExplicitNoise(torch.randn(2, 9, 6))
    t = torch.tensor([[0.0, 1, 2, 1.5, 1.25, -3]]).expand(2, -1) * distance
    start, one, two, middle, quarter, before = head(motion(noise, torch.zeros(2, 0), t), w).unbind(dim=1)
    assert not start.any()
    assert not before.any()
    torch.testing.assert_close(middle, (one + two) / 2)
    torch.testing.assert_close(quarter, one + (two - one) / 4)
    # a step is a function of the noises up to it
    other = noise.values.clone()
    other[:, 1:] += 1
    moved = head(motion(ExplicitNoise(other), torch.zeros(2, 0), t), w)
    torch.testing.assert_close(moved[:, 1], one)
    assert not torch.allclose(moved[:, 2], two)


def test_saved_and_loaded(tmp_path):
    G = path(NOISY).eval()
    G.axes.normal_()
    G.save_pretrained(tmp_path)
    latents = G.sample_latents(1)
    torch.testing.assert_close(VideoGenerator.from_pretrained(tmp_path).inr(latents)(3.0), G.inr(latents)(3.0))


@pytest.mark.parametrize("image", [IMAGE, NOISY], ids=["stylegan2", "stylegan2_noise"])
def test_given_styles_are_what_is_drawn(image):
    """A projection seeks them."""
    G = path(image).eval()
    latents = G.sample_latents(2)
    ws = torch.randn(2, G.num_ws, 12, generator=torch.Generator().manual_seed(0)).requires_grad_()
    t = torch.tensor([0.0, 2.0])
    given = G.inr(dataclasses.replace(latents, ws=ws))(t)
    assert torch.equal(given, G.inr_of_ws(ws, latents.motion, latents.label)(t))
    (gradient,) = torch.autograd.grad(given.square().sum(), ws)
    assert gradient.abs().amin(2).max() > 0
    half = G.inr(dataclasses.replace(latents, ws=ws), truncation=0.5)
    torch.testing.assert_close(half(0.0), G.inr_of_ws(G.w_average.lerp(ws, 0.5), latents.motion, latents.label)(0.0))


@pytest.mark.parametrize("image", [IMAGE, NOISY], ids=["stylegan2", "stylegan2_noise"])
def test_it_says_what_its_pictures_say(image):
    """Where styles enter, and which grids there are."""
    G = path(image)
    assert torch.equal(G.style_weights(), G.image.style_weights())
    assert len(G.style_weights()) > 30  # of all layers
    with pytest.raises(InrvidError, match="draws only the whole frame, at 32x32"):
        G.check_grid(Grid(64, 64))


def test_sides_are_those_of_its_pictures():
    coordinates = {"type": "inr_gan", "channel_base": 256, "channel_max": 16, "input_resolution": 16}
    assert path({**coordinates, "motion": {"type": "static"}}).side_multiple == 2
