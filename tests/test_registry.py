"""Plugins are found from metadata, imported when needed, and break nothing when broken."""

from __future__ import annotations

import shutil
import sys
import textwrap
import warnings
from pathlib import Path

import jsonschema
import pytest

from inrvid import InrvidError, build_generator, load_recipe, registry
from inrvid.components import BUILT_IN
from inrvid.errors import ConfigError
from inrvid.inventory import ignored_plugins

REGISTRY = registry.registry


def install(folder, package, entry_points, **modules):
    """A distribution on the path: what `pip install` leaves behind."""
    info = folder / f"{package}-1.2.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text("[inrvid.plugins]\n" + entry_points)
    for name, text in modules.items():
        (folder / f"{name}.py").write_text(textwrap.dedent(text))


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("inrvid.packages._told", set())
    registry.plugins.cache_clear()
    before = set(sys.modules)
    yield tmp_path
    registry.plugins.cache_clear()
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and Path(sys.modules[name].__file__).is_relative_to(tmp_path):
            del sys.modules[name]


WOBBLE = """
    import torch
    from inrvid.motion.base import Motion, MotionHead
    from inrvid.config import PartConfig

    class WobbleConfig(PartConfig):
        rate: float = 1.0

    class Head(MotionHead):
        def __init__(self, width):
            super().__init__()
            self.width = width
        def forward(self, state, w):
            return state[..., None].sin().expand(-1, -1, self.width)

    class Wobble(Motion):
        Config = WobbleConfig
        def sample_noise(self, draws):
            return draws.normal(0)
        def head(self, width, w_dim):
            return Head(width)
        def forward(self, noise, label, t):
            return t * self.config.rate
"""


def test_plugin_is_known_before_it_is_imported_and_then_works(site):
    install(site, "wobble", "motions.wobble = wobble_motion:Wobble\n", wobble_motion=WOBBLE)
    assert "wobble" in REGISTRY("motions").names()
    entry = REGISTRY("motions").entry("wobble")
    assert (entry.package, entry.version) == ("wobble", "1.2")
    assert "wobble_motion" not in sys.modules
    recipe = load_recipe("quickstart", ["generator.motion.type=wobble", "generator.motion.rate=2.0"])
    G = build_generator(recipe.generator)
    frames = G.inr(G.sample_latents(1))(__import__("torch").tensor([0.0, 1.0]))
    assert not frames[0, 0].equal(frames[0, 1])
    with pytest.raises(InrvidError, match=r"generator\.motion\.rat: unknown key\. Did you mean 'rate'"):
        load_recipe("quickstart", ["generator.motion.type=wobble", "generator.motion.rat=2.0"])


def test_a_class_of_a_script_is_added(monkeypatch, tmp_path):
    space = {}
    exec(textwrap.dedent(WOBBLE), space)
    motions = REGISTRY("motions")
    monkeypatch.setattr(motions, "_added", {})
    written = {"type": "inr_gan", "motion": {"type": space["Wobble"]}}
    with pytest.raises(InrvidError, match=r"registry\('motions'\)\.add\('NAME', Wobble\)"):
        build_generator(written)
    with pytest.raises(InrvidError, match="does not say which motion it is of"):
        build_generator({"type": "inr_gan", "motion": space["WobbleConfig"](rate=2.0)})
    motions.add("wobble", space["Wobble"])
    assert "wobble" in motions.names()
    assert type(build_generator({"type": "inr_gan", "motion": {"type": "wobble"}}).motion) is space["Wobble"]
    assert load_recipe("quickstart", {"generator.motion.type": "wobble"}).generator.motion.type == "wobble"
    motions.add("wobble", type("Again", (space["Wobble"],), {}))  # a cell that ran again
    assert motions.component("wobble").__name__ == "Again"
    with pytest.raises(InrvidError, match="motion 'conv1d' is inrvid's: add yours under another name"):
        motions.add("conv1d", space["Wobble"])
    with pytest.raises(InrvidError, match="has no `Config` derived from PartConfig: docs/plugins"):
        motions.add("none", int)
    assert "none" not in motions.names()


