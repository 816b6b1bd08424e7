"""Where compiled kernels are kept from one process to the next."""

import os
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent / "pipelines"
VARIABLE = "NUMBA_CACHE_DIR"


def keep_compiled_kernels(home: Path, *, package: Path = PACKAGE) -> None:
    """Let kernels be kept in the state folder where the package's own folder can't be written.

    numba would try the user's home next, which a service may not have, and then refuse to import
    them. It reads the variable when it is first imported; one that a person has set stays.

    Args:
        home: The state folder.
        package: Where the sources of the kernels are, and what is compiled of them otherwise.
    """
    if not os.access(package, os.W_OK):
        os.environ.setdefault(VARIABLE, str(home / "compiled_kernels"))
