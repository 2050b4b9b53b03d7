"""FlowML Studio: self-hosted, private AutoML for tables."""

__version__ = "0.1.0"
