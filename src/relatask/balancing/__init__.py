"""How the losses of tasks learned together are weighed against each other; one file each."""
