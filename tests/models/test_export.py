"""Programs of generators: they run without the library, at any size, and are the generator or are not written."""

from __future__ import annotations

import functools
import itertools
import json
import re
import subprocess
import sys
import zipfile
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch

from inrvid import InrvidError, build_generator
from inrvid.errors import ModelError
from inrvid.kernels import recording
from inrvid.models import export
from inrvid.models.program import RECORDS, Program, arguments_of, record
from inrvid.motion.global_motion import GlobalMotion

from ..small import small_generator

pytestmark = pytest.mark.skipif(torch.__version__ < RECORDS, reason="records sizes of the example")

SIDES = {"global": 4, "conv1d": 8, "lstm": 4, "static": 8}
"""Of the frames, by motion: it takes a second to record a block."""

COMBINATIONS = list(itertools.product(("inr_gan", "stylegan2"), SIDES))
ELSEWHERE = (4, 1, 7)
"""Videos, times, spare noises: other numbers than programs are recorded and checked with."""

WITHOUT = """
import pathlib, sys, torch

class Missing:
    def find_spec(self, name, *rest):
        if name.partition(".")[0] == "inrvid":
            raise ImportError("inrvid is not installed here")

sys.meta_path.insert(0, Missing())
results = {}
for file in sorted(pathlib.Path(sys.argv[1]).glob("*.arguments")):
    arguments, beyond = torch.load(file)
    for suffix in (".pt2", ".pt"):
        path = file.with_suffix(suffix)
        about = {"inrvid.json": ""}
        if suffix == ".pt2":
            run = torch.export.load(path, extra_files=about).module()
        else:
            run = torch.jit.load(path, _extra_files=about)
        message = "none"
        try:
            run(*arguments[:2], beyond, *arguments[3:])
        except (RuntimeError, torch.jit.Error) as error:
            message = str(error)
        results[path.name] = (run(*arguments), about["inrvid.json"], message)
assert "inrvid" not in sys.modules
torch.save(results, sys.argv[2])
"""


@functools.cache
def generator(name, motion, seed=1):
    """Half of them conditional; all in training mode, as one that is exported on the way is."""
    classes = 3 if motion in ("conv1d", "lstm") else 0
    keys = {"resolution": SIDES[motion], "input_resolution": 4, "mapping_layers": 1, "label_dim": classes}
    return build_generator(small_generator(name, motion, **keys), seed=seed).train()


