"""What the REST API takes and gives, as Pydantic models. They import nothing but Pydantic and the records."""
