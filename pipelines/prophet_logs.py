"""Prophet without the chatter of Stan."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet_prophet() -> Iterator[None]:
    """Keep Stan's chains out of the night's log; what fails is raised all the same.

    A level would not do: cmdstanpy sets its own one when it is first used.
    """
    loggers = [logging.getLogger(name) for name in ("cmdstanpy", "prophet", "prophet.models")]
    before = [logger.disabled for logger in loggers]
    for logger in loggers:
        logger.disabled = True
    try:
        yield
    finally:
        for logger, was_disabled in zip(loggers, before, strict=True):
            logger.disabled = was_disabled
