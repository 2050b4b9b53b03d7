"""The version of the product, where every package may read it."""

VERSION = "0.1.0"
