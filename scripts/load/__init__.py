"""People who sign in, for the scripts that restart, fail over and cut what is below them."""
