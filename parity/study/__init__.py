"""The pages: every formula of the notes beside its code in every implementation, with the numbers that it gives."""
