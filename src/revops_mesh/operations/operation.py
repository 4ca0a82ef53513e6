"""An operation: how far a long job has come, and what its next batch needs to know. Times are instants in UTC."""

from datetime import UTC, datetime, timedelta
from typing import Self

from google.protobuf.message import Message
from revops.platform.v1 import operations_pb2 as pb

from revops_mesh.kernel import clock
from revops_mesh.kernel.aggregate import Aggregate, transition
from revops_mesh.kernel.errors import Broken, Failure
from revops_mesh.kernel.principal import Principal
from revops_mesh.kernel.transaction import REPLAY_DAYS

KEPT = timedelta(days=REPLAY_DAYS - 1)
"""From its end until it is forgotten: shorter than replays are kept, so that whatever is resumed repeats nothing."""
UNDER_WAY = frozenset({pb.Operation.STATE_PENDING, pb.Operation.STATE_RUNNING})
ENDED = frozenset({pb.Operation.STATE_SUCCEEDED, pb.Operation.STATE_FAILED, pb.Operation.STATE_CANCELLED})
ALLOWED: dict[str, frozenset[int]] = {
    "advance": UNDER_WAY,
    "cancel": UNDER_WAY,
    "resume": frozenset({pb.Operation.STATE_FAILED, pb.Operation.STATE_CANCELLED}),
    "delete": ENDED,
}
"""States in which each verb is possible."""


class Operation(Aggregate[pb.Operation]):
    """A long job, from the call that started it to its end."""

    state_type = pb.Operation

    @classmethod
    def begin(cls, name: str, method: str, request: Message, metadata: Message, starter: Principal) -> Self:
        """A new one that waits for its first batch; `method` is the full name of what started it."""
        job = pb.Job(
            request=request.SerializeToString(),
            roles=starter.roles,
            scopes=starter.scopes,
            partner=starter.partner,
            service=starter.service,
            batch=1,
        )
        operation = cls(pb.Operation(name=name, method=method, principal=starter.name, state=pb.Operation.STATE_PENDING, job=job))
        operation.state.metadata.Pack(metadata)
        return operation

    def expects(self, found: pb.AdvanceOperationRequest) -> bool:
        """Whether what a batch came to is news: a batch that was left behind says nothing."""
        return self.state.state in UNDER_WAY and self.state.job.batch == found.batch

    def advance(self, found: pb.AdvanceOperationRequest, now: datetime) -> bool:
        """Takes over what a batch came to; True if another one is due.

        Whoever asked it to stop is heeded, unless the batch was the last. Raises OPERATION_STATE.
        """
        self._must_allow("advance")
        state = self.state
        if found.HasField("start_time"):
            if not state.HasField("start_time"):
                state.start_time.CopyFrom(found.start_time)
            if found.HasField("metadata"):
                state.metadata.CopyFrom(found.metadata)
            state.job.cursor = found.cursor
        if found.HasField("response"):
            self._end(pb.Operation.STATE_SUCCEEDED, now)
            state.response.CopyFrom(found.response)
        elif found.HasField("error"):
            self._end(pb.Operation.STATE_FAILED, now)
            state.error.CopyFrom(found.error)
        elif state.cancelling:
            self._end(pb.Operation.STATE_CANCELLED, now)
            state.error.CopyFrom(_cancelled(self.name).status())
        else:
            state.state = pb.Operation.STATE_RUNNING
            state.job.batch += 1
        return not state.done

    def _end(self, how: pb.Operation.State.ValueType, now: datetime) -> None:
        self.state.state, self.state.done, self.state.cancelling = how, True, False
        self.state.end_time.CopyFrom(clock.timestamp(now))
        self.state.expire_time.CopyFrom(clock.timestamp(now + KEPT))
        ended = pb.OperationEnded(operation=self.name, method=self.state.method, state=how, principal=self.state.principal)
        self.record(ended)

    def cancel(self) -> None:
        """Asks it to stop after what is under way. Raises OPERATION_STATE."""
        self._must_allow("cancel")
        self.state.cancelling = True

    def resume(self) -> None:
        """Has it go on where it stopped, under a new number of batch: an older one then says nothing. Raises OPERATION_STATE."""
        self._must_allow("resume")
        for field in ("result", "end_time", "expire_time"):
            self.state.ClearField(field)
        self.state.state, self.state.done = pb.Operation.STATE_PENDING, False
        self.state.job.batch += 1

    def forget(self) -> None:
        """Allows its deletion. Raises OPERATION_STATE."""
        self._must_allow("delete")

    def over(self, now: datetime) -> bool:
        """Whether its time is over."""
        return self.state.done and self.state.expire_time.ToDatetime(tzinfo=UTC) <= now

    @property
    def shown(self) -> pb.Operation:
        """A copy without what its work goes by."""
        copy = pb.Operation()
        copy.CopyFrom(self.state)
        copy.ClearField("job")
        return copy

    def _must_allow(self, verb: str) -> None:
        transition(
            self.state.state, ALLOWED[verb], pb.Operation.State, pb.OperationReason, pb.OPERATION_STATE,
            verb=verb, operation=self.name,
        )  # fmt: skip

    def check(self) -> None:
        """Done exactly in the states that are ends, then with a result, and with a method, a starter and a batch."""
        state = self.state
        ended = state.state in ENDED
        if not (state.done is ended and (state.WhichOneof("result") is not None) is ended):
            raise Broken(f"{self.name} is {state.state}, done {state.done}, with {state.WhichOneof('result')}")
        if not state.method or not state.principal or state.job.batch < 1:
            raise Broken(f"{self.name} lacks its method, its starter or its batch")


def _cancelled(name: str) -> Failure:
    return Failure(pb.OperationReason, pb.OPERATION_CANCELLED, "{operation} was cancelled.", operation=name)
