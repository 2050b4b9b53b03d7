-- Users, how they come in, what they share, and what they did. Datasets and jobs lie in a project; the names
-- of datasets are counted in versions within their project.

CREATE TABLE studio_user (
    id VARCHAR PRIMARY KEY,
    name VARCHAR NOT NULL UNIQUE, -- in lower case: names differ by more than that
    email VARCHAR,
    record VARCHAR NOT NULL
);

CREATE TABLE session (
    key VARCHAR PRIMARY KEY,
    user_id VARCHAR NOT NULL,
    expires_at DOUBLE NOT NULL,
    record VARCHAR NOT NULL
);

CREATE TABLE token (
    id VARCHAR PRIMARY KEY,
    key VARCHAR NOT NULL UNIQUE,
    user_id VARCHAR NOT NULL,
    record VARCHAR NOT NULL
);

CREATE TABLE project (
    id VARCHAR PRIMARY KEY,
    record VARCHAR NOT NULL
);

CREATE TABLE audit (
    noted_at DOUBLE NOT NULL,
    who VARCHAR NOT NULL,
    action VARCHAR NOT NULL,
    subject VARCHAR NOT NULL,
    record VARCHAR NOT NULL
);

ALTER TABLE dataset RENAME TO dataset_before;

CREATE TABLE dataset (
    id VARCHAR PRIMARY KEY,
    name VARCHAR NOT NULL,
    version INTEGER NOT NULL,
    sha256 VARCHAR NOT NULL,
    created_at DOUBLE NOT NULL,
    deleted BOOLEAN NOT NULL,
    record VARCHAR NOT NULL,
    project VARCHAR NOT NULL,
    UNIQUE (project, name, version)
);

INSERT INTO dataset SELECT id, name, version, sha256, created_at, deleted, record, '' FROM dataset_before;

DROP TABLE dataset_before;

ALTER TABLE job ADD COLUMN project VARCHAR DEFAULT '';
