"""Runs on real clusters of the lab, disturbed by a seed: kills, faults, races, damage."""
