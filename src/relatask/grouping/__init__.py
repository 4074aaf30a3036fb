"""Which tasks should be learned together: gains of task sets, their estimates, and groups chosen by them."""
