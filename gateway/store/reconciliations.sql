-- Every statement about reconciliations (对账). See statements.sql for the form.

-- asking and working: one row per run, leased by its due time -------------------------------------------------------------------
-- name: add_reconciliation (id text, endpoint text, day text, method text, since bigint, until bigint, actor text, state text, phase text, place text, code text)
INSERT INTO reconciliations (id, endpoint, day, method, since, until, actor, state, phase, place, held, compared, unasked, found, tries, code, created_at, due_at, finished_at)
SELECT id, endpoint, day, method, since, until, actor, state, phase, place, 0, 0, 0, 0, 0, code, now_ms(), now_ms(), CASE WHEN state = 'done' THEN now_ms() END
FROM given WHERE true ON CONFLICT (endpoint, day) DO NOTHING RETURNING id
-- name: reconciliation (id text)
SELECT r.* FROM given JOIN reconciliations r ON r.id = given.id
-- name: newest_reconciliations each (before text, most bigint)
SELECT r.* FROM reconciliations r WHERE r.id < :before ORDER BY r.id DESC LIMIT :most
-- name: newest_reconciliations_of each (endpoint text, before text, most bigint)
SELECT r.* FROM reconciliations r WHERE r.endpoint = :endpoint AND r.id < :before ORDER BY r.id DESC LIMIT :most
-- A listing of words may begin where an earlier one ended that had ended before the period began.
-- name: listing_before each (endpoint text, since bigint)
SELECT r.cursor FROM reconciliations r WHERE r.endpoint = :endpoint AND r.cursor IS NOT NULL AND r.finished_at <= :since ORDER BY r.id DESC LIMIT 1
-- name: due_reconciliations ()
SELECT r.id, r.endpoint FROM reconciliations r WHERE r.state IN ('running', 'healing') AND r.due_at <= now_ms() ORDER BY r.due_at LIMIT 50
-- name: take_reconciliation (id text, lease bigint)
UPDATE reconciliations SET due_at = now_ms() + given.lease FROM given
WHERE reconciliations.id = given.id AND reconciliations.state IN ('running', 'healing') AND reconciliations.due_at <= now_ms() RETURNING reconciliations.id
-- name: move_reconciliation (id text, phase text, place text, cursor text, held int, compared int, unasked int, found int, lease bigint)
UPDATE reconciliations SET phase = given.phase, place = given.place, cursor = coalesce(given.cursor, reconciliations.cursor), held = reconciliations.held + given.held,
  compared = reconciliations.compared + given.compared, unasked = reconciliations.unasked + given.unasked, found = reconciliations.found + given.found, tries = 0, due_at = now_ms() + given.lease
FROM given WHERE reconciliations.id = given.id
-- name: rest_reconciliation (id text, wait bigint, tries int)
UPDATE reconciliations SET due_at = now_ms() + given.wait, tries = given.tries FROM given WHERE reconciliations.id = given.id AND reconciliations.state IN ('running', 'healing')
-- name: end_reconciliation (id text, state text, code text)
UPDATE reconciliations SET state = given.state, code = coalesce(given.code, reconciliations.code), finished_at = coalesce(reconciliations.finished_at, now_ms()) FROM given
WHERE reconciliations.id = given.id AND reconciliations.state IN ('running', 'healing')
-- name: heal_reconciliation (id text, healer text, reason text, kinds text)
UPDATE reconciliations SET state = 'healing', phase = 'mend', place = NULL, healer = given.healer, reason = given.reason, kinds = given.kinds, tries = 0, due_at = now_ms() FROM given
WHERE reconciliations.id = given.id AND reconciliations.state = 'done' RETURNING reconciliations.id
-- What the newest daily one of an endpoint found and nobody has dealt with.
-- name: newest_daily (endpoint text)
SELECT r.endpoint, r.id, r.state, r.code, (SELECT count(*) FROM differences f WHERE f.reconciliation = r.id AND f.state IN ('open', 'failed')) AS many
FROM given JOIN reconciliations r ON r.id = (
  SELECT n.id FROM reconciliations n WHERE n.endpoint = given.endpoint AND n.day IS NOT NULL ORDER BY n.day DESC LIMIT 1)
