"""The tuning server: the tuned-models REST API over a queue of tuning jobs, a Django program of its own.

``python -m tuning.server COMMAND`` runs it: ``api`` answers HTTP and only reads and writes rows, ``tuner`` claims
queued jobs and runs the engine in child processes. Neither has torch or llama.cpp in memory.
"""
