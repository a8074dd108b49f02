"""What a paper published about a recipe's experiment. It says nothing about training: no run depends on it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from ..config import NonNegative, StrictModel

Line = Annotated[str, Field(min_length=1, max_length=200)]
Number = Annotated[int, Field(ge=1, le=1000)]
ScoreName = Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,39}$")]


class PaperConfig(StrictModel):
    """Not inherited by a recipe that extends another: a changed experiment is no longer the paper's."""

    title: Line = Field(description="the paper, by its title or the name that it is known by")
    source: Line | None = Field(None, description="where and when it was published: CVPR 2022")
    table: Number | Annotated[tuple[Number, ...], Field(strict=False, min_length=1, max_length=20)] | None = Field(
        None, description="number, or numbers, of the paper's tables that have the experiment"
    )
    figure: Number | None = Field(None, description="number of the figure that shows it")
    row: Line | None = Field(None, description="its row, or what the paper calls it")
    protocol: Line | None = Field(None, description="how the scores were made: digan, stylegan-v (docs/papers.md)")
    scores: Annotated[dict[ScoreName, NonNegative], Field(max_length=50)] = Field(
        {}, description="published scores by name: {fvd16: 47.41}"
    )
    plus_minus: Annotated[dict[ScoreName, NonNegative], Field(max_length=50)] = Field(
        {}, description="what follows ± in them"
    )
    hardware: Line | None = Field(None, description="what it was trained on: 4 V100")
    days: Annotated[float, Field(gt=0, le=10_000)] | None = Field(None, description="days of training on it, at most")

    @model_validator(mode="after")
    def _deviations_have_scores(self) -> PaperConfig:
        unknown = [name for name in self.plus_minus if name not in self.scores]
        if unknown:
            raise ValueError(f"plus_minus names {', '.join(unknown)}, which scores does not have")
        return self

    @property
    def tables(self) -> tuple[int, ...]:
        """Numbers of its tables."""
        if self.table is None:
            return ()
        return self.table if isinstance(self.table, tuple) else (self.table,)

    @property
    def place(self) -> str:
        """Where it is in the paper: 'table 3, k = 2'; empty if it has no place there."""
        tables = f"table{'s' if len(self.tables) > 1 else ''} {', '.join(map(str, self.tables))}" if self.tables else ""
        figure = f"figure {self.figure}" if self.figure else ""
        return ", ".join(part for part in (tables, figure, self.row) if part)
