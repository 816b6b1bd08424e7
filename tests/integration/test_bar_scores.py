"""The detectors on a real lake: history in one pass equals night by night, nothing is redone."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import pipelines.anomalies.score_blocks
from pipelines.anomalies.detectors import PANEL_DETECTOR
from pipelines.anomalies.prophet_residual import MOST_FORECASTS
from pipelines.anomalies.reviewed_detector import FEWEST_VERDICTS
from pipelines.anomalies.tables import PRICE_ANOMALIES
from tests.support.scored_lake import DAYS, ScoredLake, night, simulated_daily

DAILY = simulated_daily()
LAST = DAYS[-1]
QUARTER = DAYS.index(date(2001, 1, 2))


def through(day: date, rows: pl.DataFrame = DAILY) -> pl.DataFrame:
    """Return the rows of sessions up to a day."""
    return rows.filter(pl.col("session") <= day)


def resent(symbol: str, session: date, factor: float, *, revision: int = 2) -> pl.DataFrame:
    """Return one bar as the vendor sends it, its prices multiplied."""
    return (
        DAILY.filter(symbol=symbol, session=session)
        .with_columns(pl.col("open", "high", "low", "close") * factor, revision=revision)
        .cast({"revision": pl.Int32})
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> ScoredLake:
    """A lake that was filled and judged at once; its tests only read it."""
    lake = ScoredLake.at(tmp_path_factory.mktemp("lakes") / "whole")
    lake.put(DAILY)
    lake.judge(LAST)
    return lake


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> ScoredLake:
    """A lake that tests change, each in bars of its own."""
    lake = ScoredLake.at(tmp_path_factory.mktemp("lakes") / "followed")
    lake.put(DAILY)
    lake.judge(LAST)
    return lake


def test_history_in_one_pass_equals_night_by_night(whole: ScoredLake, tmp_path: Path) -> None:
    """A score would depend on when the history was loaded, or on bars that came after.

    The nights of the second lake know of no later bar; two lie on each side of a quarter's start.
    """
    nightly = ScoredLake.at(tmp_path / "nightly")
    for cut in (DAYS[QUARTER - 2], DAYS[QUARTER - 1], DAYS[QUARTER], DAYS[QUARTER + 1], LAST):
        nightly.put(through(cut))
        nightly.judge(cut)
        assert_frame_equal(nightly.scores(), through(cut, whole.scores()), check_exact=True)
    assert_frame_equal(nightly.fits(), whole.fits(), check_exact=True)
    scored = whole.scores().drop_nulls("p_value")
    assert scored.height > 700
    assert scored["isolation_score"].is_between(0, 1).all()


def test_no_fit_has_seen_a_bar_that_it_judges_or_that_calibrates_it(whole: ScoredLake) -> None:
    """P-values would be better than what they count."""
    fits = whole.fits()
    assert fits["applies_from"].to_list() == [date(2000, 10, 2), date(2001, 1, 2)]
    assert (fits["fitted_through"] < fits["calibrated_through"]).all()
    assert (fits["calibrated_through"] < fits["applies_from"]).all()
    judged = whole.scores().drop_nulls("applies_from")
    assert (judged["applies_from"] <= judged["session"]).all()
    early = through(date(2000, 9, 29), whole.scores())
    assert early["p_value"].null_count() == early.height > 0


def test_judging_again_writes_nothing(whole: ScoredLake) -> None:
    """Every idle night would grow the lake, and wake whoever reads the change feed."""
    version = whole.lake.version()
    assert whole.judge(LAST).bars == 0
    assert whole.lake.version() == version


def test_a_run_that_was_killed_ends_where_it_would_have(
    whole: ScoredLake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A first load that is killed after hours would leave bars that are never judged."""
    monkeypatch.setattr(pipelines.anomalies.score_blocks, "BARS_AT_ONCE", 1)
    killed = ScoredLake.at(tmp_path / "killed")
    killed.put(DAILY)
    blocks = []

    def die_after_four(said: str) -> None:
        blocks.append(said)
        if len(blocks) == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        killed.scoring.bring_up_to_date(night=night(LAST), sessions=[LAST], progress=die_after_four)
    assert 0 < killed.scores().height < whole.scores().height
    killed.judge(LAST)
    assert_frame_equal(killed.scores(), whole.scores(), check_exact=True)
    assert_frame_equal(killed.fits(), whole.fits(), check_exact=True)


