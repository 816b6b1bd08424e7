"""Who used bars that the vendor has changed since: models, signals and published prices.

SQL for the lake, one query over the journal `price_revisions`. What was seen from an instant before
a change used the former values, if they were in force. Ranges of readjusted closes are left out:
the adjusted close is no input.
"""

LONGEST_MEMORY_SESSIONS = 400
"""Sessions that any feature looks back: weights that fade away end there."""


def uses_query(*, memory_sessions: int = LONGEST_MEMORY_SESSIONS) -> str:
    """Return SQL for all that used the former values of changed bars.

    A row is one use: the change (`symbol`, `session`, `revision`, `kind`, `changed_at`), what used
    it (`used_by`: model, or a collection), `model_version` and `night_id` where there is one, and
    `document`, the model or the key of the document. A model has used a bar from its
    `trained_through` back, and all signals that it made with it; a signal has used the bars of its
    own symbol that its features reach.
    """
    return f"""
WITH change AS (
    SELECT symbol, session, revision, kind, known_at AS changed_at
    FROM price_revisions WHERE revision > 0 AND was_in_force
),
numbered AS (SELECT session, row_number() OVER (ORDER BY session) AS number FROM exchange_sessions),
score AS (
    SELECT signal_scores.*, nights.as_of, numbered.number
    FROM signal_scores JOIN nights USING (night_id)
    LEFT JOIN numbered ON numbered.session = signal_scores.session
),
model AS (
    SELECT model_version, max(trained_through) AS trained_through, min(as_of) AS used_since,
           arg_min(night_id, as_of) AS night_id
    FROM score WHERE model_version IS NOT NULL GROUP BY model_version
),
of_models AS (
    SELECT change.*, model.* EXCLUDE (used_since)
    FROM change JOIN model ON model.trained_through >= change.session
                          AND model.used_since < change.changed_at
),
of_nights AS (
    SELECT used.* EXCLUDE (trained_through, night_id), score.night_id,
           score.session AS scored, count(*) AS signals
    FROM of_models AS used JOIN score USING (model_version)
    WHERE score.as_of < used.changed_at
    GROUP BY ALL
),
of_prices AS (
    SELECT change.*, arg_max(nights.night_id, nights.as_of) AS night_id
    FROM change JOIN nights ON nights.is_published AND nights.session >= change.session
                           AND nights.as_of < change.changed_at
    GROUP BY ALL
)
SELECT symbol, session, revision, kind, changed_at, 'model' AS used_by, model_version, night_id,
       format('signal v{{}}, trained through {{}}', model_version, trained_through) AS document
FROM of_models
UNION ALL
SELECT symbol, session, revision, kind, changed_at, 'ml_signals, by their model', model_version,
       night_id, format('{{}} signals of {{}}', signals, scored)
FROM of_nights
UNION ALL
SELECT change.*, 'ml_signals, by their features', score.model_version, score.night_id,
       format('{{}}, {{}}, horizon {{}}', score.symbol, score.session, score.horizon)
FROM change JOIN score ON score.symbol = change.symbol AND score.session >= change.session
                      AND score.as_of < change.changed_at
LEFT JOIN numbered ON numbered.session = change.session
WHERE score.raw_probability IS NOT NULL
  AND coalesce(score.number - numbered.number, 0) <= {memory_sessions}
UNION ALL
SELECT symbol, session, revision, kind, changed_at, 'stock_price_daily, _weekly and _monthly',
       NULL, night_id, format('{{}}, {{}}', symbol, session)
FROM of_prices
ORDER BY ALL
""".strip()
