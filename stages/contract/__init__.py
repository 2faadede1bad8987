"""What every dataset must keep to, whichever tool wrote it: one form for all of them, checks, repairs."""
