"""The client of a running studio, in parts: `wire` speaks HTTP, each other module asks for one resource."""

PART = ".part"  # ends the name of a file that is being written
