-- What people at the console keep and ask: saved views, holds of endpoints, corrections, matches by hand; rendered like the engine's.

-- saved views ------------------------------------------------------------------------------------------------------------------------
-- name: keep_view (id text, user_name text, name text, query text)
INSERT INTO views (id, user_name, name, query, created_at) SELECT id, user_name, name, query, now_ms() FROM given WHERE true
ON CONFLICT (user_name, name) DO UPDATE SET query = excluded.query RETURNING id
-- name: views_of (user_name text)
SELECT v.id, v.name, v.query FROM given JOIN views v ON v.user_name = given.user_name ORDER BY v.name LIMIT 100
-- name: view (id text)
SELECT v.* FROM given JOIN views v ON v.id = given.id
-- name: drop_view (id text, user_name text)
DELETE FROM views WHERE id IN (SELECT v.id FROM given JOIN views v ON v.id = given.id AND v.user_name = given.user_name) RETURNING id

-- holds of endpoints: pauses and maintenance windows -----------------------------------------------------------------------------------
-- name: add_hold (id text, endpoint text, actor text, reason text)
INSERT INTO holds (id, endpoint, planned, actor, reason, starts_at, began_at) SELECT id, endpoint, false, actor, reason, now_ms(), now_ms() FROM given
-- name: plan_hold (id text, endpoint text, actor text, reason text, per_minute int, starts_at bigint, ends_at bigint)
INSERT INTO holds (id, endpoint, planned, actor, reason, per_minute, starts_at, ends_at)
SELECT id, endpoint, true, actor, reason, per_minute, starts_at, ends_at FROM given
WHERE NOT EXISTS (SELECT 1 FROM holds h WHERE h.endpoint = given.endpoint AND h.ended_at IS NULL AND h.planned AND h.starts_at < given.ends_at AND h.ends_at > given.starts_at)
RETURNING id
-- name: begin_hold (id text)
UPDATE holds SET began_at = now_ms() FROM given WHERE holds.id = given.id AND holds.began_at IS NULL AND holds.ended_at IS NULL RETURNING holds.id
-- name: end_hold (id text, ended_by text, end_reason text)
UPDATE holds SET ended_at = now_ms(), ended_by = given.ended_by, end_reason = given.end_reason FROM given WHERE holds.id = given.id AND holds.ended_at IS NULL RETURNING holds.id
-- name: end_holds_of (endpoint text, ended_by text, end_reason text)
UPDATE holds SET ended_at = now_ms(), ended_by = given.ended_by, end_reason = given.end_reason FROM given
WHERE holds.endpoint = given.endpoint AND holds.ended_at IS NULL AND holds.began_at IS NOT NULL
-- name: take_back_hold (id text, ended_by text, end_reason text)
UPDATE holds SET ended_at = now_ms(), ended_by = given.ended_by, end_reason = given.end_reason FROM given
WHERE holds.id = given.id AND holds.planned AND holds.began_at IS NULL AND holds.ended_at IS NULL RETURNING holds.id
-- name: open_holds ()
SELECT h.*, now_ms() AS now FROM holds h WHERE h.ended_at IS NULL ORDER BY h.endpoint, h.starts_at LIMIT 500
-- name: hold (id text)
SELECT h.* FROM given JOIN holds h ON h.id = given.id
-- name: holds_of each (endpoint text, most bigint)
SELECT h.* FROM holds h WHERE h.endpoint = :endpoint ORDER BY h.id DESC LIMIT :most
-- name: lock_paused_by (name text, by text)
SELECT e.name FROM given JOIN endpoints e ON e.name = given.name WHERE e.paused AND e.paused_by = given.by FOR UPDATE OF e
-- name: waiting_now each (endpoint text, most bigint)
SELECT d.id, d.subject FROM deliveries d LEFT JOIN lanes l ON l.endpoint = d.endpoint AND l.subject = d.subject
WHERE d.endpoint = :endpoint AND d.state = 'pending' AND d.next_at <= now_ms()
ORDER BY l.safe_at IS NULL, l.safe_at, d.created_at, d.subject, d.first DESC, d.sequence LIMIT :most
-- name: put_off (id text, wait bigint)
UPDATE deliveries SET next_at = now_ms() + given.wait FROM given WHERE deliveries.id = given.id AND deliveries.state = 'pending'

-- corrections of what was refused --------------------------------------------------------------------------------------------------------
-- name: ask_correction (id text, delivery text, actor text, reason text, changes_sealed bytea)
INSERT INTO corrections (id, delivery, state, actor, reason, changes_sealed, created_at)
SELECT id, delivery, 'asked', actor, reason, changes_sealed, now_ms() FROM given WHERE true ON CONFLICT (delivery) WHERE state = 'asked' DO NOTHING RETURNING id
-- name: correction (id text)
SELECT c.* FROM given JOIN corrections c ON c.id = given.id
-- name: corrections_of each (delivery text, most bigint)
SELECT c.* FROM corrections c WHERE c.delivery = :delivery ORDER BY c.id DESC LIMIT :most
-- name: asked_corrections ()
SELECT c.* FROM corrections c WHERE c.state = 'asked' ORDER BY c.delivery LIMIT 200
-- name: end_correction (id text, state text, approver text, made text)
UPDATE corrections SET state = given.state, approver = given.approver, made = given.made, ended_at = now_ms() FROM given
WHERE corrections.id = given.id AND corrections.state = 'asked' AND (given.state = 'refused' OR corrections.actor <> given.approver) RETURNING corrections.id

-- matching an orphan by hand ---------------------------------------------------------------------------------------------------------------
-- name: match_callback (id text, matched text)
UPDATE callbacks SET matched = given.matched, state = 'stored', code = NULL, tries = 0, due_at = now_ms() FROM given
WHERE callbacks.id = given.id AND callbacks.state = 'orphan' RETURNING callbacks.id
-- name: apply_again (id text)
UPDATE callbacks SET state = 'stored', code = NULL, tries = 0, due_at = now_ms() FROM given
WHERE callbacks.id = given.id AND callbacks.state IN ('orphan', 'unreadable') RETURNING callbacks.id
-- name: open_tasks_with each (kind text, most bigint)
SELECT t.id, t.kind, t.subject, t.about, t.endpoint, t.code, t.created_at FROM tasks t WHERE t.state = 'open' AND t.kind = :kind ORDER BY t.id DESC LIMIT :most
