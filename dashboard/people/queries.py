"""Questions about people."""

from django.db.models import Q, QuerySet

from dashboard.accounts.models import User

KINDS = {
    "active": Q(is_active=True),
    "inactive": Q(is_active=False),
    "administrators": Q(is_administrator=True),
}


def people_like(q: str = "", which: str = "") -> QuerySet[User]:
    """Those whose name or e-mail holds every word of ``q``, and who are ``which`` of :data:`KINDS`; by name."""
    people = User.objects.order_by("name", "email")
    for word in q.split()[:5]:
        people = people.filter(Q(name__icontains=word) | Q(email__icontains=word))
    return people.filter(KINDS[which]) if which else people
