-- Ids of the facts that were applied, so that a second arrival changes nothing.

CREATE TABLE seen_fact (
    id VARCHAR PRIMARY KEY,
    seen_at DOUBLE NOT NULL
);
