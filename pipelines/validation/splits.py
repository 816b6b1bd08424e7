"""Purged walk-forward splits over the sessions of a market, all symbols together.

A fold trains on three slices that follow one another (fit, stop, calibrate) and is tested on the
block after them. Between slices lie the sessions of an embargo, and a row whose label ends in or
after the next slice is dropped (López de Prado, Advances in Financial Machine Learning, ch. 7).
Test blocks stand at fixed ordinals of the session list: sessions added later leave folds as they
were, only the last block grows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import polars as pl

from pipelines.scratch import IN_MEMORY, Scratch, pieces, rows_where


class HistoryTooShortError(ValueError):
    """The market has too few sessions for the slices that were asked for."""

    def __init__(self, *, sessions: int, needed: int, purpose: str) -> None:
        """Say how many sessions there are, how many it takes, and the way out."""
        super().__init__(
            f"{sessions} sessions are too few {purpose}: at least {needed} are needed. "
            "Load a longer history, or lower warm_up, stop or calibrate in the split settings."
        )


class UnusableSliceError(ValueError):
    """A slice of a fold holds nothing to learn from, or learns from the future."""


@dataclass(frozen=True)
class SplitSettings:
    """Lengths, in sessions, of the slices of a fold.

    `warm_up` is the ordinal of the first test session: everything before it is training.
    """

    warm_up: int = 756
    test: int = 252
    stop: int = 126
    calibrate: int = 126
    embargo: int = 5

    def __post_init__(self) -> None:
        """Refuse lengths that leave nothing to fit on."""
        if min(self.test, self.stop, self.calibrate) < 1 or self.embargo < 0:
            message = f"slices need at least one session and the embargo none or more, got {self}"
            raise ValueError(message)
        if self.warm_up <= self.held_out + self.embargo:
            message = (
                f"warm_up is {self.warm_up} sessions, but stop, calibrate and embargoes take "
                f"{self.held_out + self.embargo} of them: raise warm_up or shorten the slices"
            )
            raise ValueError(message)

    @property
    def held_out(self) -> int:
        """Return the sessions between the end of fit and the end of calibrate."""
        return self.stop + self.calibrate + 2 * self.embargo


@dataclass(frozen=True)
class SessionRange:
    """Sessions from `first` to `last`, both included."""

    first: date
    last: date

    def of(self, panel: pl.DataFrame) -> pl.DataFrame:
        """Return the rows of `panel` whose session lies in the range."""
        return rows_where(panel, panel["session"].is_between(self.first, self.last))

    def __str__(self) -> str:
        """Return the range as `2004-01-02 to 2004-12-31`."""
        return f"{self.first} to {self.last}"


@dataclass(frozen=True)
class FoldRows:
    """The purged rows of a fold; `trained_through` is the last label end used for training."""

    fit: pl.DataFrame
    stop: pl.DataFrame
    calibrate: pl.DataFrame
    test: pl.DataFrame
    trained_through: date

    def having(self, columns: Sequence[str], *, scratch: Scratch = IN_MEMORY) -> "FoldRows":
        """Return the rows in which none of `columns` is null, copies of them in `scratch`.

        Raises:
            UnusableSliceError: fit, stop or calibrate has no such row.
        """
        slices = {name: _having(rows, columns, scratch) for name, rows in self._slices.items()}
        for name, rows in slices.items():
            if rows.is_empty():
                message = (
                    f"the {name} slice has no row with {', '.join(columns)}: "
                    "load a longer history or more symbols"
                )
                raise UnusableSliceError(message)
        test = _having(self.test, columns, scratch)
        return FoldRows(**slices, test=test, trained_through=self.trained_through)

    @property
    def training(self) -> pl.DataFrame:
        """Return every row that shapes the model: fit, stop and calibrate."""
        return pl.concat(self._slices.values())

    @property
    def _slices(self) -> dict[str, pl.DataFrame]:
        return {"fit": self.fit, "stop": self.stop, "calibrate": self.calibrate}


@dataclass(frozen=True)
class Fold:
    """Session ranges of one model; `test` is None for the model that serves the future."""

    fit: SessionRange
    stop: SessionRange
    calibrate: SessionRange
    test: SessionRange | None = None

    def rows(self, panel: pl.DataFrame) -> FoldRows:
        """Return the purged rows of each slice of `panel` (session, label_end, anything else).

        Raises:
            UnusableSliceError: a slice is empty, or training would reach the test block.
        """
        test_first = self.test.first if self.test else None
        slices = {
            "fit": _purged(self.fit.of(panel), before=self.stop.first),
            "stop": _purged(self.stop.of(panel), before=self.calibrate.first),
            "calibrate": _purged(self.calibrate.of(panel), before=test_first),
        }
        return FoldRows(
            **slices,
            test=self.test.of(panel) if self.test else panel.clear(),
            trained_through=self._trained_through(slices),
        )

    def _trained_through(self, slices: dict[str, pl.DataFrame]) -> date:
        for name, rows in slices.items():
            if rows.is_empty():
                message = (
                    f"the {name} slice {getattr(self, name)} has no row with a label and all "
                    "features: load a longer history or more symbols"
                )
                raise UnusableSliceError(message)
        last: date = pl.concat(rows["label_end"] for rows in slices.values()).max()  # type: ignore[assignment]
        if self.test is not None and last >= self.test.first:
            message = f"training uses labels through {last}, but the test starts {self.test.first}"
            raise UnusableSliceError(message)
        return last


def walk_forward(sessions: Sequence[date], settings: SplitSettings) -> tuple[Fold, ...]:
    """Return one fold for each test block, oldest first; the last block may still be filling.

    Args:
        sessions: every session of the market from its first on, ascending without repeats.
        settings: lengths of the slices.

    Raises:
        HistoryTooShortError: there is no session left to test on.
    """
    _require_ascending(sessions)
    if len(sessions) <= settings.warm_up:
        raise HistoryTooShortError(
            sessions=len(sessions), needed=settings.warm_up + 1, purpose="for a walk-forward test"
        )
    return tuple(
        _fold_ending(
            sessions,
            settings,
            end=start - settings.embargo,
            test=_range(sessions, start, min(start + settings.test, len(sessions))),
        )
        for start in range(settings.warm_up, len(sessions), settings.test)
    )


def final_fold(sessions: Sequence[date], settings: SplitSettings) -> Fold:
    """Return the fold that trains through the last of `sessions` and serves what comes after.

    No embargo follows its calibrate slice. Between training and test an embargo keeps a measured
    figure from being flattered by rows that share their look-back; this model is measured by the
    future alone, and every label it has seen was over before the session it scores. The figures it
    quotes as its record were measured with the embargo, so at a longer distance than its own.

    Raises:
        HistoryTooShortError: stop and calibrate leave no session to fit on.
    """
    _require_ascending(sessions)
    if len(sessions) <= settings.held_out:
        raise HistoryTooShortError(
            sessions=len(sessions), needed=settings.held_out + 1, purpose="to train a model"
        )
    return _fold_ending(sessions, settings, end=len(sessions), test=None)


def held_back_fold(sessions: Sequence[date], settings: SplitSettings, number: int) -> Fold:
    """Return the fold of a model that is kept from the newest `number` sessions, to be tested on.

    Raises:
        HistoryTooShortError: what is left has no session to fit on.
    """
    _require_ascending(sessions)
    end = len(sessions) - number
    if end <= settings.held_out:
        raise HistoryTooShortError(
            sessions=len(sessions), needed=settings.held_out + number + 1, purpose="to challenge"
        )
    return _fold_ending(sessions, settings, end=end, test=_range(sessions, end, len(sessions)))


def _fold_ending(
    sessions: Sequence[date], settings: SplitSettings, *, end: int, test: SessionRange | None
) -> Fold:
    """Return the fold whose calibrate slice ends just before ordinal `end`."""
    calibrate = end - settings.calibrate
    stop = calibrate - settings.embargo - settings.stop
    return Fold(
        fit=_range(sessions, 0, stop - settings.embargo),
        stop=_range(sessions, stop, calibrate - settings.embargo),
        calibrate=_range(sessions, calibrate, end),
        test=test,
    )


def _range(sessions: Sequence[date], start: int, end: int) -> SessionRange:
    return SessionRange(sessions[start], sessions[end - 1])


def _purged(rows: pl.DataFrame, *, before: date | None) -> pl.DataFrame:
    return rows if before is None else rows_where(rows, rows["label_end"] < before)


def _having(rows: pl.DataFrame, columns: Sequence[str], scratch: Scratch) -> pl.DataFrame:
    lacking = [name for name in columns if rows[name].null_count()]
    return scratch.rows(one.drop_nulls(lacking) for one in pieces(rows)) if lacking else rows


def _require_ascending(sessions: Sequence[date]) -> None:
    for earlier, later in pairwise(sessions):
        if earlier >= later:
            message = f"sessions must ascend without repeats, got {earlier} before {later}"
            raise ValueError(message)
