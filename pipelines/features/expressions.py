"""The expression language: a feature is written once, as `close / mean(close, 20) - 1`.

Python builds an immutable tree; everything else (look-back, text, version, SQL) is read from it.
Trees that are written alike are equal, so that a common subexpression is computed once. A value
at session t reads rows at or before t, of the same symbol or, for a rank or mean over the session,
of every symbol that has a row at t; looking ahead cannot be written. The words to write with are in
`pipelines.features.language`.
"""

import hashlib
import math
from dataclasses import dataclass
from functools import cached_property
from typing import Union

from pipelines.features.inputs import LEAVES
from pipelines.features.operators import OPERATORS, Operator

Operand = Union["Expression", float]


class Expression:
    """A node of the tree. Combine with + - * / < <= > >=, unary minus and `abs`."""

    @property
    def operands(self) -> tuple["Expression", ...]:
        """Return the nodes right below this one."""
        return ()

    @property
    def look_back(self) -> int:
        """Return how many earlier rows of the symbol the value of a row needs."""
        return 0

    @property
    def is_session_wide(self) -> bool:
        """Return whether a value depends on other symbols of its session."""
        return any(operand.is_session_wide for operand in self.operands)

    @cached_property
    def inputs(self) -> frozenset[str]:
        """Return the names of the leaf columns that the expression reads."""
        return frozenset().union(*(operand.inputs for operand in self.operands))

    @property
    def canonical(self) -> str:
        """Return the tree with the versions of its operators and the definitions of its leaves."""
        raise NotImplementedError

    @property
    def text(self) -> str:
        """Return the formula as Python; evaluated, it gives an equal expression."""
        raise NotImplementedError

    @property
    def version(self) -> str:
        """Return a hash that changes when the values may change: 12 hexadecimal digits."""
        return hashlib.sha256(self.canonical.encode()).hexdigest()[:12]

    def __add__(self, other: Operand) -> "Expression":
        return _call("add", self, other)

    def __radd__(self, other: Operand) -> "Expression":
        return _call("add", other, self)

    def __sub__(self, other: Operand) -> "Expression":
        return _call("subtract", self, other)

    def __rsub__(self, other: Operand) -> "Expression":
        return _call("subtract", other, self)

    def __mul__(self, other: Operand) -> "Expression":
        return _call("multiply", self, other)

    def __rmul__(self, other: Operand) -> "Expression":
        return _call("multiply", other, self)

    def __truediv__(self, other: Operand) -> "Expression":
        return _call("divide", self, other)

    def __rtruediv__(self, other: Operand) -> "Expression":
        return _call("divide", other, self)

    def __neg__(self) -> "Expression":
        return _call("negate", self)

    def __abs__(self) -> "Expression":
        return _call("abs", self)

    def __gt__(self, other: Operand) -> "Expression":
        return _call("is_greater", self, other)

    def __ge__(self, other: Operand) -> "Expression":
        return _call("is_greater_or_equal", self, other)

    def __lt__(self, other: Operand) -> "Expression":
        return _call("is_less", self, other)

    def __le__(self, other: Operand) -> "Expression":
        return _call("is_less_or_equal", self, other)

    def __bool__(self) -> bool:
        message = (
            f"{self.text} has no truth value of its own: choose between values with"
            " where(condition, value, otherwise), and write a < b < c as two comparisons"
        )
        raise TypeError(message)


@dataclass(frozen=True)
class Column(Expression):
    """A leaf: one input column of the row itself."""

    name: str

    def __post_init__(self) -> None:
        if self.name not in LEAVES:
            message = f"no input column named {self.name!r}: choose one of {', '.join(LEAVES)}"
            raise ValueError(message)

    @cached_property
    def inputs(self) -> frozenset[str]:
        """Return the column itself."""
        return frozenset((self.name,))

    @property
    def canonical(self) -> str:
        """Return the name with the definition, so that another definition is another version."""
        return f"({self.name}: {LEAVES[self.name].sql})"

    @property
    def text(self) -> str:
        """Return the name."""
        return self.name


