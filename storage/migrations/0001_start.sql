-- Each table keeps the whole record as JSON in `record`, beside plain columns for what one filters or sorts
-- by. The plain columns are written from the record, never on their own. There are no foreign keys: DuckDB
-- refuses harmless updates of a row that another table points to.

CREATE TABLE dataset (
    id VARCHAR PRIMARY KEY,
    name VARCHAR NOT NULL,
    version INTEGER NOT NULL,
    sha256 VARCHAR NOT NULL,
    created_at DOUBLE NOT NULL,
    deleted BOOLEAN NOT NULL,
    record VARCHAR NOT NULL,
    UNIQUE (name, version)
);

CREATE TABLE job (
    id VARCHAR PRIMARY KEY,
    kind VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    dataset_id VARCHAR NOT NULL,
    created_at DOUBLE NOT NULL,
    record VARCHAR NOT NULL
);

CREATE TABLE trial (
    job_id VARCHAR NOT NULL,
    number INTEGER NOT NULL,
    algorithm VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    score DOUBLE,
    record VARCHAR NOT NULL,
    PRIMARY KEY (job_id, number)
);

CREATE TABLE model (
    id VARCHAR PRIMARY KEY,
    job_id VARCHAR NOT NULL,
    created_at DOUBLE NOT NULL,
    champion BOOLEAN NOT NULL,
    score DOUBLE,
    record VARCHAR NOT NULL
);

-- The rows that a job measured when it ended, as one JSON list.
CREATE TABLE job_leaderboard (
    job_id VARCHAR PRIMARY KEY,
    records VARCHAR NOT NULL
);

CREATE TABLE worker (
    name VARCHAR PRIMARY KEY,
    state VARCHAR NOT NULL,
    heartbeat DOUBLE NOT NULL,
    record VARCHAR NOT NULL
);

CREATE TABLE log (
    logged_at DOUBLE NOT NULL,
    level VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    message VARCHAR NOT NULL,
    job_id VARCHAR NOT NULL,
    trial INTEGER
);

-- How far each Redis stream was read; written in the same transaction as what was read.
CREATE TABLE stream_offset (
    stream VARCHAR PRIMARY KEY,
    id VARCHAR NOT NULL
);
