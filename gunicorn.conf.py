"""How gunicorn serves both programs; each names its own address in the Procfile."""

import gc

from gunicorn.workers.base import Worker

# One process with threads: requests mostly wait for the database or another service. Nothing is loaded before
# the fork, so that no thread, connection or lock of the parent is copied into the worker.
worker_class = "gthread"
workers = 1
threads = 8
preload_app = False
umask = 0o077

timeout = 60
graceful_timeout = 3
keepalive = 30

loglevel = "warning"
control_socket_disable = True


def post_worker_init(worker: Worker) -> None:
    """Load all pages, and have the garbage collector pass over what is there by then: looking through it took 60 ms
    every few dozen pages, in which nobody else was answered either.
    """
    from django.urls import get_resolver  # noqa: PLC0415 - in the worker alone

    _ = get_resolver().url_patterns
    gc.collect()
    gc.freeze()
