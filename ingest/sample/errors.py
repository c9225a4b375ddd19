"""Errors of the sample generator. Nothing here is about reading or landing files."""


class SampleError(ValueError):
    """Sizes or values that the generator cannot work with; permanent, a retry cannot help."""
