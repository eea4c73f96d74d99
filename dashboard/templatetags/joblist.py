"""Words of the list of jobs."""

from django import template

from dashboard.jobs.listing.rows import seen_as

register = template.Library()

register.filter("seen_as", seen_as)
