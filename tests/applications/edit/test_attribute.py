"""Directions between videos with and without something."""

from __future__ import annotations

import pytest
import torch

from inrvid import InrvidError
from inrvid.applications.edit.attribute import fitted, of_labels, of_seeds, read_table
from inrvid.applications.edit.directions import moved, observed_styles

from ..making import model


def unit(vector):
    return torch.nn.functional.normalize(vector.double(), dim=-1)


def test_of_yes_and_no_it_is_the_difference_of_means():
    w = torch.randn(50, 6, generator=torch.Generator().manual_seed(0)) * torch.arange(1.0, 7.0)
    has = torch.arange(50) % 3 == 0
    found = fitted("x", w, has.float(), "by hand").vector[0]
    torch.testing.assert_close(unit(found), unit(w[has].mean(0) - w[~has].mean(0)), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(found.double().norm(), (w.double() @ unit(found)).std(), rtol=1e-5, atol=1e-6)


def test_values_grow_along_it():
    w = torch.randn(4000, 6, generator=torch.Generator().manual_seed(0))
    grows = unit(torch.tensor([1.0, -2.0, 0.0, 0.0, 3.0, 0.0]))
    found = fitted("x", w, 5 + 2 * (w @ grows.float()), "by hand")
    torch.testing.assert_close(unit(found.vector[0]), grows, rtol=0, atol=0.05)
    assert "correlation 1.00 in 4000 videos" in found.how


def test_values_that_mean_nothing_do_not_correlate():
    """Of few videos, of many numbers each; the correlation is that of directions fitted anew without each of them."""
    w = torch.randn(8, 128, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    values = torch.tensor([0.0, 1, 1, 0, 1, 0, 0, 1], dtype=torch.float64)
    along = []
    for left_out in range(8):
        kept = [i for i in range(8) if i != left_out]
        along.append(float(unit(fitted("x", w[kept], values[kept], "").vector[0]) @ (w[left_out] - w[kept].mean(0))))
    expected = float(torch.corrcoef(torch.stack([values.new_tensor(along), values]))[0, 1])
    assert expected < 0.5
    assert f"correlation {expected:.2f} in 8 videos" in fitted("x", w, values, "").how
    alone = torch.zeros(8, dtype=torch.float64)
    alone[3] = 1
    for some, of in ((w[:2], values[:2]), (w, alone)):
        assert "correlation not told: one video alone has another value" in fitted("x", some, of, "").how


def test_of_seeds_it_is_of_their_videos():
    G = model()
    styles = observed_styles(G, range(7, 47))
    values = [float(w[3]) for w in styles]
    found = of_seeds(G, "third", list(zip(range(7, 47), values, strict=True)))
    torch.testing.assert_close(found.vector, fitted("third", styles, torch.tensor(values), "").vector)
    before = G.sample_latents(1, seed=90)
    after = moved(G, before, [(found, 2.0)])
    assert after.ws[0, 0, 3] > G.styles(before)[0, 0, 3]


def test_of_classes_it_leads_from_one_to_the_other():
    G = model(label_dim=3)
    found = of_labels(G, "two", 2, against=0)
    with torch.no_grad():
        means = [
            G.mapping(G.sample_latents(2000, label=c).content, G.sample_latents(2000, label=c).label).mean(0)
            for c in (0, 2)
        ]
    torch.testing.assert_close(unit(found.vector[0]), unit(means[1] - means[0]), rtol=1e-3, atol=1e-3)
    assert of_labels(G, "two", 2).how.startswith("class 2 against all classes")
    with pytest.raises(InrvidError, match="unconditional"):
        of_labels(model(), "two", 2)


@pytest.mark.parametrize("values", [[], [1.0], [2.0, 2.0]])
def test_what_tells_nothing_is_refused(values):
    with pytest.raises(InrvidError, match="all with one value"):
        fitted("x", torch.randn(len(values), 3), torch.tensor(values), "")


def test_tables_are_read(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("\ufeffseed,bright\r\n3, 0.5\r\n\r\n-4,1e3\r\n")
    assert read_table(path) == [(3, 0.5), (-4, 1000.0)]
    path.write_text("1,2\n3,4")
    assert read_table(path) == [(1, 2.0), (3, 4.0)]
    for line in ("5", "5,x", "5,1,2", "1.5,2", "5,nan", "9223372036854775808,1"):
        path.write_text(f"seed,value\n1,2\n{line}\n")
        with pytest.raises(InrvidError, match=r"t.csv:3: expected seed,value \(17,0.5\), got"):
            read_table(path)
    path.write_text("seed,value\n1,2\n")
    with pytest.raises(InrvidError, match="1 rows of seed,value"):
        read_table(path)
    with pytest.raises(InrvidError, match="cannot be read"):
        read_table(tmp_path / "none.csv")