def test_a_revised_bar_is_judged_again_alone_withheld_or_not(followed: ScoredLake) -> None:
    """Its old score would stand beside new prices; or a correction would rewrite all of history."""
    before, fits = followed.scores(), followed.fits()
    bad, wild = ("S00001", DAYS[-10]), ("S00002", DAYS[-5])
    followed.put(pl.concat([resent(*bad, 0.1), resent(*wild, 3.0)]), withheld=(bad,))
    assert followed.judge(LAST).bars == 2
    after = followed.scores()
    for symbol, session in (bad, wild):
        row = after.filter(symbol=symbol, session=session).row(0, named=True)
        assert row["is_alert"]
        assert row["revision"] == 2
    key = ["symbol", "session", "revision"]
    values = [name for name in before.columns if name != "is_alert"]
    same = before.join(after, on=key, how="semi")
    kept = after.join(before, on=key, how="semi")
    assert same.height == before.height - 2
    assert_frame_equal(kept.select(values), same.select(values), check_exact=True)
    assert_frame_equal(followed.fits(), fits, check_exact=True)


def test_a_bar_that_is_no_more_has_no_score(followed: ScoredLake) -> None:
    """Dashboards would show an anomaly of a bar that nobody can find."""
    gone = {"symbol": "S00004", "session": DAYS[30]}
    assert followed.scores().filter(**gone).height == 1
    followed.lake.commit(
        lambda writer: writer.connection.execute(
            "DELETE FROM daily_prices WHERE symbol = $symbol AND session = $session", gone
        ),
        night=night(LAST),
        message="a symbol read anew",
    )
    followed.put(DAILY.clear())
    assert followed.judge(LAST).bars == 0
    assert followed.scores().filter(**gone).is_empty()


def test_only_suspects_of_the_night_are_forecast(whole: ScoredLake, tmp_path: Path) -> None:
    """At 10,000 symbols a forecast of each would take the night."""
    assert whole.scores()["prophet_score"].null_count() == whole.scores().height
    lake = ScoredLake.at(tmp_path / "suspects")
    lake.put(through(DAYS[-2]))
    lake.judge(DAYS[-2])
    tonight = DAILY.filter(pl.col("symbol") != "S00001", session=LAST)
    lake.put(pl.concat([tonight, resent("S00001", LAST, 2.0, revision=1)]))
    finding = {
        "symbol": "S00004",
        "session": LAST,
        "data_type": "daily",
        "anomaly_type": "jump",
        "revision": 1,
        "severity": "medium",
        "message": "a jump",
        "evidence": "{}",
        "explanation": None,
        "is_withheld": False,
        "known_at": night(LAST).as_of,
    }
    lake.lake.commit(
        lambda writer: writer.append(PRICE_ANOMALIES, pl.DataFrame([finding])),
        night=night(LAST),
        message="a finding",
    )
    report = lake.judge(LAST)
    asked = lake.scores().drop_nulls("prophet_score")
    assert report.forecasts == asked.height <= MOST_FORECASTS
    assert asked["symbol"].to_list() == ["S00001", "S00004"]
    assert asked["prophet_score"][0] > 5
    alerts = lake.scoring.alerts([LAST])
    assert alerts["symbol"].to_list() == ["S00001"]
    assert "the close moved +" in alerts["message"].item()


def test_verdicts_teach_a_detector_for_later_sessions_alone(tmp_path: Path) -> None:
    """It would know of a bar what a person said of it, or said only later."""
    lake = ScoredLake.at(tmp_path / "verdicts")
    before, landed = DAYS[-3], DAYS[-2]
    lake.put(through(before))
    lake.judge(before)
    ordered = lake.scores().drop_nulls("p_value").sort("p_value", "symbol", "session")
    verdicts = pl.concat(
        [
            ordered.head(FEWEST_VERDICTS).with_columns(resolution=pl.lit("confirm")),
            ordered.tail(FEWEST_VERDICTS).with_columns(resolution=pl.lit("release")),
        ]
    )
    assert lake.scoring.state(night=night(before)).missing_verdicts == FEWEST_VERDICTS
    lake.land_verdicts(verdicts, landed=landed)
    # A night that was opened before the verdicts came does not know of them, run when it may.
    lake.put(DAILY.filter(session=landed))
    lake.judge(before)
    assert lake.scores()["reviewed_score"].null_count() == lake.scores().height
    lake.put(DAILY.filter(session=LAST))
    lake.judge(LAST)
    scores = lake.scores()
    heard = scores.filter(session=LAST).drop_nulls("p_value")["reviewed_score"]
    assert heard.len() > 0
    assert heard.is_between(0, 1).all()
    assert through(landed, scores)["reviewed_score"].null_count() == through(landed, scores).height
    state = lake.scoring.state(night=night(LAST))
    assert state.is_reviewed_heard
    assert state.reviewed["fit_rows"].item() == 2 * FEWEST_VERDICTS
    assert state.reviewed["applies_from"].item() == landed
    assert state.panel["detector"].item() == PANEL_DETECTOR
