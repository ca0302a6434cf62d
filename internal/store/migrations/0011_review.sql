-- What review, quality and time make of templates, what is counted of their messages, and what operators have done.

-- The id that the APIs call a template by. New templates get theirs as all nodes of the Graph API do.
ALTER TABLE template ADD COLUMN id BIGINT NOT NULL DEFAULT 0;
UPDATE template SET id = 1000000000000000 + (SELECT count(*) FROM template t
    WHERE (t.account_id, t.name, t.language) < (template.account_id, template.name, template.language));
CREATE UNIQUE INDEX template_id ON template (id);

-- twin is what duplicates have in common; words is all of the text in lower case, to be searched: the server fills both in for
-- templates from before. due is when something happens to the template by itself; 0: nothing does.
ALTER TABLE template ADD COLUMN twin TEXT NOT NULL DEFAULT '';
ALTER TABLE template ADD COLUMN words TEXT NOT NULL DEFAULT '';
ALTER TABLE template ADD COLUMN score TEXT NOT NULL DEFAULT 'UNKNOWN';
ALTER TABLE template ADD COLUMN created BIGINT NOT NULL DEFAULT 0;
ALTER TABLE template ADD COLUMN due BIGINT NOT NULL DEFAULT 0;
CREATE INDEX template_twin ON template (account_id, twin);
CREATE INDEX template_created ON template (account_id, created);
CREATE INDEX template_due ON template (due);

-- What has become of a template's messages on a day.
CREATE TABLE template_day (
    template_id BIGINT NOT NULL, day BIGINT NOT NULL, account_id BIGINT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (template_id, day));
CREATE INDEX template_day_day ON template_day (day);

-- Messages that wait until it is known how customers take their template.
CREATE TABLE template_held (
    template_id BIGINT NOT NULL, message_id BIGINT NOT NULL, account_id BIGINT NOT NULL, number_id BIGINT NOT NULL,
    PRIMARY KEY (template_id, message_id));

-- How an account's templates are handled.
CREATE TABLE template_policy (account_id BIGINT PRIMARY KEY, body TEXT NOT NULL);

-- Who has changed what: never changed, never removed.
CREATE TABLE audit (
    id BIGINT PRIMARY KEY, account_id BIGINT NOT NULL, at BIGINT NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL,
    subject TEXT NOT NULL, body TEXT NOT NULL);
CREATE INDEX audit_subject ON audit (account_id, subject, id);
