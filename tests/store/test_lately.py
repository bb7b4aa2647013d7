"""What a process remembers of what it has just accepted."""

from __future__ import annotations

from gateway.store.lately import Lately


def test_nothing_is_kept_where_nobody_asks() -> None:
    lately: Lately[int] = Lately()
    lately.keep("a", 1)
    assert lately.get("a") is None


def test_few_are_kept_and_the_oldest_go_first() -> None:
    lately: Lately[int] = Lately()
    lately.most = 2
    for number in range(6):
        lately.keep(str(number), number)
    assert [lately.get(str(number)) for number in range(6)] == [None, None, 2, 3, 4, 5]


def test_what_lies_for_two_ages_is_forgotten() -> None:
    lately: Lately[int] = Lately()
    lately.most = 2
    lately.keep("a", 1)
    lately.age()
    lately.keep("b", 2)
    assert (lately.get("a"), lately.get("b")) == (1, 2)
    lately.age()
    assert (lately.get("a"), lately.get("b")) == (None, 2)
