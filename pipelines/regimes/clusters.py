"""States by clustering sessions: a Gaussian mixture, and k-means on principal components.

Both look at sessions without their order; how states follow one another is counted afterwards, so
that the same filter serves them. They see smoothed columns alone: of a day's own return they would
learn its sign, and change state 20 to 40 times a year (measured on the S&P 500, 2001 to 2018).
"""

import numpy as np

from pipelines.regimes.model import FloatArray
from pipelines.regimes.settings import RegimeSettings
from pipelines.regimes.states import States

COMPONENTS = 2
REGULARISATION = 1e-3
"""Added to variances, which are about 1: no state shrinks to a point."""
STARTS = 2


def mixture_states(
    points: FloatArray, states: int, settings: RegimeSettings, previous: States | None
) -> States:
    """Return the components of a Gaussian mixture; `previous` ones are where it begins."""
    from sklearn.mixture import GaussianMixture

    projection = _smoothed_columns(points)
    projected = points @ projection.T
    model = GaussianMixture(
        states,
        reg_covar=REGULARISATION,
        n_init=1 if previous is not None else STARTS,
        max_iter=200,
        random_state=settings.seed,
        means_init=None if previous is None else previous.means,
    ).fit(projected)
    shares = model.predict_proba(projected)
    return States(
        projection=projection,
        means=model.means_,
        covariances=model.covariances_,
        transition=counted_transitions(shares),
        shares=shares,
    )


def kmeans_states(
    points: FloatArray, states: int, settings: RegimeSettings, previous: States | None
) -> States:
    """Return clusters of the first principal components; `previous` ones are where it begins."""
    from sklearn.cluster import KMeans
    from sklearn.decomposition import PCA

    smoothed = _smoothed_columns(points)
    components = PCA(COMPONENTS, random_state=settings.seed).fit(points @ smoothed.T)
    # The sign of a component is arbitrary: the largest weight of each is made positive.
    weights = components.components_
    largest = np.abs(weights).argmax(axis=1)
    projection = weights * np.sign(weights[np.arange(len(weights)), largest])[:, None] @ smoothed
    projected = points @ projection.T
    begun = None if previous is None else previous.means
    model = KMeans(
        states,
        init="k-means++" if begun is None else begun,
        n_init=STARTS if begun is None else 1,
        random_state=settings.seed,
    )
    labels = model.fit(projected).labels_
    shares = np.eye(states)[labels]
    members = [projected[labels == state] for state in range(states)]
    noise = REGULARISATION * np.eye(len(projection))
    return States(
        projection=projection,
        means=np.array([part.mean(axis=0) for part in members]),
        covariances=np.array([np.cov(part.T, bias=True) + noise for part in members]),
        transition=counted_transitions(shares),
        shares=shares,
    )


def _smoothed_columns(points: FloatArray) -> FloatArray:
    """Return the projection that leaves the market's return, the first column, out."""
    return np.eye(points.shape[1])[1:]


def counted_transitions(shares: FloatArray) -> FloatArray:
    """Return how often each state follows each, one pseudo-count added to every pair."""
    counts = shares[:-1].T @ shares[1:] + 1.0
    return np.asarray(counts / counts.sum(axis=1, keepdims=True))
