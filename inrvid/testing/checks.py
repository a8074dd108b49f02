"""What the checks of all kinds share: the part that is checked, ways to fail, and checks that hold for any part."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ..errors import ConfigError
from ..registry import Registry, registry
from .sizes import small

FEWEST, MOST = 10, 110
"""Characters of a summary."""


class Failed(AssertionError):
    """A check that has failed; the message says what is wrong in a line."""


class Checks:
    """The checks of one component: every method `test_…` is one."""

    kind: ClassVar[str]
    name: ClassVar[str]
    small: ClassVar[Mapping[str, Any]] = {}
    """Keys of its configuration that make it cheap."""

    @property
    def parts(self) -> Registry:
        return registry(self.kind)

    def config(self, **keys: Any) -> dict[str, Any]:
        """Its small configuration as plain data, with those of `keys` that it has."""
        return {**small(self.kind, self.name, **{**self.small, **keys})}

    def build(self, **context: Any) -> Any:
        """Build a small one. The global random state, which initialises weights, is that of seed 0."""
        with torch.random.fork_rng(devices=[]):
            torch.random.default_generator.manual_seed(0)
            return self.parts.build(self.config(), **context)

    def test_is_described(self) -> None:
        """Its docstring's first line says what it is, `source` is text, and every key is documented."""
        summary = self.parts.summary(self.name)
        require(
            FEWEST < len(summary) < MOST,
            f"the docstring's first line has {len(summary)} characters: say what it is in {FEWEST} to {MOST}",
        )
        source = getattr(self.parts.component(self.name), "source", "")
        require(isinstance(source, str), f"source is {source!r}: it is the paper and section, as text")
        fields = self.parts.config_class(self.name).model_fields
        silent = [key for key, field in fields.items() if not field.description]
        require(not silent, f"keys without a description: {', '.join(silent)}")

    def test_configuration_is_plain_data(self) -> None:
        """Its defaults are valid and come back from plain data unchanged; an unknown key is refused."""
        config = self.parts.validate({"type": self.name, **self.small})
        require(config.type == self.name, f"its type is {config.type!r}")
        again = self.parts.validate(config.model_dump(mode="json"))
        require(again == config, "its configuration changes on the way to plain data and back")
        with contextlib.suppress(ConfigError):
            self.parts.validate({"type": self.name, "no_such_key": 1})
            raise Failed("an unknown key is accepted: derive `Config` from PartConfig")


ROUNDED = {"rtol": 1e-4, "atol": 1e-4}
"""Tolerances for what is computed in another order, or in another batch."""


def require(holds: bool, message: str) -> None:
    """Raises Failed with the message unless it holds."""
    if not holds:
        raise Failed(message)


def near(actual: Tensor, expected: Tensor, what: str, *, rtol: float | None = None, atol: float | None = None) -> None:
    """Raises Failed unless the two are close (by default, what float32 rounds), of one shape and type."""
    if actual.shape != expected.shape:
        raise Failed(f"{what}: the shape is {list(actual.shape)}, expected {list(expected.shape)}")
    try:
        torch.testing.assert_close(actual, expected, rtol=rtol, atol=atol)
    except AssertionError:
        distance = (actual.double() - expected.double()).abs().max().item()
        raise Failed(f"{what}: they differ by up to {distance:.2g} ({actual.dtype}, {expected.dtype})") from None


def shaped(tensor: Tensor, shape: tuple[int, ...], what: str) -> None:
    require(tuple(tensor.shape) == shape, f"{what}: the shape is {list(tensor.shape)}, expected {list(shape)}")
    require(bool(tensor.isfinite().all()), f"{what}: some values are not finite")


@contextlib.contextmanager
def case(text: str) -> Iterator[None]:
    """Failures inside are reported with the case: `inr_gan, 3 classes: …`."""
    try:
        yield
    except Failed as error:
        raise Failed(f"{text}: {error}") from None


def without_gradient(module: nn.Module) -> list[str]:
    """Names of trainable parameters that no gradient has reached."""
    learned = [(name, p) for name, p in module.named_parameters() if p.requires_grad]
    return [name for name, p in learned if p.grad is None or not p.grad.abs().sum() > 0]


def require_gradients(module: nn.Module) -> None:
    missing = without_gradient(module)
    require(not missing, f"no gradient reaches {', '.join(missing[:5])}{' and others' if len(missing) > 5 else ''}")


def gradient_distance(module: nn.Module, reference: nn.Module) -> float:
    """Relative L2 distance of all gradients."""
    pairs = list(zip(module.parameters(), reference.parameters(), strict=True))
    pairs = [pair for pair in pairs if pair[1].grad is not None]
    actual, expected = (torch.cat([_gradient(pair[i]) for pair in pairs]) for i in (0, 1))
    require(bool(actual.isfinite().all()), "gradients are not finite")
    return float((actual - expected).norm() / expected.norm())


def _gradient(p: nn.Parameter) -> Tensor:
    return (torch.zeros_like(p) if p.grad is None else p.grad).flatten()
