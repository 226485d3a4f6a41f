"""Each provider as the simulator plays it."""
