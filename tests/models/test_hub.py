"""Publishing and loading by the real client, over TCP, and everything that can go wrong on the way."""

from __future__ import annotations

import sys

import pytest
import torch
from huggingface_hub import constants

from inrvid import InrvidError, VideoGenerator, build_discriminator, build_generator, registry
from inrvid.discriminators.base import Discriminator
from inrvid.models import hub as transport
from inrvid.models.pretrained import load_beside

from ..small import small_generator
from ..test_registry import WOBBLE, install
from .hub_server import hub


@pytest.fixture
def remote(monkeypatch, tmp_path):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    with hub(monkeypatch) as state:
        yield state


@pytest.fixture(name="G")
def make_generator():
    return build_generator(small_generator("inr_gan", "global"), seed=3)


@pytest.fixture
def published(remote, G):
    G.push_to_hub("me/model", clips=7)
    return remote


def refusal(name="me/model", **options):
    with pytest.raises(InrvidError) as caught:
        VideoGenerator.from_pretrained(name, **options)
    assert "\n" not in str(caught.value).split("\n  (there is no folder")[0]
    return str(caught.value)


def same(first, second):
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    return first.config == second.config and all(torch.equal(a, b) for a, b in pairs)


def test_round_trip(published, G):
    assert same(VideoGenerator.from_pretrained("me/model"), G)
    assert published.repos["me/model"].lfs == {"model.safetensors"}
    card = published.files["me/model", "README.md"]
    assert b"library_name: inrvid" in card  # by which the Hub counts it


def test_a_card_that_is_there_stays(published, G, tmp_path):
    (tmp_path / "card").mkdir()
    (tmp_path / "card" / "README.md").write_text("mine")
    transport.push(tmp_path / "card", "me/model")
    build_generator(small_generator("inr_gan", "global"), seed=4).push_to_hub("me/model")
    assert published.files["me/model", "README.md"] == b"mine"


def test_a_discriminator_alone_and_beside_a_generator(remote, G, tmp_path):
    D = build_discriminator({"type": "dual", "resolution": 16, "channel_base": 64, "channel_max": 8}, seed=5)
    D.push_to_hub("me/critic")
    assert same(Discriminator.from_pretrained("me/critic"), D)
    G.save_pretrained(tmp_path / "model")
    D.save_pretrained(tmp_path / "model" / "discriminator")
    transport.push(tmp_path / "model", "me/both")
    assert same(Discriminator.from_pretrained("me/both"), D)
    assert same(VideoGenerator.from_pretrained("me/both"), G)
    fetched = transport.fetch_all("me/both")
    assert same(Discriminator.from_pretrained(fetched), D)


def test_pushing_twice_the_same_is_one_commit(published, G, tmp_path):
    before = len(published.repos["me/model"].commits)
    G.save_pretrained(tmp_path / "model", clips=7)
    again = transport.push(tmp_path / "model", "me/model")
    assert not again.new
    assert len(published.repos["me/model"].commits) == before == 2  # one made the repository
    (tmp_path / "model" / "notes.txt").write_text("more")
    assert transport.push(tmp_path / "model", "me/model").new
    assert len(published.repos["me/model"].commits) == 3


