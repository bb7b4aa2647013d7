"""The hands that people have in this house: made once where it is composed, used by the API's routers and the console alike."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.flow.operating.bulk import Bulk
from gateway.flow.operating.case_links import CaseLinks
from gateway.flow.operating.correction import Corrections
from gateway.flow.operating.operate import Operator
from gateway.flow.operating.replay import Replayer
from gateway.flow.printing.drafts import Drafts
from gateway.flow.reconciling.reconciliations import Reconciliations
from gateway.flow.registering.accounts import Accounts
from gateway.flow.registering.clients import Clients
from gateway.flow.timing.clock_acts import ClockActs


@dataclass(frozen=True, slots=True)
class Hands:
    """Every act that a person may do, by what it is done to. What they change wakes the loops of this process."""

    operator: Operator
    replayer: Replayer
    bulk: Bulk
    reconciliations: Reconciliations
    corrections: Corrections
    clock_acts: ClockActs
    case_links: CaseLinks
    drafts: Drafts
    clients: Clients
    accounts: Accounts
