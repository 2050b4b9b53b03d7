"""The client of a running studio, in parts: `wire` speaks HTTP, each other module asks for one resource."""
