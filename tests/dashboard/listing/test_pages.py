"""Pages of keys: a search that is counted by reading it shows what one that is counted shows."""

import pytest
from django.db.models import F

from dashboard.accounts.models import User
from dashboard.jobs.listing.filters import Filters
from dashboard.jobs.models import Job
from dashboard.listing import pages
from dashboard.listing.pages import page_of_keys
from tests.factories import DatasetFactory, JobFactory

pytestmark = pytest.mark.django_db
ORDERING = (F("created").desc(), F("pk").desc())


@pytest.fixture
def jobs(alice: User) -> None:
    version = DatasetFactory(owner=alice).latest
    for number in range(7):
        JobFactory(owner=alice, dataset_version=version, display_name=f"Counting {number}")


@pytest.mark.parametrize("number", [None, "1", "2", "3", "4", "99", "0", "-1", "x", "9" * 30, "٢"])
@pytest.mark.parametrize("few", [0, 3, 6, 7, 8])
def test_page_is_the_same_however_its_rows_are_counted(
    jobs: None, monkeypatch: pytest.MonkeyPatch, few: int, number: str | None
) -> None:
    monkeypatch.setattr(pages, "ROWS_A_PAGE", 3)
    monkeypatch.setattr(pages, "FEW", few)
    counted = page_of_keys(Job.objects.all(), ORDERING, number, searched=False)
    read = page_of_keys(Job.objects.all(), ORDERING, number, searched=True)
    assert list(read) == list(counted) != []
    assert (read.number, read.paginator.count, read.paginator.num_pages) == (counted.number, 7, 3)


def test_search_that_finds_nothing_has_one_empty_page(jobs: None) -> None:
    page = page_of_keys(Job.objects.filter(display_name="?"), ORDERING, "2", searched=True)
    assert (list(page), page.number, page.paginator.count) == ([], 1, 0)


def test_words_with_digits_are_looked_for_first_and_find_the_same(jobs: None) -> None:
    filters = Filters(q="counting pairs 3")
    assert filters.words == ["3", "counting", "pairs"]
    found = [Filters(q=q).applied(Job.objects.all()).values_list("display_name", flat=True) for q in ("g 3", "3 g")]
    assert list(found[0]) == list(found[1]) == ["Counting 3"]
