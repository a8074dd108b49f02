"""The bank of low-passes: unit gain at any time, continuous, and the filters that the paper's rates give."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from inrvid_long_video.motion.low_pass import LowPassBank, kernel

from inrvid.plugins import periods

PERIODS = periods(5, 16.0, 400.0, "log")
FRACTIONS = torch.linspace(0, 1, 41)


@pytest.fixture(scope="module")
def bank():
    return LowPassBank(5, 16.0, 400.0).double()


def impulses(bank, fractions):
    """Taps at fractions `[n]`: `[n, filters, length]`, what is made of a noise that is 1 in one place."""
    windows = torch.eye(bank.length, dtype=torch.float64).expand(1, len(fractions), -1, -1)
    return bank(windows, fractions[None])[0]


def test_gains_are_of_unit_norm_wherever_between_two_frames(bank):
    norms = impulses(bank, FRACTIONS).norm(dim=2)
    torch.testing.assert_close(norms, torch.ones_like(norms), rtol=0, atol=2e-5)


def test_taps_are_the_continuous_kernel_at_real_times(bank):
    frames = torch.arange(bank.length, dtype=torch.float64) - (bank.reach - 1)
    exact = kernel(FRACTIONS[:, None, None].double() - frames, PERIODS[:, None])
    exact = exact / exact.norm(dim=2, keepdim=True)
    error = (impulses(bank, FRACTIONS) - exact).norm(dim=2)
    assert error.max() < 1e-5


def test_filtered_noise_is_continuous_at_whole_frames(bank):
    """The window moves by one frame there."""
    noise = torch.randn(1, bank.length + 1, 3, dtype=torch.float64)
    windows = torch.stack([noise[:, :-1], noise[:, 1:]], dim=1)
    before, after = bank(windows, torch.tensor([[1.0, 0.0]]))[0]
    torch.testing.assert_close(before, after, rtol=0, atol=1e-5)


@pytest.mark.parametrize("rate", [250, 1000, 10_000])
def test_kernels_are_the_paper_s_filters(rate):
    """A Kaiser-windowed low-pass of cutoff 2 and width 12 at this sampling rate, ⌈rate/2⌉ taps, as SciPy designs it."""
    signal = pytest.importorskip("scipy.signal")
    taps = math.ceil(rate / 2)
    expected = signal.firwin(taps, 2, width=12, fs=rate)
    own = kernel(torch.arange(taps, dtype=torch.float64) - (taps - 1) / 2, torch.tensor(float(rate))).numpy()
    distance = np.abs(own / np.linalg.norm(own) - expected / np.linalg.norm(expected)).max()
    assert distance < 0.5 / rate * (expected.max() / np.linalg.norm(expected))
