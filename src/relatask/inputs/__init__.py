"""What encoders read, one file for each kind of input."""
