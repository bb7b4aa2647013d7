-- Statements of ledger and statistics, rendered like the engine's (statements.sql): one page of cases, then what hangs on them.

-- name: ledger_cases each (after text, most bigint)
SELECT m.* FROM matters m WHERE m.id > :after AND m.id < 'case_zzz' AND m.kind = 'case' ORDER BY m.id LIMIT :most
-- name: ledger_cases_of each (organization text, after text, most bigint)
SELECT m.* FROM matters m WHERE m.organization = :organization AND m.kind = 'case' AND m.id > :after ORDER BY m.id LIMIT :most
-- name: ledger_steps (subject text)
SELECT e.subject, e.sequence, e.type, e.data FROM given JOIN events e ON e.subject = given.subject
WHERE e.about = given.subject AND e.type LIKE 'case.%' ORDER BY e.subject, e.sequence
-- These two go by the case's own index and give PostgreSQL no other to think of: a plan that was made while the tables were small
-- would walk through all clocks, and through all that was ever delivered.
-- name: ledger_limits (subject text)
SELECT c.subject, c.rule, c.due_on, c.state FROM given JOIN clocks c ON c.subject = given.subject
WHERE c.about || '' = given.subject AND substr(c.rule, 1, 3) IN ('D03', 'D23', 'D24', 'D27')
-- name: ledger_delivered (subject text)
SELECT d.subject, d.endpoint, d.type, d.about FROM given JOIN deliveries d ON d.subject = given.subject
WHERE d.state || '' = 'delivered' AND d.class NOT IN ('notify', 'handshake')
-- One after the other, each the next entry of the index: there are few, and millions of matters.
-- name: next_organization each (after text)
SELECT m.organization FROM matters m WHERE m.organization > :after ORDER BY m.organization LIMIT 1
-- name: ledger_mediators each (organization text, after text, most bigint)
SELECT m.* FROM matters m WHERE m.organization = :organization AND m.kind = 'mediator' AND m.id > :after ORDER BY m.id LIMIT :most
-- name: ledger_referrals each (organization text, after text, most bigint)
SELECT m.* FROM matters m WHERE m.organization = :organization AND m.kind = 'referral' AND m.id > :after ORDER BY m.id LIMIT :most
