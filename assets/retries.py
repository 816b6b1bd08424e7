"""Trying a publishing step again: only where MongoDB was away, which may pass.

Dagster's `RetryPolicy` repeats whatever is raised, an interrupt too: Ctrl-C and the UI's
"Terminate" would be taken for a fault and the step begun anew.
"""

from collections.abc import Callable
from functools import wraps

import dagster as dg

from resources.serving import Serving

Step = Callable[..., dg.MaterializeResult]


def tried_again(step: Step) -> Step:
    """Have a step repeated after growing pauses while no MongoDB answers; all else fails at once.

    The step takes `context` first and the resource `serving`, which says how often and how long.
    """

    @wraps(step)
    def attempt(
        context: dg.AssetExecutionContext, *, serving: Serving, **others: object
    ) -> dg.MaterializeResult:
        from resources.mongodb import ServingUnavailableError

        try:
            return step(context, serving=serving, **others)
        except ServingUnavailableError as error:
            raise dg.RetryRequested(
                max_retries=serving.retries,
                seconds_to_wait=serving.retry_seconds * 2**context.retry_number,
            ) from error

    return attempt
