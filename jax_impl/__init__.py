"""The formulas of the notes in JAX: the forward pass is written out, `jax.grad` does the rest."""
