"""How any network is trained; torch, never pydantic."""
