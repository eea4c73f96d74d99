"""What all tests share: quick passwords, plain static files, properties without a deadline, no silent gaps in CI."""

import os
from collections.abc import Generator
from pathlib import Path

import hypothesis
import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection
from pytest_django import DjangoDbBlocker

IN_CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}
MUST_RUN = ("browser", "engine")
"""Marks whose tests may be left out on somebody's laptop, never in CI."""


def pytest_configure() -> None:
    hypothesis.settings.register_profile("busy", deadline=None)  # a busy machine is no mistake
    hypothesis.settings.load_profile("busy")
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    if settings.STATIC_ROOT:  # the dashboard; the tuning server has no static files
        plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
        settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}
        Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Between tests of several connections SQLite's tables are emptied row by row, which the audit log's triggers
    forbid: its own tests put them in place again.
    """
    if apps.is_installed("dashboard.audit"):
        from dashboard.audit import triggers

        with django_db_blocker.unblock():
            triggers.remove(connection)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A browser or engine test that was left out is a failure in CI."""
    report = yield
    if IN_CI and report.skipped and any(item.get_closest_marker(mark) for mark in MUST_RUN):
        report.outcome = "failed"
        report.longrepr = f"left out, and CI=true: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """So is a whole file that was left out."""
    report = yield
    if IN_CI and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"left out, and CI=true: {report.longrepr}"
    return report
