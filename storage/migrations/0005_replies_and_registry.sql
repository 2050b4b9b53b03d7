-- Answers to requests that bore a key, so that the same request sent twice is done once.

CREATE TABLE reply (
    who VARCHAR NOT NULL,
    key VARCHAR NOT NULL,
    kept_at DOUBLE NOT NULL,
    record VARCHAR NOT NULL,
    PRIMARY KEY (who, key)
);

-- Versions of models under a name, each name in a project.

CREATE TABLE registered (
    project VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    version INTEGER NOT NULL,
    model_id VARCHAR NOT NULL,
    record VARCHAR NOT NULL,
    PRIMARY KEY (project, name, version)
);

CREATE TABLE alias (
    project VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    alias VARCHAR NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (project, name, alias)
);
