"""How far something is, said now and then."""

from stages.wording.progress import SILENT, told


def test_nothing_is_said_of_what_is_quick_and_the_rest_now_and_then():
    now, said = [0.0], []
    for _ in told(range(10), total=10, what="sheets read", say=said.append, clock=lambda: now[0]):
        now[0] += 0.4 * SILENT
    assert said == ["3 of 10 sheets read", "6 of 10 sheets read", "9 of 10 sheets read"]


def test_all_come_in_their_order_whether_somebody_listens_or_not():
    assert list(told("abc", total=3, what="letters", say=None)) == ["a", "b", "c"]
    assert list(told([], total=0, what="letters", say=print)) == []
