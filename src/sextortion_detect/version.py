"""The version of the package, read by the build and by the model card."""

__version__ = "0.1.0"
