-- ONNX files that others made and an administrator let in.

CREATE TABLE foreign_model (
    id VARCHAR PRIMARY KEY,
    created_at DOUBLE NOT NULL,
    record VARCHAR NOT NULL
);
