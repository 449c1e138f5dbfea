"""How each coding agent is spoken to. Pure: bytes and marks in, events and bytes to write out."""
