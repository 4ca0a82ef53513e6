"""The operation as an aggregate: what each verb does in each state, and that no sequence of verbs breaks it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf.any_pb2 import Any as Packed
from google.protobuf.duration_pb2 import Duration
from google.rpc.status_pb2 import Status
from hypothesis import given
from hypothesis import strategies as st
from revops.platform.v1 import operations_pb2 as pb

from revops_mesh.kernel import clock
from revops_mesh.kernel.errors import Failure
from revops_mesh.kernel.names import new_uuid
from revops_mesh.kernel.principal import Principal
from revops_mesh.kernel.transaction import REPLAY_DAYS
from revops_mesh.operations.operation import ALLOWED, ENDED, KEPT, Operation

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ANNA = Principal("users/anna", new_uuid(), frozenset(), 4, partner="partners/p", roles=("seller", "viewer"), scopes=("probe.*",))
STATES = [value for name, value in pb.Operation.State.items() if value]

Verb = Callable[[Operation], object]


def fresh() -> Operation:
    return Operation.begin("operations/a", "x.v1.Y.Z", Duration(seconds=1), Duration(), ANNA)


def found(operation: Operation, **result: object) -> pb.AdvanceOperationRequest:
    batch = operation.state.job.batch
    began = clock.timestamp(NOW)
    return pb.AdvanceOperationRequest(operation=operation.name, batch=batch, start_time=began, cursor=b"c", **result)  # type: ignore[arg-type]


def goes_on(operation: Operation) -> bool:
    return operation.advance(found(operation), NOW)


def succeeds(operation: Operation) -> bool:
    answer = Packed()
    answer.Pack(Duration(seconds=7))
    return operation.advance(found(operation, response=answer), NOW)


def fails(operation: Operation) -> bool:
    return operation.advance(found(operation, error=Status(code=7, message="no")), NOW)


def cancels(operation: Operation) -> bool:
    operation.cancel()
    return goes_on(operation)


REACHED: dict[int, tuple[Verb, ...]] = {
    pb.Operation.STATE_PENDING: (),
    pb.Operation.STATE_RUNNING: (goes_on,),
    pb.Operation.STATE_SUCCEEDED: (goes_on, succeeds),
    pb.Operation.STATE_FAILED: (fails,),
    pb.Operation.STATE_CANCELLED: (cancels,),
}
VERBS: dict[str, Verb] = {
    "advance": goes_on,
    "cancel": Operation.cancel,
    "resume": Operation.resume,
    "delete": Operation.forget,
}


def at(state: int) -> Operation:
    operation = fresh()
    for verb in REACHED[state]:
        verb(operation)
    assert operation.state.state == state
    operation.check()
    return operation


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("state", STATES, ids=pb.Operation.State.Name)
def test_each_verb_does_what_the_table_says_in_each_state(state: int, verb: str) -> None:
    operation = at(state)
    before = operation.state.SerializeToString(deterministic=True)
    if state in ALLOWED[verb]:
        VERBS[verb](operation)
        operation.check()
        return
    with pytest.raises(Failure) as refused:
        VERBS[verb](operation)
    assert (refused.value.reason, refused.value.metadata["operation"]) == ("OPERATION_STATE", "operations/a")
    assert operation.state.SerializeToString(deterministic=True) == before


@given(st.lists(st.sampled_from([goes_on, succeeds, fails, *VERBS.values()]), max_size=12))
def test_no_sequence_of_verbs_breaks_it(verbs: list[Verb]) -> None:
    operation, batch = fresh(), 1
    for verb in verbs:
        try:
            verb(operation)
        except Failure as refused:
            assert refused.reason == "OPERATION_STATE"
        operation.check()
        state = operation.state
        assert state.done is (state.state in ENDED) is state.HasField("end_time") is state.HasField("expire_time")
        assert not (state.done and state.cancelling)
        assert state.job.batch >= batch, "an older batch would be taken for the one that is due"
        batch = state.job.batch
    assert sum(isinstance(event, pb.OperationEnded) for event in operation.events) == len(operation.events)


def test_it_remembers_who_started_it_and_with_what() -> None:
    state = fresh().state
    assert (state.principal, list(state.job.roles), state.job.partner) == ("users/anna", ["seller", "viewer"], "partners/p")
    assert list(state.job.scopes) == ["probe.*"]
    assert Duration.FromString(state.job.request) == Duration(seconds=1)
    assert not fresh().shown.HasField("job")


def test_the_last_batch_wins_over_a_cancellation() -> None:
    operation = fresh()
    operation.cancel()
    assert succeeds(operation) is False
    assert operation.state.state == pb.Operation.STATE_SUCCEEDED


def test_a_batch_that_was_left_behind_says_nothing() -> None:
    operation = fresh()
    old = found(operation)
    goes_on(operation)
    assert not operation.expects(old)
    fails(operation)
    now = found(operation)
    assert not operation.expects(now)
    operation.resume()
    assert not operation.expects(now), "a timer from before the failure could run beside the resumed one"
    assert operation.expects(found(operation))


def test_a_failure_keeps_cursor_and_progress_for_whoever_resumes() -> None:
    operation = fresh()
    fails(operation)
    operation.resume()
    assert operation.state.job.cursor == b"c"
    assert operation.state.WhichOneof("result") is None


def test_an_operation_is_forgotten_before_the_replays_of_its_calls_are() -> None:
    assert timedelta(0) < KEPT < timedelta(days=REPLAY_DAYS)
    operation = fresh()
    fails(operation)
    assert not operation.over(NOW + KEPT - timedelta(microseconds=1))
    assert operation.over(NOW + KEPT)
    operation.resume()
    assert not operation.over(NOW + KEPT)
