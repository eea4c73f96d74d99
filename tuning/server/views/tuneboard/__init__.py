"""``/tuneboard/v1``: what Google's API has no words for, one module a subject.

JSON of our own, in camelCase; times RFC 3339 in UTC, where nothing else is said; what is not known is left out.
Credentials and errors are those of the rest of the API.
"""
