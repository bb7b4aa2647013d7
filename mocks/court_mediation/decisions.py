"""The clerk's decisions, as data (court_mediation §5, §7): from which states, which push, with which keys."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from mocks.court_mediation.codes import BEFORE_RULING, State


@dataclass(frozen=True, slots=True)
class Step:
    """One decision: its push kind tslx and the states it may be taken from."""

    tslx: str
    before: frozenset[State]


@dataclass(frozen=True, slots=True)
class Notice:
    """The keys of one push kind beside the matter's own number: required, and optional."""

    required: frozenset[str]
    optional: frozenset[str] = frozenset()

    @property
    def keys(self) -> frozenset[str]:
        """All of them."""
        return self.required | self.optional


_UNDECIDED: Final = frozenset({State.RECEIVED, State.CORRECTION})

APPLICATION_STEPS: Final[Mapping[str, Step]] = {
    "receive": Step("sqys", frozenset({State.RECEIVED})),
    "correct": Step("sqbz", frozenset({State.RECEIVED, State.ACCEPTED, State.REVIEWING})),
    "accept": Step("sqsl", _UNDECIDED),
    "not_accept": Step("sqbysl", _UNDECIDED),
    "confirm": Step("cdyx", BEFORE_RULING),
    "reject": Step("cdbh", BEFORE_RULING),
    "withdraw": Step("zych", BEFORE_RULING),
    "deem_withdraw": Step("acch", BEFORE_RULING),
    "object": Step("yysl", frozenset({State.CONFIRMED, State.OBJECTED})),
}
TRANSFER_STEPS: Final[Mapping[str, Step]] = {
    "file": Step("ssla", _UNDECIDED),
    "refuse": Step("ssbl", _UNDECIDED),
    "correct": Step("ssbz", frozenset({State.RECEIVED})),
}
REVIEW: Final = "review"
"""审查中: no push, a query alone shows it."""
RECALL: Final = "recall"
PUSH: Final = "push"
"""A push of the tester's own: {tslx, content, fydm?, tjbh?} or {body}, for unknown kinds, codes and unreadable JSON."""

#: After 受理 a push tells the matter by its uuid alone (§7, oddities).
UUID_ALONE: Final = frozenset({"cdyx", "cdbh", "zych", "acch", "yysl"})

NOTICES: Final[Mapping[str, Notice]] = {
    "sqys": Notice(frozenset()),
    "sqbz": Notice(frozenset({"bznr", "bzqx"})),
    "sqsl": Notice(frozenset({"ah"}), frozenset({"larq", "cbr"})),
    "sqbysl": Notice(frozenset({"yy"})),
    "cdyx": Notice(frozenset({"ah", "cdrq", "wslist"})),
    "cdbh": Notice(frozenset({"ah", "cdrq", "wslist", "yy"})),
    "zych": Notice(frozenset({"cdrq"}), frozenset({"ah", "wslist"})),
    "acch": Notice(frozenset({"cdrq"}), frozenset({"ah", "wslist"})),
    "yysl": Notice(frozenset({"yyr", "yyrq"}), frozenset({"ah"})),
    "ssla": Notice(frozenset({"ah", "larq"})),
    "ssbl": Notice(frozenset({"yy"})),
    "ssbz": Notice(frozenset({"bznr", "bzqx"})),
}

WRIT_TITLES: Final[Mapping[str, str]] = {
    "cdyx": "民事裁定书（确认调解协议有效）",
    "cdbh": "民事裁定书（驳回申请）",
    "zych": "民事裁定书（准许撤回申请）",
    "acch": "民事裁定书（按撤回申请处理）",
}
