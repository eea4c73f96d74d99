"""Sentences for people, one for each code: what happened, and what to do about it. A module a subject:

``errors``      what a service could not do
``google``      what is not set up at Google
``openid``      why a round to a provider of accounts brought nothing
``pasted``      why pasted text is no job
``jobs``        a job's states, and why one failed
``findings``    what a loss curve says
``datasets``    what is wrong with a file, or a row of it
``playground``  how an answer ended
``sharing``     the roles on a model, and what each may do
``audit``       what somebody did, as the audit log tells it
``connections`` why a service cannot be asked
``checks``      what the test of a connection found
``scopes``      what somebody is asked to grant
``notices``     what happened to a job, and why nobody could be told

``%(name)s`` is filled from the parameters that come with the code (see :mod:`dashboard.messages.wording`).
"""

from dashboard.messages.audit import AUDIT, explain_entry
from dashboard.messages.checks import explain_check
from dashboard.messages.datasets import explain_problem
from dashboard.messages.errors import code_of, explain
from dashboard.messages.findings import explain_finding, name_change, name_finding
from dashboard.messages.jobs import FAILURES, STATES, explain_failure
from dashboard.messages.notices import DELIVERIES, NOTICES
from dashboard.messages.playground import FINISH_REASONS
from dashboard.messages.wording import Message, written_loss, written_number

__all__ = [
    "AUDIT",
    "DELIVERIES",
    "FAILURES",
    "FINISH_REASONS",
    "NOTICES",
    "STATES",
    "Message",
    "code_of",
    "explain",
    "explain_check",
    "explain_entry",
    "explain_failure",
    "explain_finding",
    "explain_problem",
    "name_change",
    "name_finding",
    "written_loss",
    "written_number",
]
