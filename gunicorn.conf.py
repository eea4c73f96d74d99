"""How gunicorn serves both programs; each names its own address in the Procfile."""

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
