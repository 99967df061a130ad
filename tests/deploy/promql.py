"""Which series a PromQL expression asks for, and with which labels its result comes. Pure, but for the parser."""

from collections.abc import Iterator, Mapping

import promql_parser as promql
from promql_parser import Expr, VectorSelector

TARGET = frozenset({"job", "instance"})
"""What Prometheus adds to all that it scrapes."""

Shown = Mapping[str, frozenset[str]]
"""The labels of each sample, by its name."""


class Mistaken(Exception):
    """The expression can't mean anything: what it asks for is not there."""


def parse(text: str) -> Expr:
    """Read an expression, with Grafana's variables as they might be set."""
    return promql.parse(text.replace("$__rate_interval", "1m").replace("$job", ".*"))


def selectors(expr: Expr) -> Iterator[VectorSelector]:
    """Everything that it asks for."""
    if isinstance(expr, VectorSelector):
        yield expr
    for inner in _inner(expr):
        yield from selectors(inner)


def labels(expr: Expr, shown: Shown) -> frozenset[str] | None:
    """The labels of the result; None for a number. Raises Mistaken for a name or a label that there is not."""
    match expr:
        case VectorSelector():
            has = _labels_of(str(expr.name), shown)
            _know({matcher.name for matcher in expr.matchers.matchers}, has, expr)
            return has
        case promql.AggregateExpr():
            return _aggregated(expr, shown)
        case promql.BinaryExpr():
            return _combined(expr, shown)
        case promql.Call() if expr.func.name == "absent":
            (asked,) = selectors(expr)
            labels(asked, shown)
            return frozenset(matcher.name for matcher in asked.matchers.matchers)
        case promql.Call() if expr.func.name == "histogram_quantile":
            has = labels(expr.args[1], shown) or frozenset()
            _know({"le"}, has, expr)
            return has - {"le"}
        case promql.NumberLiteral():
            return None
        case promql.Call() | promql.ParenExpr() | promql.MatrixSelector():
            found = [labels(inner, shown) for inner in _inner(expr)]
            return found[0] if found else None
        case _:
            raise Mistaken(f"not read here: {expr}")


def _inner(expr: Expr) -> list[Expr]:
    match expr:
        case promql.BinaryExpr():
            return [expr.lhs, expr.rhs]
        case promql.Call():
            return list(expr.args)
        case promql.MatrixSelector():
            return [expr.vector_selector]
        case promql.AggregateExpr() | promql.ParenExpr():
            return [expr.expr]
        case _:
            return []


def _labels_of(name: str, shown: Shown) -> frozenset[str]:
    if name not in shown:
        raise Mistaken(f"nobody shows {name}")
    return shown[name] | TARGET


def _aggregated(expr: promql.AggregateExpr, shown: Shown) -> frozenset[str]:
    has = labels(expr.expr, shown) or frozenset()
    if not expr.modifier:
        return frozenset()
    _know(set(expr.modifier.labels), has, expr)
    by = frozenset(expr.modifier.labels)
    return by if expr.modifier.type == promql.AggModifierType.By else has - by


def _combined(expr: promql.BinaryExpr, shown: Shown) -> frozenset[str] | None:
    left, right = labels(expr.lhs, shown), labels(expr.rhs, shown)
    if left is None or right is None:
        return right if left is None else left
    if str(expr.op) == "or":
        return left | right
    if left != right:
        raise Mistaken(f"{set(left)} and {set(right)} never match: {expr}")
    return left


def _know(asked: set[str], has: frozenset[str], expr: Expr) -> None:
    if not asked <= has:
        raise Mistaken(f"no label {asked - has}: {expr}")
