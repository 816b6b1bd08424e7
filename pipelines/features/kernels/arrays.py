"""The arrays that kernels read and write."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]
"""64-bit while computing; results may be kept in 32 bits."""

IntArray = NDArray[np.int64]