def test_files_of_ours_that_are_no_more_go_and_others_stay(published, G, tmp_path):
    folder = tmp_path / "model"
    G.save_pretrained(folder, clips=7)
    for name in ("samples/old.png", "notes.txt"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("x")
    transport.push(folder, "me/model")
    for name in ("samples/old.png", "notes.txt"):
        (folder / name).unlink()
    transport.push(folder, "me/model", own=["samples/*"])
    assert sorted(published.repos["me/model"].files) == [
        ".gitattributes", "README.md", "config.json", "model.safetensors", "notes.txt",
    ]  # fmt: skip


def test_a_revision_is_loaded_as_it_was(published, G):
    old = published.repos["me/model"].commits[-1][0]
    other = build_generator(small_generator("inr_gan", "global"), seed=4)
    other.push_to_hub("me/model")
    assert same(VideoGenerator.from_pretrained("me/model", revision=old), G)
    assert same(VideoGenerator.from_pretrained("me/model"), other)
    assert "me/model: has no revision nonsense" in refusal(revision="nonsense")


@pytest.mark.parametrize("file", ["model.safetensors", "config.json"])
def test_corrupt_bytes_of_the_right_size_are_refused_and_not_kept(published, G, file):
    published.damages = {file}
    assert f"me/model: {file} was damaged on its way" in refusal()
    published.damages = set()
    assert same(VideoGenerator.from_pretrained("me/model"), G)


def test_without_a_network_the_cache_serves(published, G, monkeypatch):
    VideoGenerator.from_pretrained("me/model")
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    assert same(VideoGenerator.from_pretrained("me/model"), G)
    monkeypatch.setattr(constants, "ENDPOINT", "http://nowhere.invalid")  # a name that leads nowhere is not asked
    assert same(VideoGenerator.from_pretrained("me/model"), G)
    assert refusal("me/other").startswith(
        "me/other: the Hub cannot be reached, and this is not in the cache: nowhere.invalid: "
    )
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert same(VideoGenerator.from_pretrained("me/model"), G)
    assert "me/other: the Hub cannot be reached, and this is not in the cache" in refusal("me/other")


@pytest.mark.parametrize(
    "ask",
    [
        lambda folder: transport.published_models(),
        lambda folder: transport.fetch_all("me/other"),
        lambda folder: transport.has("me/other", "config.json"),
        lambda folder: transport.push(folder, "me/other"),
    ],
    ids=["list", "fetch_all", "has", "push"],
)
def test_without_a_network_nothing_waits_for_the_hub(ask, published, tmp_path, monkeypatch):
    monkeypatch.setattr(constants, "ENDPOINT", "http://nowhere.invalid")
    monkeypatch.setattr("huggingface_hub.HfApi", lambda **keys: Silent())
    with pytest.raises(InrvidError, match=r"the Hub cannot be reached.*: nowhere\.invalid: "):
        ask(tmp_path)


class Silent:
    """A client that must not be asked."""

    def __getattr__(self, name):
        raise AssertionError(f"{name} was asked")


def test_only_a_name_that_nobody_knows_leads_nowhere(monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setattr(constants, "ENDPOINT", "https://localhost")
    assert transport._no_address() == ""
    monkeypatch.setattr(constants, "ENDPOINT", "https://nowhere.invalid")
    assert transport._no_address().startswith("nowhere.invalid: ")
    monkeypatch.setenv("NO_PROXY", "nowhere.invalid")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    assert transport._no_address() != ""
    monkeypatch.delenv("NO_PROXY")
    assert transport._no_address() == ""  # the proxy looks names up


def test_a_private_repository_is_for_who_is_logged_in(remote, G, monkeypatch):
    G.push_to_hub("me/secret", private=True)
    assert same(VideoGenerator.from_pretrained("me/secret"), G)
    monkeypatch.setenv("HF_TOKEN", "")
    assert "me/secret: not on the Hub, or private, or the token has expired: log in with" in refusal("me/secret")
    assert same(VideoGenerator.from_pretrained("me/secret", token="hf_test"), G)


def test_an_expired_token_is_told(remote, G, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_old")
    with pytest.raises(InrvidError, match=r"me/model: .*the token has expired: log in with: hf auth login"):
        G.push_to_hub("me/model")
    assert "the token has expired" in refusal()


def test_what_is_not_there_is_told(remote):
    assert "me/nothing: not on the Hub, or private" in refusal("me/nothing")
    assert "(there is no folder of that name either)" in refusal("me/nothing")
    assert "not the name of a Hub repository" in refusal("me/no thing")


@pytest.mark.parametrize("fault", ["drops_uploads", "refuses_commits"])
def test_a_push_that_fails_leaves_the_repository_as_it_was(published, fault, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # between the client's attempts
    before = published.repos["me/model"].commits[:]
    other = build_generator(small_generator("inr_gan", "global"), seed=4)
    setattr(published, fault, 500)
    with pytest.raises(
        InrvidError,
        match=r"^me/model: .*(reset by peer|closed|disconnected|the Hub refused).*nothing was published: try again",
    ) as caught:
        other.push_to_hub("me/model")
    assert "\n" not in str(caught.value)
    assert published.repos["me/model"].commits == before
    setattr(published, fault, None)
    other.push_to_hub("me/model")
    assert same(VideoGenerator.from_pretrained("me/model"), other)


def test_a_first_push_that_fails_tells_of_the_empty_repository(remote, G):
    remote.refuses_commits = 500
    with pytest.raises(InrvidError, match=r"nothing was published: try again \(me/model was made, and is empty\)"):
        G.push_to_hub("me/model")
    remote.refuses_commits = None
    G.push_to_hub("me/model")
    assert same(VideoGenerator.from_pretrained("me/model"), G)


def test_a_model_that_names_an_unknown_component_says_what_to_install(remote, G, tmp_path, monkeypatch):
    G.save_pretrained(tmp_path / "model")
    config = (tmp_path / "model" / "config.json").read_text()
    config = config.replace(
        '"motions.global": {\n      "package": "inrvid"', '"motions.waves": {\n      "package": "inrvid-waves"'
    )
    (tmp_path / "model" / "config.json").write_text(config)
    transport.push(tmp_path / "model", "me/waves")
    assert "needs motions.waves, of inrvid-waves 0.1.0: pip install inrvid-waves" in refusal("me/waves")


def test_a_model_of_another_package_goes_there_and_back(remote, tmp_path, monkeypatch):
    """Without the package nothing of it is imported; with it frames are the same, bit for bit."""
    site = tmp_path / "site"
    monkeypatch.syspath_prepend(site)
    install(site, "wobble", "motions.wobble = wobble_motion:Wobble\n", wobble_motion=WOBBLE)
    registry.plugins.cache_clear()
    try:
        G = build_generator({**small_generator("inr_gan", "global"), "motion": {"type": "wobble"}}, seed=3)
        G.push_to_hub("me/wobble")
        latents, t = G.sample_latents(2, seed=1), torch.tensor([[0.0, 2.5]] * 2)
        with torch.no_grad():
            assert torch.equal(VideoGenerator.from_pretrained("me/wobble")(latents, t), G.eval()(latents, t))
        (site / "wobble-1.2.dist-info" / "entry_points.txt").write_text("")
        registry.plugins.cache_clear()
        sys.modules.pop("wobble_motion")
        assert "needs motions.wobble, of wobble 1.2: pip install wobble" in refusal("me/wobble")
        assert "wobble_motion" not in sys.modules
    finally:
        registry.plugins.cache_clear()
        sys.modules.pop("wobble_motion", None)


def test_what_is_not_known_without_a_network_is_not_taken_for_absent(remote, G, tmp_path, monkeypatch):
    """A discriminator that was never fetched would silently start anew."""
    G.save_pretrained(tmp_path / "model")
    build_discriminator({"type": "dual", "resolution": 16, "channel_base": 64, "channel_max": 8}).save_pretrained(
        tmp_path / "model" / "discriminator"
    )
    transport.push(tmp_path / "model", "me/both")
    VideoGenerator.from_pretrained("me/both")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(InrvidError, match=r"me/both: the Hub cannot be reached, and whether there is discriminator/"):
        load_beside("discriminators", "me/both", "discriminator")


def test_hidden_files_stay_and_links_elsewhere_are_refused(remote, G, tmp_path):
    folder = tmp_path / "model"
    G.save_pretrained(folder)
    (folder / ".env").write_text("TOKEN=1")
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_text("x")
    transport.push(folder, "me/model")
    assert sorted(remote.repos["me/model"].files) == [".gitattributes", "config.json", "model.safetensors"]
    (tmp_path / "secret.txt").write_text("x")
    (folder / "notes.txt").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(InrvidError, match=r"notes\.txt: a link to a file elsewhere"):
        transport.push(folder, "me/model")


def test_a_hub_that_is_out_of_order_is_as_none(published, G, monkeypatch):
    """Its cache serves what was verified, and a card is not taken for missing."""
    VideoGenerator.from_pretrained("me/model")
    published.fails = {"paths-info": 503}
    assert same(VideoGenerator.from_pretrained("me/model"), G)
    before = published.files["me/model", "README.md"]
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    published.fails = {"README.md": 503}
    other = build_generator(small_generator("inr_gan", "global"), seed=4)
    with pytest.raises(InrvidError, match="the Hub"):
        other.push_to_hub("me/model")
    assert published.files["me/model", "README.md"] == before
