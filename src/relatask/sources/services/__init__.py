"""HTTP, downloads, ChEMBL and STRING."""
