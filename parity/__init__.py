"""The witness: problems in, verdicts out. It says whether implementations compute identical costs and gradients."""

__version__ = "0.1.0"