@functools.cache
def recorded(name, motion):
    return record(Program(generator(name, motion).eval(), 1.0).eval())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Every combination in both forms, from one recording each, with arguments to try them with."""
    folder = tmp_path_factory.mktemp("programs")
    with pytest.MonkeyPatch.context() as patch:
        for name, motion in COMBINATIONS:
            patch.setattr(export, "record", lambda _, key=(name, motion): recorded(*key))
            for form, suffix in (("export", ".pt2"), ("torchscript", ".pt")):
                export.export_generator(generator(name, motion), folder / f"{name}_{motion}{suffix}", form)
            arguments = arguments_of(generator(name, motion), *ELSEWHERE, seed=9)
            span = generator(name, motion).motion.span
            beyond = torch.full_like(arguments[2], 0.0 if span is None else span.distance * ELSEWHERE[2])
            torch.save((arguments, beyond), folder / f"{name}_{motion}.arguments")
    return folder


@pytest.fixture(scope="module")
def results(folder):
    """What a process that cannot import the library makes of the files, by name."""
    run = [sys.executable, "-W", "ignore", "-c", WITHOUT, str(folder), str(folder / "results")]
    subprocess.run(run, check=True, cwd=folder, env={"OMP_NUM_THREADS": "1"})
    return torch.load(folder / "results")


def expected(name, motion):
    arguments = arguments_of(generator(name, motion), *ELSEWHERE, seed=9)
    with torch.no_grad():
        return Program(generator(name, motion), 1.0).eval()(*arguments)


@pytest.mark.parametrize("suffix", [".pt2", ".pt"])
@pytest.mark.parametrize(("name", "motion"), COMBINATIONS)
def test_a_program_is_the_generator_where_the_library_is_not(results, name, motion, suffix):
    frames, _, _ = results[f"{name}_{motion}{suffix}"]
    model = expected(name, motion)
    assert model.shape == (4, 1, 3, SIDES[motion], SIDES[motion])
    assert (frames - model).abs().max() < 1e-5 * model.abs().max()


@pytest.mark.parametrize("suffix", [".pt2", ".pt"])
@pytest.mark.parametrize("motion", ["conv1d", "lstm", "global"])
def test_a_time_beyond_the_noises_is_refused_as_the_model_does(results, motion, suffix):
    _, _, message = results[f"inr_gan_{motion}{suffix}"]
    assert ("too few noises for these times" in message) == (motion != "global")


def test_it_says_what_its_arguments_are(results):
    _, text, _ = results["stylegan2_conv1d.pt2"]
    about = json.loads(text)
    arguments = arguments_of(generator("stylegan2", "conv1d"), *ELSEWHERE, seed=9)
    sizes = {"B": 4, "T": 1, "L": arguments[1].shape[1]}
    assert [i["name"] for i in about["inputs"]] == ["z", "motion", "t", "label"]
    assert [tuple(sizes.get(n, n) for n in i["shape"]) for i in about["inputs"]] == [x.shape for x in arguments]
    assert "25 a second" in about["inputs"][2]["meaning"]
    assert "0 <= t < 16 * (L - 21)" in about["inputs"][2]["meaning"]
    assert about["output"]["shape"] == ["B", "T", 3, 8, 8]
    assert build_generator(about["generator"]).config == generator("stylegan2", "conv1d").config
    assert results["stylegan2_conv1d.pt"][1].decode() == text


def test_the_page_on_programs_runs(folder, monkeypatch):
    """Its lines, for models of 128 numbers, as one of 12 needs them."""
    monkeypatch.chdir(folder)
    page = Path(__file__).parents[2] / "docs" / "export.md"
    for code in re.findall(r"```python\n(.*?)```", page.read_text(), flags=re.DOTALL):
        scope: dict = {}
        exec(code.replace("128", "12").replace('"model.', '"inr_gan_global.'), scope)
        assert scope["frames"].shape == (4, 16, 3, 4, 4)
        assert json.loads(scope["about"]["inrvid.json"])["resolution"] == 4


@pytest.mark.parametrize("suffix", [".pt2", ".pt"])
def test_it_names_nobodys_files(folder, suffix):
    with zipfile.ZipFile(folder / f"inr_gan_lstm{suffix}") as archive:
        content = b"".join(archive.read(name) for name in archive.namelist() if not name.endswith("inrvid.json"))
    for text in (b"/layers/", b"inrvid", sys.prefix.encode()):
        assert text not in content


def test_arguments_lie_in_memory_as_those_of_others():
    """Compilers of exported programs read any argument by the strides of the recorded one."""
    assert all(x.is_contiguous() for x in arguments_of(generator("inr_gan", "conv1d"), 2, 3, 5, seed=0))


def test_another_generator_s_program_is_not_written(tmp_path, monkeypatch):
    monkeypatch.setattr(export, "record", lambda _: recorded("inr_gan", "static"))
    with pytest.raises(ModelError, match=r"differ from the model's by .* nothing is written"):
        export.export_generator(generator("inr_gan", "static", seed=2), tmp_path / "a.pt2")
    assert list(tmp_path.iterdir()) == []


def test_a_part_that_fixes_sizes_is_refused_by_name(monkeypatch):
    forward = GlobalMotion.forward
    monkeypatch.setattr(GlobalMotion, "forward", lambda self, z, label, t: forward(self, z[: len(z)], label, t))
    with pytest.raises(ModelError, match=r"^inr_gan with the motion global cannot be recorded .*videos[^\n]*$"):
        record(Program(generator("inr_gan", "global"), 1.0).eval())


def test_operations_of_other_libraries_are_refused_by_name(monkeypatch):
    monkeypatch.setattr(recording, "written_out", nullcontext)
    with pytest.raises(ModelError, match=r"it needs inrvid\.bias_act\.default, .*PyTorch has not"):
        record(Program(generator("stylegan2", "static"), 1.0).eval())


@pytest.mark.parametrize(
    ("form", "name", "told"),
    [
        ("torchscrip", "a.pt", "expected export or torchscript. Did you mean 'torchscript'?"),
        ("export", "a.pt", r"export are named \*\.pt2"),
        ("torchscript", "a.pt2", r"torchscript are named \*\.pt$"),
    ],
)
def test_forms_and_names(tmp_path, form, name, told):
    with pytest.raises(InrvidError, match=told):
        export.to_program("no model", tmp_path / name, form)
