-- How telling a last and a first name is, like the words of a company name.
CREATE OR REPLACE TEMP TABLE _rare_last AS
SELECT {last} AS value, (ln($entities / count(*)) / ln($entities))::FLOAT AS weight FROM _right WHERE {last} IS NOT NULL GROUP BY 1;
CREATE OR REPLACE TEMP TABLE _rare_first AS
SELECT {first} AS value, (ln($entities / count(*)) / ln($entities))::FLOAT AS weight FROM _right WHERE {first} IS NOT NULL GROUP BY 1;
