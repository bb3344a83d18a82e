"""A declarative plan and apply engine for multicluster Istio ambient meshes."""

__version__ = "0.1.0"
