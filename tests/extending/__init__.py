"""What CONTRIBUTING promises: an addition is one or two new files, and no other file changes."""