def test_saved_model_names_the_missing_plugin(site, tmp_path):
    install(site, "wobble", "motions.wobble = wobble_motion:Wobble\n", wobble_motion=WOBBLE)
    from inrvid import VideoGenerator

    G = build_generator(load_recipe("quickstart", ["generator.motion.type=wobble"]).generator)
    G.save_pretrained(tmp_path / "model")
    VideoGenerator.from_pretrained(tmp_path / "model")
    (site / "wobble-1.2.dist-info" / "entry_points.txt").write_text("")
    registry.plugins.cache_clear()
    with pytest.raises(InrvidError, match=r"needs motions\.wobble, of wobble 1\.2: pip install wobble"):
        VideoGenerator.from_pretrained(tmp_path / "model")


def test_a_resolved_recipe_records_the_packages_of_its_parts(site, tmp_path):
    install(site, "wobble", "motions.wobble = wobble_motion:Wobble\n", wobble_motion=WOBBLE)
    assert "requires" not in load_recipe("quickstart", ["requires=[elsewhere]"]).to_dict()
    saved = tmp_path / "recipe.yaml"
    saved.write_text(load_recipe("quickstart", ["generator.motion.type=wobble"]).to_yaml())
    assert load_recipe(saved).requires == ("wobble==1.2",)
    shutil.rmtree(site / "wobble-1.2.dist-info")
    registry.plugins.cache_clear()
    with pytest.raises(InrvidError) as caught:
        load_recipe(saved)
    message = str(caught.value)
    assert "recipe.yaml:" in message
    assert "no motion named 'wobble'. A package that is not installed may bring it." in message
    assert message.startswith("the recipe requires wobble==1.2, which is not installed: pip install wobble\n")
    install(site, "wobble", "")
    with pytest.raises(InrvidError, match=r"requires wobble==1\.3, 1\.2 is installed: pip install 'wobble==1\.3'"):
        load_recipe({"extends": "quickstart", "requires": ["wobble==1.3"], "generator": {"motion": {"type": "wobble"}}})
    with pytest.raises(InrvidError, match=r"requires\.0: should be a package as pip takes it"):
        load_recipe("quickstart", ["requires=[no package]"])


def test_broken_plugin_is_named_and_breaks_nothing_else(site):
    install(site, "broken", "motions.broken = broken_motion:Broken\n", broken_motion="import no_such_module_at_all\n")
    assert "broken" in REGISTRY("motions").names()
    with pytest.raises(
        InrvidError, match=r"broken 1\.2, which failed to import \(broken_motion:Broken\): ModuleNotFoundError"
    ):
        load_recipe("quickstart", ["generator.motion.type=broken"])
    load_recipe("quickstart")
    assert REGISTRY("motions").json_schema()["anyOf"]


def test_plugin_without_configuration_breaks_nothing_else(site):
    install(site, "bare", "motions.bare = bare_motion:Bare\n", bare_motion="class Bare: pass\n")
    with pytest.raises(InrvidError, match=r"'bare' of bare 1\.2 \(bare_motion:Bare\) has no `Config`"):
        load_recipe("quickstart", ["generator.motion.type=bare"])
    assert REGISTRY("motions").json_schema()["anyOf"]


def test_a_part_that_cannot_be_made_names_its_class(site):
    install(site, "wobble", "motions.wobble = wobble_motion:Wobble\n", wobble_motion=FAILING)
    with pytest.raises(InrvidError) as caught:
        REGISTRY("motions").build({"type": "wobble"}, z_dim=4, label_dim=0, clip_length=16)
    told = "motion 'wobble' of wobble 1.2 (wobble_motion:Wobble) cannot be made: AttributeError: cannot assign module"
    assert str(caught.value).startswith(told)
    assert isinstance(caught.value.__cause__, AttributeError)


FAILING = """
    from torch import nn
    from inrvid.plugins import PartConfig
    class Wobble(nn.Module):
        class Config(PartConfig):
            pass
        def __init__(self, config, **context):
            self.linear = nn.Linear(1, 1)
"""

NESTING = """
    from typing import Annotated
    from inrvid.plugins import PartConfig, PartOf
    class Nesting:
        class Config(PartConfig):
            base: Annotated[PartConfig, PartOf("augments")] = {"type": "none"}
"""


def test_a_part_within_one_of_its_own_kind_has_a_schema(site):
    install(site, "nesting", "augments.nesting = nesting_augment:Nesting\n", nesting_augment=NESTING)
    schema = jsonschema.Draft202012Validator(REGISTRY("augments").json_schema())
    assert schema.is_valid({"type": "nesting", "base": {"type": "none"}})
    assert not schema.is_valid({"type": "nesting", "base": 1})
    assert not schema.is_valid({"type": "nesting", "bas": {}})
    assert not schema.is_valid({"type": "none", "base": {}})
    inside = REGISTRY("augments").config_class("nesting").model_json_schema()["properties"]["base"]
    assert len(inside["anyOf"]) == len(REGISTRY("augments").names())