@dataclass(frozen=True)
class Constant(Expression):
    """A number, the same on every row."""

    value: float

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            message = f"a constant must be a finite number, got {self.value}"
            raise ValueError(message)

    @property
    def canonical(self) -> str:
        """Return all digits of the number."""
        return repr(float(self.value))

    @property
    def text(self) -> str:
        """Return the shortest form that reads back as the same number."""
        is_short_integer = self.value == int(self.value) and abs(self.value) < 2**53
        return str(int(self.value)) if is_short_integer else repr(float(self.value))


@dataclass(frozen=True)
class Call(Expression):
    """An operator applied to expressions, over a window of rows where it takes one."""

    operator: str
    arguments: tuple[Expression, ...]
    window: int = 0

    def __post_init__(self) -> None:
        entry = self.entry
        if len(self.arguments) not in entry.arguments:
            message = (
                f"{self.operator} takes {' or '.join(map(str, entry.arguments))} expressions,"
                f" got {len(self.arguments)}"
            )
            raise ValueError(message)
        if not any(argument.inputs for argument in self.arguments):
            message = f"{self.text} reads no column: compute constants in Python"
            raise ValueError(message)
        _refuse_window(entry, self.window)
        if self.window and any(argument.is_session_wide for argument in self.arguments):
            message = (
                f"{self.text} looks back over what is computed within sessions: such a value would"
                " need all symbols of all those sessions; look back first, then compare symbols"
            )
            raise ValueError(message)

    @property
    def entry(self) -> Operator:
        """Return the registry's entry of the operator."""
        if self.operator not in OPERATORS:
            message = f"no operator named {self.operator!r}: choose one of {', '.join(OPERATORS)}"
            raise ValueError(message)
        return OPERATORS[self.operator]

    @property
    def operands(self) -> tuple[Expression, ...]:
        """Return the arguments."""
        return self.arguments

    @property
    def is_session_wide(self) -> bool:
        """Return whether this operator or one below it reads all symbols of the session."""
        return self.entry.is_session_wide or super().is_session_wide

    @property
    def look_back(self) -> int:
        """Return the operator's own look-back on top of the deepest argument's."""
        deepest = max(argument.look_back for argument in self.arguments)
        return deepest + self.entry.look_back(self.window)

    @property
    def canonical(self) -> str:
        """Return the call in prefix form."""
        arguments = " ".join(argument.canonical for argument in self.arguments)
        return f"({self.operator}/{self.entry.version} {self.window} {arguments})"

    @property
    def text(self) -> str:
        """Return the call with the fewest parentheses that keep the tree."""
        entry = self.entry
        if not entry.symbol:
            window = [str(self.window)] if entry.smallest_window is not None else []
            return f"{entry.name}({', '.join([a.text for a in self.arguments] + window)})"
        if len(self.arguments) == 1:
            return f"{entry.symbol}{_within(self.arguments[0], entry.precedence)}"
        left, right = self.arguments
        # Equal operators group to the left; comparisons do not chain at all.
        is_comparison = entry.precedence == 1
        return (
            f"{_within(left, entry.precedence + is_comparison)} {entry.symbol}"
            f" {_within(right, entry.precedence + 1)}"
        )


def as_expression(operand: Operand) -> Expression:
    """Return the operand itself, or the constant for a number."""
    # Adding zero turns -0.0 into 0.0, so that equal numbers have one form.
    return operand if isinstance(operand, Expression) else Constant(float(operand) + 0.0)


def _within(argument: Expression, precedence: int) -> str:
    is_loose = isinstance(argument, Call) and argument.entry.precedence < precedence
    return f"({argument.text})" if is_loose else argument.text


def _refuse_window(entry: Operator, window: int) -> None:
    if entry.smallest_window is None:
        is_right, rule = window == 0, "takes no window"
    else:
        is_right = isinstance(window, int) and window >= entry.smallest_window
        rule = f"needs a whole number of rows, {entry.smallest_window} or more"
    if not is_right:
        message = f"{entry.name} {rule}, got {window!r}: a feature reads the past only"
        raise ValueError(message)


def _call(operator: str, *arguments: Operand, window: int = 0) -> Expression:
    expressions = tuple(as_expression(argument) for argument in arguments)
    return Call(operator, expressions, window)
