"""Answering with llama.cpp, and asking the process that does."""
