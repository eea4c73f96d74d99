"""Tuneboard as a person has it: Chromium before the very processes that ``make run`` starts.

A package, so that Chromium and Tuneboard end with its last test (pytest's "package" scope): Playwright's
event loop must not be running when tests of the database follow.
"""
