"""roost: the control plane for command-line coding agents.

This module imports nothing: the keeper and the command line start through it, and both must start fast.
"""

__version__ = "0.1.0"
__all__ = ["__version__"]
