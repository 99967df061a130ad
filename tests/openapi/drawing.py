"""Requests drawn from the services' own descriptions: each is sent, and its answer judged."""

from collections.abc import Mapping
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.core.result import Ok

from tests.openapi.calling import CONFORMS, NOT_OF_ITS_SHAPE, REFUSES, Caller, code_of, judged

Operation = schemathesis.APIOperation[Any, Any, Any, Any]

FEW = settings(
    derandomize=True,
    deadline=None,
    database=None,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)


class Drawing:
    """Draws for one service's operations, which are known by labels such as `GET /healthz`, and asks it.

    Each claim is tried by so many requests at most.
    """

    def __init__(self, document: dict[str, Any], url: str, headers: dict[str, str], most: int) -> None:
        found = schemathesis.openapi.from_dict(document).get_all_operations()
        self._operations: dict[str, Operation] = {each.ok().label: each.ok() for each in found if isinstance(each, Ok)}
        self._caller = Caller(url, headers)
        self._few = settings(FEW, max_examples=most)

    def allowed(self, label: str, known: Mapping[str, str]) -> None:
        """What the description allows is answered as it says, whatever is named, and where it names what is `known`."""
        operation = self._operations[label]
        named: dict[str, Any] = {}
        if "sessionId" in [each.name for each in operation.query]:
            named["query"] = {"sessionId": known["session"]}
        if operation.path_parameters:
            named["path_parameters"] = {each.name: known[each.name] for each in operation.path_parameters}

        def judge(case: Case[Any]) -> None:
            response = self._caller.call(case)
            judged(case, response, CONFORMS)
            assert response.status_code < 400 or code_of(response) in NOT_OF_ITS_SHAPE, response.text

        # Where nothing is named, the second time would draw the same again.
        for each in ({}, named) if named else ({},):
            self._few(given(operation.as_strategy(GenerationMode.POSITIVE, **each))(judge))()

    def refused(self, label: str) -> None:
        """What the description does not allow is refused as it says."""

        def judge(case: Case[Any]) -> None:
            judged(case, self._caller.call(case), REFUSES)

        self._few(given(self._operations[label].as_strategy(GenerationMode.NEGATIVE))(judge))()