CALLED = """
    from typing import Any
    from inrvid.plugins import PartConfig
    class Called:
        class Config(PartConfig):
            call: Any = None
            @classmethod
            def model_json_schema(cls, *args, **keys):
                raise RuntimeError("none")
"""


def test_a_plugin_without_a_schema_breaks_nothing_else(site):
    install(site, "called", "motions.called = called_motion:Called\n", called_motion=CALLED)
    assert "called" not in [choice["title"] for choice in REGISTRY("motions").json_schema()["anyOf"]]


def test_entry_points_of_no_kind_are_told(site):
    install(site, "typo", "motion.wobble = x:Y\nwobble = x:Y\n")
    told = ignored_plugins()
    assert [line.partition(":")[0] for line in told] == ["motion.wobble of typo 1.2", "wobble of typo 1.2"]


def test_two_claims_of_one_name_are_refused(site):
    install(site, "wobble", "motions.wobble = wobble_motion:Wobble\n", wobble_motion=WOBBLE)
    install(site, "usurper", "motions.wobble = wobble_motion:Wobble\n")
    with pytest.raises(ConfigError, match=r"'wobble' is claimed by \S+ 1\.2 and \S+ 1\.2: uninstall"):
        REGISTRY("motions").entry("wobble")
    load_recipe("quickstart")


def test_a_name_of_the_library_s_own_stays_its_own(site):
    install(site, "usurper", "motions.global = wobble_motion:Wobble\n", wobble_motion=WOBBLE)
    told = "motion 'global' is the library's own: that of usurper 1.2 is ignored"
    with pytest.warns(UserWarning, match=told):
        assert not REGISTRY("motions").entry("global").is_plugin
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # it is told once
        assert load_recipe("quickstart").generator.motion.sigma_t == 0.5
    assert ignored_plugins() == [told]
    assert "wobble_motion" not in sys.modules


@pytest.mark.parametrize(
    ("needed", "fits"),
    [
        ("inrvid>=9", False),
        ("Inrvid (<0.1)", False),
        ("inrvid!=0.1.0 ; python_version > '3'", False),
        ("inrvid>=0.1,<1", True),
        ("inrvid>=9 ; extra == 'new'", True),
        ("not a requirement", True),
    ],
)
def test_a_package_for_other_versions_is_refused_in_a_line(site, needed, fits, monkeypatch):
    monkeypatch.setattr("inrvid.packages.__version__", "0.1.0")
    install(site, "wobble", "motions.wobble = wobble_motion:Wobble\n", wobble_motion=WOBBLE)
    with (site / "wobble-1.2.dist-info" / "METADATA").open("a") as metadata:
        metadata.write(f"Requires-Dist: {needed}\n")
    assert "wobble" in REGISTRY("motions").names()
    jsonschema.Draft202012Validator.check_schema(REGISTRY("motions").json_schema())
    if fits:
        REGISTRY("motions").entry("wobble")
        return
    with pytest.raises(InrvidError) as caught:
        load_recipe("quickstart", ["generator.motion.type=wobble"])
    message = str(caught.value)
    assert message.startswith(
        "--set  generator.motion.type: motion 'wobble' comes from wobble 1.2, which needs inrvid "
    )
    assert message.endswith(", this is 0.1.0: pip install -U inrvid wobble, or uninstall it")
    assert "\n" not in message
    load_recipe("quickstart")


def test_every_kind_s_built_in_parts_are_listed():
    assert set(BUILT_IN) <= set(registry.REGISTRIES)


def test_a_kind_of_which_there_is_none():
    kinds = registry.Registry("things", "thing")
    jsonschema.Draft202012Validator.check_schema(kinds.json_schema())
    assert not jsonschema.Draft202012Validator(kinds.json_schema()).is_valid({"type": "a"})
    with pytest.raises(ConfigError, match=r"no thing named 'a'\. .*\n  available: none "):
        kinds.entry("a")


def test_unknown_kind():
    with pytest.raises(InrvidError, match="Did you mean 'motions'"):
        REGISTRY("motion")
