"""Commands for people, one file each; the workflow never calls them."""
