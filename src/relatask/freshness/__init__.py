"""What made each file below results/, and whether it would be made the same way now."""
