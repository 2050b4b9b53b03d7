-- What was found out about a stored table, by the hash of its content: profiles, checks, comparisons. It can be
-- found out again at any time.

CREATE TABLE measurement (
    sha256 VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    about VARCHAR NOT NULL,
    measured_at DOUBLE NOT NULL,
    record VARCHAR NOT NULL,
    PRIMARY KEY (sha256, kind, about)
);
