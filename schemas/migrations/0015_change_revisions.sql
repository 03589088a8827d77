-- Which revision of the repository a change made. What a generator holds in memory is brought up to date by the
-- changes since, and only where none of them is missing.
alter table changes add column revision bigint;
create index changes_revision on changes (repository, revision) where revision is not null;

-- One to begin from.
insert into changes (repository, look, revision) select name, true, revision from repositories;
