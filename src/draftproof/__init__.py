"""Draftproof: an offline reviewer for technical design documents."""

__version__ = "0.1.0"
