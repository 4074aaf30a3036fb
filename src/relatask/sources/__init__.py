"""Where items, tasks and labels come from, one file or folder for each source."""
