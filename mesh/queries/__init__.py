"""Verbs that only read: checks, status, access, discover, explain, outputs."""
