"""Long jobs: started by a call, done in batches of calls that nobody waits for, told by the aggregate that they advance.

A method whose contract states `google.longrunning.operation_info` answers with `start` and has a companion `Run…`, one batch of
its work. Source: AIP-151.
"""

from .job import Job
from .start import start

__all__ = ["Job", "start"]
