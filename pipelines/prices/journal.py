"""The journal of revisions: what the vendor changed in history, as rows of `price_revisions`.

Keyed by (symbol, session, revision, from_session, response_id). Written in the transaction that
writes `daily_prices`, so that no change is ever without its entry.
"""

import math
from datetime import datetime

import polars as pl

from pipelines.anomalies.tables import PRICE_REVISIONS
from pipelines.prices.revisions import VALUES

CORRUPTION = "corruption"
ABSURD_FACTOR = 1.5
"""A change by more than this, away from the days around, is a fault of the change itself. Bars in
force are the judge of both: the correction of a bar that was wrong moves towards them."""

FARTHEST = math.log(1e12)
"""What stands, in logs, for the distance to a price that is not above zero."""

_TRADED = ("open", "high", "low", "close")
_KEY = ["symbol", "session"]


def journal_rows(
    changed: pl.DataFrame, in_force: pl.DataFrame, *, night_id: str, as_of: datetime
) -> pl.DataFrame:
    """Return the rows of `price_revisions` for changed bars.

    Args:
        changed: Rows of `pipelines.prices.revisions.revise`; bars that are new leave none.
        in_force: Rows of clean_prices of their symbols, as models used them until now.
        night_id: The night that takes the changes in.
        as_of: Its instant.
    """
    known = changed.filter(pl.col("revision_before").is_not_null())
    is_range = pl.col("is_readjusted").fill_null(value=False)
    rows = pl.concat(
        [_bar_rows(known.filter(~is_range), in_force), _range_rows(known.filter(is_range))]
    )
    return rows.with_columns(
        night_id=pl.lit(night_id),
        known_at=pl.lit(as_of).cast(pl.Datetime("us", "UTC")),
    ).select(PRICE_REVISIONS.column_names)


def _bar_rows(bars: pl.DataFrame, in_force: pl.DataFrame) -> pl.DataFrame:
    """Return a row for each bar that became another revision."""
    is_corrupt = (pl.col("largest_change") > ABSURD_FACTOR) & (
        pl.col("from_neighbours")
        > pl.max_horizontal("former_from_neighbours", pl.lit(ABSURD_FACTOR))
    )
    kind = (
        pl.when(is_corrupt)
        .then(pl.lit(CORRUPTION))
        .when(pl.col("changed").list.contains("split_coefficient"))
        .then(pl.lit("split"))
        .when(pl.col("changed").list.contains("dividend_amount"))
        .then(pl.lit("dividend"))
        .otherwise(pl.lit("correction"))
    )
    figures = ("largest_change", "from_neighbours", "former_from_neighbours")
    used = in_force.select(
        *_KEY, *(pl.col(name).alias(f"{name}_used") for name in VALUES), used_since="known_at"
    )
    was_used = [pl.col(f"{name}_before").eq_missing(pl.col(f"{name}_used")) for name in VALUES]
    return (
        _with_distances(bars, in_force)
        .join(used, on=_KEY, how="left", maintain_order="left")
        .with_columns(was_in_force=pl.all_horizontal(was_used), kind=kind)
        .select(
            *_KEY,
            "revision",
            *(pl.col(f"{name}_before").alias(name) for name in VALUES),
            "changed",
            "kind",
            "was_in_force",
            "response_id",
            from_session="session",
            through_session="session",
            factor=pl.lit(None, dtype=pl.Float64),
            known_before=pl.when("was_in_force").then("used_since").otherwise("known_before"),
            basis_before="basis_before",
            response_before="response_before",
            evidence=pl.struct(figures).struct.json_encode(),
        )
    )


def _range_rows(bars: pl.DataFrame) -> pl.DataFrame:
    """Return one row for each range of bars whose adjusted close one factor explains."""
    ratio = pl.col("adjusted_close") / pl.col("adjusted_close_before")
    ranges = bars.group_by("symbol", "response_id", "action_session", maintain_order=True).agg(
        pl.col("session").min().alias("from_session"),
        pl.col("session").max().alias("through_session"),
        pl.col("action_kind").first().fill_null("correction").alias("kind"),
        factor=ratio.median(),
        bars=pl.len(),
    )
    told = ("known_before", "basis_before", "response_before")
    nothing = {name: bars.schema[name] for name in told} | {
        name: bars.schema[f"{name}_before"] for name in VALUES
    }
    return ranges.with_columns(
        *(pl.lit(None, dtype=kind).alias(name) for name, kind in nothing.items()),
        session=pl.coalesce("action_session", "through_session"),
        revision=pl.lit(0, dtype=pl.Int32),
        changed=pl.lit(["adjusted_close"]),
        was_in_force=pl.lit(value=False),
        evidence=pl.struct("bars").struct.json_encode(),
    ).select(
        *_KEY,
        "revision",
        *VALUES,
        *("changed", "kind", "was_in_force", "response_id", "from_session", "through_session"),
        *("factor", *told, "evidence"),
    )


