"""Corpora in, model folder out: ``python -m training``."""