-- name: old_reconciliations each (before text, most bigint)
SELECT r.id FROM reconciliations r WHERE r.id < :before AND r.state IN ('done', 'stopped') ORDER BY r.id LIMIT :most
-- name: drop_reconciliation (id text)
DELETE FROM reconciliations WHERE id IN (SELECT id FROM given)
-- name: drop_differences (reconciliation text)
DELETE FROM differences WHERE reconciliation IN (SELECT reconciliation FROM given)

-- the platform's side: what its listing named -------------------------------------------------------------------------------------
-- name: see_filing (reconciliation text, filing text)
INSERT INTO reconciliation_seen (reconciliation, filing) SELECT reconciliation, filing FROM given WHERE true ON CONFLICT DO NOTHING RETURNING filing
-- name: seen_filings (reconciliation text, filing text)
SELECT s.filing FROM given JOIN reconciliation_seen s ON s.reconciliation = given.reconciliation AND s.filing = given.filing
-- name: forget_seen (reconciliation text)
DELETE FROM reconciliation_seen WHERE reconciliation IN (SELECT reconciliation FROM given)

-- our side: a range of ids is a range of time --------------------------------------------------------------------------------------
-- name: deliveries_to_compare each (state text, endpoint text, after text, before text, most bigint)
SELECT d.id, d.message, d.type, d.about, d.endpoint, d.subject, d.state, d.reference, d.attempts, d.created_at, d.finished_at
FROM deliveries d WHERE (d.state, d.endpoint, d.id) > (:state, :endpoint, :after) AND (d.state, d.endpoint, d.id) < (:state, :endpoint, :before)
  AND d.class <> 'notify' ORDER BY d.state, d.endpoint, d.id LIMIT :most
-- name: delivery_wire (id text)
SELECT d.id, d.wire_sealed FROM given JOIN deliveries d ON d.id = given.id
-- name: message_version (id text)
SELECT m.id, m.version FROM given JOIN messages m ON m.id = given.id
-- name: end_reconciliation_leases ()
UPDATE reconciliations SET due_at = now_ms() WHERE state IN ('running', 'healing') AND due_at > now_ms()
-- name: room_at (endpoint text)
SELECT e.paused, e.quiet_until > now_ms() AS quiet, e.breaker, e.slots, (SELECT count(*) FROM lanes l WHERE l.endpoint = given.endpoint AND l.lease_until > now_ms()) AS live
FROM given JOIN endpoints e ON e.name = given.endpoint

-- what was found ---------------------------------------------------------------------------------------------------------------------
-- name: add_difference (reconciliation text, key text, kind text, code text, delivery text, about text, name text, reference text, ours text, theirs text)
INSERT INTO differences (reconciliation, key, kind, code, delivery, about, name, reference, ours, theirs, state)
SELECT reconciliation, key, kind, code, delivery, about, name, reference, ours, theirs, 'open' FROM given WHERE true ON CONFLICT DO NOTHING RETURNING key
-- name: differences_of each (reconciliation text, after text, most bigint)
SELECT f.* FROM differences f WHERE f.reconciliation = :reconciliation AND f.key > :after ORDER BY f.key LIMIT :most
-- name: differences_in each (reconciliation text, state text, after text, most bigint)
SELECT f.* FROM differences f WHERE f.reconciliation = :reconciliation AND f.state = :state AND f.key > :after ORDER BY f.key LIMIT :most
-- name: difference_named (reconciliation text, key text)
SELECT f.* FROM given JOIN differences f ON f.reconciliation = given.reconciliation AND f.key = given.key
-- name: difference_counts (reconciliation text)
SELECT f.kind, f.state, count(*) AS many FROM given JOIN differences f ON f.reconciliation = given.reconciliation GROUP BY f.kind, f.state
-- name: move_difference (reconciliation text, key text, state text, outcome text)
UPDATE differences SET state = given.state, outcome = given.outcome, mended_at = now_ms() FROM given
WHERE differences.reconciliation = given.reconciliation AND differences.key = given.key
