"""Beginning a run from the weights of a model (`train.init`)."""

from __future__ import annotations

from ..errors import InrvidError
from ..models.files import DISCRIMINATOR, GENERATOR, Network
from ..models.pretrained import load_beside, load_generator
from ..schedule import Cosine
from ..text import rounded
from .run import Run

LEAST = 0.05
"""If less than this fraction of a generator's numbers fits, another model was meant."""

OLD = 0.2
"""If more than this fraction of the moving average stays what it was, the user is told."""

NAMED = 3
"""How many of the weights that do not fit are reported by name."""


def begin_from(run: Run, model: str) -> None:
    """Take the weights of a model: the moving average and, where it has them, G as the optimizer left it and D.

    What is missing or does not fit starts afresh, and is reported; in place of a missing G stands the moving average.
    Step and optimizers begin at zero, and the moving average keeps its full half-life: it has no untrained weights to
    forget.

    Raises:
        InrvidError: no such model, or next to nothing of its generator fits.
    """
    with run.group.one_first(run.accelerator.is_local_main_process):  # the others find a download in the cache
        average = load_generator(model)
        moved = load_beside("generators", model, GENERATOR)
        critic = load_beside("discriminators", model, DISCRIMINATOR)
    training = run.training
    if (theirs := average.config["type"]) != (own := run.recipe.generator.type):  # what it has to compute takes a while
        run.say(f"init: {own} begins with what it can use of {model}, which is {theirs}")
    if _take(run, run.generator, average, f"generator of {model}") < LEAST:
        raise InrvidError(
            f"train.init: next to nothing of the generator of {model} ({average.config['type']}) fits this recipe's "
            f"({run.recipe.generator.type}): train by the model's own recipe (in its config.json), or without --init"
        )
    if moved is None or moved.config["type"] != training.G.config["type"]:  # a second stage begins with the average
        training.G.load_state_dict(run.generator.state_dict())
    else:
        _take(run, training.G, moved, f"generator of {model} as its optimizer left it")
    if critic is None:
        run.say(f"init: {model} has no discriminator: it starts anew")
    else:
        _take(run, training.D, critic, f"discriminator of {model}")
    _tell_what_stays(run, model)


def _tell_what_stays(run: Run, model: str) -> None:
    """What is saved and shown is the moving average: in a training that is short for its half-life it hardly moves."""
    train = run.recipe.train
    if isinstance(train.ema_kclips, Cosine) or not train.ema_kclips:
        return
    stays = 0.5 ** (train.kclips / train.ema_kclips)
    if stays > OLD:
        run.say(
            f"note: train.ema_kclips is {train.ema_kclips:g}: after {train.kclips:g} thousand clips, {stays:.0%} of "
            f"the moving average, which is what is shown and saved, is still {model}; to see what was learned, "
            f"--set train.ema_kclips={rounded(train.kclips / 10, 2)}"
        )


def _take(run: Run, network: Network, source: Network, what: str) -> float:
    """Take the weights that fit, by name and shape; returns which fraction of the network's numbers they are."""
    own, theirs = network.state_dict(), network.adopted(source)
    fitting = {name: x for name, x in theirs.items() if name in own and own[name].shape == x.shape}
    network.load_state_dict({**own, **fitting})
    anew = sorted(own.keys() - fitting.keys())
    unused = sorted(theirs.keys() - fitting.keys() - own.keys())
    told = f"{len(fitting)} of {len(own)} weights"
    for names, fate in ((anew, "start anew"), (unused, "have no place here")):
        if names:
            more = f" and {len(names) - NAMED} others" if len(names) > NAMED else ""
            told += f"; {', '.join(names[:NAMED])}{more} {fate}"
    run.say(f"init: the {what}: {told}")
    return sum(own[name].numel() for name in fitting) / sum(x.numel() for x in own.values())