def _with_distances(bars: pl.DataFrame, in_force: pl.DataFrame) -> pl.DataFrame:
    """Add by which factor a bar changed, and how far it and its former self are from others.

    Others are the bars in force on the days around. A price that is not above zero is as far from
    any other as can be; without another, nothing can be said of a distance: it is null.
    """
    placed = _with_neighbours(bars, in_force)
    expected = pl.col("expected_factor").fill_null(1.0).log()
    adjusted = pl.col("usual_adjusted") + expected
    changes = [
        *(_distance(pl.col(name), _log(f"{name}_before")) for name in _TRADED),
        _distance(pl.col("adjusted_close"), _log("adjusted_close_before") + expected),
    ]
    now = [
        *(_distance(pl.col(name), pl.col("usual")) for name in _TRADED),
        _distance(pl.col("adjusted_close"), adjusted),
    ]
    former = [
        *(_distance(pl.col(f"{name}_before"), pl.col("usual")) for name in _TRADED),
        _distance(pl.col("adjusted_close_before"), pl.col("usual_adjusted")),
    ]
    return placed.with_columns(
        largest_change=pl.max_horizontal(changes).exp(),
        from_neighbours=pl.max_horizontal(now).exp(),
        former_from_neighbours=pl.max_horizontal(former).exp(),
    )


def _distance(price: pl.Expr, usual: pl.Expr) -> pl.Expr:
    """Return how far a price lies from a usual log price, either way, in logs."""
    apart = pl.when(price > 0).then((price.log() - usual).abs())
    return apart.when(usual.is_not_null()).then(FARTHEST)


def _log(name: str) -> pl.Expr:
    """Return the logarithm of a price, null where it is not above zero."""
    return pl.when(pl.col(name) > 0).then(pl.col(name).log())


def _with_neighbours(bars: pl.DataFrame, in_force: pl.DataFrame) -> pl.DataFrame:
    """Add the mean log price, and log adjusted close, of the bars in force right before and after.

    The price is per share as of the bar's own day.
    """
    around = in_force.sort("session").select(
        *_KEY,
        level=_log("close") + _log("split_factor"),
        level_adjusted=_log("adjusted_close"),
        shares="split_factor",
    )
    placed = bars.sort("session")
    for strategy in ("backward", "forward"):
        placed = placed.join_asof(
            around.rename({"shares": f"shares_{strategy}"}),
            on="session",
            by="symbol",
            strategy=strategy,
            allow_exact_matches=False,
            suffix="_after",
            check_sortedness=False,
        )
    own = in_force.select(*_KEY, shares_own="split_factor")
    placed = placed.join(own, on=_KEY, how="left", maintain_order="left")
    shares = pl.coalesce("shares_own", "shares_backward", "shares_forward")
    return placed.with_columns(
        usual=pl.mean_horizontal("level", "level_after") - shares.log(),
        usual_adjusted=pl.mean_horizontal("level_adjusted", "level_adjusted_after"),
    )


def rebuilt_journal(replayed: pl.DataFrame, kept: pl.DataFrame) -> pl.DataFrame:
    """Return the journal of bodies that were read anew.

    Which values models used at the time, and what the change was taken for, is told by the rows
    that were kept, where they tell of the same values. Where none does, a former revision counts as
    used unless it was corrupt itself.

    Args:
        replayed: Rows made by reading anew, every former value taken as used.
        kept: The journal's rows of the same symbols from before.
    """
    identity = [*_KEY, "revision", "from_session", "response_id", *VALUES]
    told = ["kind", "was_in_force", "known_before", "basis_before", "evidence"]
    corrupt = replayed.filter(kind=CORRUPTION).select(
        *_KEY, revision=pl.col("revision") + 1, follows_corrupt=pl.lit(value=True)
    )
    known = kept.select(*identity, *told)
    return (
        replayed.join(corrupt, on=[*_KEY, "revision"], how="left")
        .with_columns(
            was_in_force=pl.col("was_in_force") & pl.col("follows_corrupt").is_null(),
        )
        .join(known, on=identity, how="left", suffix="_kept", nulls_equal=True)
        .with_columns(pl.coalesce(f"{name}_kept", name).alias(name) for name in told)
        .select(PRICE_REVISIONS.column_names)
    )


def as_in_force(stored: pl.DataFrame) -> pl.DataFrame:
    """Return stored bars as if models had used every one."""
    shares = pl.col("split_coefficient").cum_prod().over("symbol")
    return stored.sort(_KEY).with_columns(split_factor=shares)
