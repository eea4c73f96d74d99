"""The address of a comparison, whatever stands in it."""

from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from dashboard.compare.asked import MOST_JOBS, Asked, asked


def test_link_restores_the_view() -> None:
    link = "jobs=3,1,2&x=epoch&scale=log&smooth=0.9&hidden=2&sort=-final&all=1"
    assert asked(QueryDict(link)) == Asked(
        jobs=(3, 1, 2),
        x="epoch",
        scale="log",
        smooth=0.9,
        hidden=frozenset({2}),
        sort="-final",
        together=3,
        everything=True,
    )


def test_jobs_are_added_and_removed_and_come_once() -> None:
    assert asked(QueryDict("jobs=3,1,3&add=7")).jobs == (3, 1, 7)
    assert asked(QueryDict("jobs=3,1&remove=3")).jobs == (1,)
    assert asked(QueryDict("jobs=3&jobs=4")).jobs == (3, 4)


def test_more_than_can_be_compared_are_counted() -> None:
    found = asked(QueryDict("jobs=" + ",".join(map(str, range(1, 31)))))
    assert (len(found.jobs), found.left_out) == (MOST_JOBS, 30 - MOST_JOBS)


def test_nonsense_is_left_out() -> None:
    found = asked(QueryDict("jobs=x,-1,,99999999999999999999,5&x=sideways&scale=&smooth=nan&together=x"))
    assert found == Asked(jobs=(1, 5), together=2)


@given(st.dictionaries(st.sampled_from(["jobs", "x", "scale", "smooth", "hidden", "sort", "all", "add"]), st.text()))
def test_any_address_is_a_view(said: dict[str, str]) -> None:
    query = QueryDict(mutable=True)
    query.update(said)
    found = asked(query)
    assert len(found.jobs) <= MOST_JOBS
    assert 0 <= found.smooth < 1
