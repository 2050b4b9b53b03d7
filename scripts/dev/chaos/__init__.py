"""What becomes of jobs when processes are killed and networks are cut: `scripts/chaos`."""
