-- The console's statements, rendered like the engine's (statements.sql): index look-ups with a bound, on the store's one connection.

-- accounts and sessions ------------------------------------------------------------------------------------------------------
-- name: add_user (name text, title text, role text, scope text, password text, must_change boolean)
INSERT INTO users (name, title, role, scope, password, must_change, enabled, failures, created_at)
SELECT name, title, role, scope, password, must_change, true, 0, now_ms() FROM given WHERE true ON CONFLICT (name) DO NOTHING RETURNING name
-- name: find_user (name text)
SELECT u.*, now_ms() AS now FROM given JOIN users u ON u.name = given.name
-- name: all_users ()
SELECT u.name, u.title, u.role, u.scope, u.must_change, u.enabled, u.failures, u.signed_in_at, u.created_at, u.totp_sealed IS NOT NULL AS second FROM users u ORDER BY u.name LIMIT 500
-- name: set_password (name text, password text, must_change boolean)
UPDATE users SET password = given.password, must_change = given.must_change, failures = 0 FROM given WHERE users.name = given.name RETURNING users.name
-- name: set_totp (name text, totp_sealed bytea)
UPDATE users SET totp_sealed = given.totp_sealed, totp_step = NULL FROM given WHERE users.name = given.name RETURNING users.name
-- name: use_totp (name text, step bigint)
UPDATE users SET totp_step = given.step FROM given
WHERE users.name = given.name AND (users.totp_step IS NULL OR users.totp_step < given.step) RETURNING users.name
-- name: set_user (name text, title text, role text, scope text, enabled boolean)
UPDATE users SET title = given.title, role = given.role, scope = given.scope, enabled = given.enabled FROM given WHERE users.name = given.name RETURNING users.name
-- name: note_failed_login (name text)
UPDATE users SET failures = users.failures + 1, failed_at = now_ms() FROM given WHERE users.name = given.name
-- name: note_login (name text)
UPDATE users SET failures = 0, signed_in_at = now_ms() FROM given WHERE users.name = given.name
-- name: open_session (token_hash text, user_name text, lasts bigint)
INSERT INTO sessions (token_hash, user_name, created_at, seen_at, ends_at)
SELECT token_hash, user_name, now_ms(), now_ms(), now_ms() + lasts FROM given
-- name: find_session (token_hash text)
SELECT s.user_name, s.created_at, s.seen_at, s.ends_at, u.title, u.role, u.scope, u.must_change, u.enabled, now_ms() AS now
FROM given JOIN sessions s ON s.token_hash = given.token_hash JOIN users u ON u.name = s.user_name
-- name: see_session (token_hash text)
UPDATE sessions SET seen_at = now_ms() FROM given WHERE sessions.token_hash = given.token_hash
-- name: end_session (token_hash text)
DELETE FROM sessions WHERE token_hash IN (SELECT token_hash FROM given)
-- name: end_sessions_of (user_name text)
DELETE FROM sessions WHERE user_name IN (SELECT user_name FROM given)
-- name: drop_old_sessions ()
DELETE FROM sessions WHERE ends_at <= now_ms()

-- lists: ids are time-ordered, so a range of ids is a range of time ------------------------------------------------------------
-- Where the newest of one kind are asked for, the range is one of rows, state and all: PostgreSQL, which plans these once for all
-- values, else walks the primary key backwards through everything until it has met enough of a rare kind.
-- name: newest_deliveries each (after text, before text, most bigint)
SELECT d.id, d.message, d.type, d.about, d.endpoint, d.subject, d.class, d.state, d.attempts, d.code, d.next_at, d.safe_at, d.doubt_at, d.created_at, d.finished_at, d.word_due_at
FROM deliveries d WHERE d.id >= :after AND d.id < :before ORDER BY d.id DESC LIMIT :most
-- name: newest_deliveries_in each (state text, endpoint text, after text, before text, most bigint)
SELECT d.id, d.message, d.type, d.about, d.endpoint, d.subject, d.class, d.state, d.attempts, d.code, d.next_at, d.safe_at, d.doubt_at, d.created_at, d.finished_at, d.word_due_at
FROM deliveries d WHERE (d.state, d.endpoint, d.id) >= (:state, :endpoint, :after) AND (d.state, d.endpoint, d.id) < (:state, :endpoint, :before)
ORDER BY d.state DESC, d.endpoint DESC, d.id DESC LIMIT :most
-- name: newest_deliveries_of each (subject text, after text, before text, most bigint)
SELECT d.id, d.message, d.type, d.about, d.endpoint, d.subject, d.class, d.state, d.attempts, d.code, d.next_at, d.safe_at, d.doubt_at, d.created_at, d.finished_at, d.word_due_at
FROM deliveries d WHERE d.subject = :subject AND d.id >= :after AND d.id < :before ORDER BY d.id DESC LIMIT :most
-- name: deliveries_for_message (message text)
SELECT d.id, d.message, d.type, d.about, d.endpoint, d.subject, d.class, d.state, d.attempts, d.code, d.next_at, d.safe_at, d.doubt_at, d.created_at, d.finished_at
FROM given JOIN deliveries d ON d.message = given.message ORDER BY d.endpoint
-- name: open_deliveries_of (subject text)
SELECT d.id, d.type, d.endpoint, d.subject, d.state, d.code, d.next_at, d.created_at FROM given JOIN deliveries d ON d.subject = given.subject
WHERE d.state NOT IN ('delivered', 'cancelled', 'superseded')
-- name: newest_cases each (after text, before text, most bigint)
SELECT m.* FROM matters m WHERE m.id >= :after AND m.id < :before AND m.kind = 'case' ORDER BY m.id DESC LIMIT :most
-- name: newest_cases_of each (organization text, after text, before text, most bigint)
SELECT m.* FROM matters m WHERE (m.organization, m.kind, m.id) >= (:organization, 'case', :after)
  AND (m.organization, m.kind, m.id) < (:organization, 'case', :before) ORDER BY m.organization DESC, m.kind DESC, m.id DESC LIMIT :most
-- name: newest_tasks each (state text, before text, most bigint)
SELECT t.id, t.kind, t.subject, t.about, t.endpoint, t.organization, t.state, t.assignee, t.code, t.due_at, t.created_at, t.resolved_at
FROM tasks t WHERE (t.state, t.id) >= (:state, '') AND (t.state, t.id) < (:state, :before) ORDER BY t.state DESC, t.id DESC LIMIT :most
-- name: newest_callbacks each (state text, before text, most bigint)
SELECT c.id, c.endpoint, c.event_id, c.state, c.tries, c.due_at, c.code, c.received_at FROM callbacks c
WHERE (c.state, c.id) >= (:state, '') AND (c.state, c.id) < (:state, :before) ORDER BY c.state DESC, c.id DESC LIMIT :most
-- name: callback (id text)
SELECT c.* FROM given JOIN callbacks c ON c.id = given.id
-- name: newest_audit each (before bigint, most bigint)
SELECT a.* FROM audit a WHERE a.number < :before ORDER BY a.number DESC LIMIT :most
-- name: audit_from each (after bigint, most bigint)
SELECT a.* FROM audit a WHERE a.number > :after ORDER BY a.number LIMIT :most
-- name: organization_case each (organization text)
SELECT m.message FROM matters m WHERE m.organization = :organization AND m.kind = 'case' ORDER BY m.id DESC LIMIT 1
-- name: subject_matter (id text)
SELECT m.id, m.kind, m.business_key, m.organization, m.status FROM given JOIN matters m ON m.id = given.id
-- name: message_source (id text)
SELECT m.id, m.source FROM given JOIN messages m ON m.id = given.id
-- name: client_names ()
SELECT c.client, min(c.name) AS name FROM clients c GROUP BY c.client LIMIT 1000
-- name: attempt (delivery text, number int)
SELECT a.delivery, a.duration_ms, a.ended_at FROM given JOIN attempts a ON a.delivery = given.delivery AND a.number = given.number
-- name: lane_of (endpoint text, subject text)
SELECT l.head, l.due_at, l.token, l.lease_until, now_ms() AS now FROM given JOIN lanes l ON l.endpoint = given.endpoint AND l.subject = given.subject

-- counts now, each with a bound ------------------------------------------------------------------------------------------------
-- name: count_deliveries each (state text, endpoint text, after text, before text, most bigint)
SELECT CAST(:state AS text) AS state, CAST(:endpoint AS text) AS endpoint, count(*) AS many, min(found.id) AS oldest FROM (
  SELECT d.id FROM deliveries d WHERE (d.state, d.endpoint, d.id) >= (:state, :endpoint, :after) AND (d.state, d.endpoint, d.id) < (:state, :endpoint, :before)
  ORDER BY d.state, d.endpoint, d.id LIMIT :most) found
-- name: count_all_deliveries each (after text, before text, most bigint)
SELECT count(*) AS many FROM (SELECT d.id FROM deliveries d WHERE d.id >= :after AND d.id < :before ORDER BY d.id LIMIT :most) found
-- name: count_retrying each (endpoint text, most bigint)
SELECT CAST(:endpoint AS text) AS endpoint, count(*) AS many FROM (
  SELECT d.id FROM deliveries d WHERE d.endpoint = :endpoint AND d.state = 'pending' AND d.code IS NOT NULL LIMIT :most) found
-- name: count_tasks each (most bigint)
SELECT count(*) AS many, max(found.id) AS newest FROM (SELECT t.id FROM tasks t WHERE t.state = 'open' ORDER BY t.id DESC LIMIT :most) found
-- name: count_callbacks each (state text, most bigint)
SELECT CAST(:state AS text) AS state, count(*) AS many, min(found.id) AS oldest FROM (
  SELECT c.id FROM callbacks c WHERE c.state >= :state AND c.state <= :state ORDER BY c.state, c.id LIMIT :most) found
-- name: count_unnumbered each (most bigint)
SELECT count(*) AS many FROM (SELECT e.sequence FROM events e WHERE e.position IS NULL ORDER BY e.sequence, e.subject LIMIT :most) found
-- name: clocks_until each (before text, most bigint)
SELECT c.id, c.subject, c.about, c.rule, c.organization, c.due_on, c.safe_at, c.provisional FROM clocks c
WHERE c.state = 'running' AND c.due_on < :before ORDER BY c.due_on, c.id LIMIT :most
-- name: clocks_over each (since text, most bigint)
SELECT c.id, c.subject, c.about, c.rule, c.organization, c.due_on, c.safe_at, c.provisional, m.kind, m.status
FROM (SELECT o.* FROM clocks o WHERE o.state = 'expired' AND o.due_on >= :since ORDER BY o.due_on DESC, o.id DESC LIMIT :most) c
JOIN matters m ON m.id = c.about ORDER BY c.due_on DESC, c.id DESC
-- name: failed_groups each (endpoint text, since bigint)
SELECT d.endpoint, d.code, d.type, d.state, count(*) AS many, min(d.finished_at) AS first_at, max(d.finished_at) AS last_at,
  sum(CASE WHEN d.finished_at >= :since THEN 1 ELSE 0 END) AS recent, max(d.id) AS sample
FROM deliveries d WHERE d.endpoint = :endpoint AND d.state IN ('rejected', 'dead', 'expired', 'in_doubt') GROUP BY d.endpoint, d.code, d.type, d.state
-- name: retrying_groups each (endpoint text, most bigint)
SELECT d.endpoint, d.code, d.type, 'pending' AS state, count(*) AS many, min(d.id) AS first_id, max(d.id) AS sample
FROM deliveries d WHERE d.endpoint = :endpoint AND d.state = 'pending' AND d.code IS NOT NULL GROUP BY d.endpoint, d.code, d.type LIMIT :most

-- figures over time ------------------------------------------------------------------------------------------------------------
-- name: lock_mark (consumer text)
SELECT m.position FROM given JOIN marks m ON m.consumer = given.consumer FOR UPDATE OF m
-- What cannot be joined is not looked for: a condition on the event beside the key would be asked after the look.
-- name: events_to_tally each (mark bigint, batch bigint)
SELECT e.position, e.subject, e.type, e.about, e.organization, e.at, e.data, m.type AS message_type, m.source AS message_source,
  d.endpoint AS delivery_endpoint, d.created_at AS delivery_created, d.code AS delivery_code, dm.source AS delivery_source
FROM events e LEFT JOIN messages m
  ON m.subject = CASE WHEN e.type NOT LIKE 'delivery.%' AND e.type NOT LIKE 'clock.%' AND e.type NOT LIKE 'task.%' THEN e.subject END
  AND m.sequence = e.sequence AND m.id >= 'msg_' || substr(e.subject, length(e.subject) - 25, 10)
LEFT JOIN deliveries d ON d.id = CASE WHEN e.type LIKE 'delivery.%' THEN e.about END
LEFT JOIN messages dm ON dm.id = d.message
WHERE e.position > :mark ORDER BY e.position LIMIT :batch
-- name: add_tally (step int, at bigint, series text, many bigint)
INSERT INTO tallies (step, at, series, many) SELECT step, at, series, many FROM given WHERE true
ON CONFLICT (step, at, series) DO UPDATE SET many = tallies.many + excluded.many
-- name: tallies_since each (step int, since bigint, most bigint)
SELECT t.at, t.series, t.many FROM tallies t WHERE t.step = :step AND t.at >= :since ORDER BY t.at LIMIT :most
-- name: drop_tallies (step int, before bigint)
DELETE FROM tallies WHERE (step, at, series) IN (SELECT t.step, t.at, t.series FROM given JOIN tallies t ON t.step = given.step AND t.at < given.before LIMIT 2000)
-- name: add_number (folded text, about text, backwards text, subject text)
INSERT INTO numbers (folded, about, backwards, subject) SELECT folded, about, backwards, subject FROM given WHERE true ON CONFLICT DO NOTHING
-- name: numbers_between each (since text, until text, most bigint)
SELECT n.folded, n.about, n.subject FROM numbers n WHERE n.folded >= :since AND n.folded < :until ORDER BY n.folded LIMIT :most
-- name: numbers_ending each (since text, until text, most bigint)
SELECT n.folded, n.about, n.subject FROM numbers n WHERE n.backwards >= :since AND n.backwards < :until ORDER BY n.backwards LIMIT :most

-- notes of groups ----------------------------------------------------------------------------------------------------------------
-- name: set_group_note (group_key text, note text, actor text)
INSERT INTO group_notes (group_key, note, actor, at) SELECT group_key, note, actor, now_ms() FROM given WHERE true
ON CONFLICT (group_key) DO UPDATE SET note = excluded.note, actor = excluded.actor, at = excluded.at RETURNING group_key
-- name: group_note (group_key text)
SELECT n.* FROM given JOIN group_notes n ON n.group_key = given.group_key

-- bulk jobs ----------------------------------------------------------------------------------------------------------------------
-- name: add_job (id text, state text, actor text, needs_second boolean, reason text, filter text, per_minute int, canary int, stop_percent int, total int, kind text, overtaken boolean)
INSERT INTO jobs (id, state, actor, needs_second, reason, filter, per_minute, canary, stop_percent, total, kind, overtaken, created_at, due_at)
SELECT id, state, actor, needs_second, reason, filter, per_minute, canary, stop_percent, total, kind, overtaken, now_ms(), now_ms() FROM given
-- name: add_job_item (job text, place int, delivery text)
INSERT INTO job_items (job, place, delivery, state, attempts) SELECT job, place, delivery, 'waiting', 0 FROM given
-- name: job (id text)
SELECT j.* FROM given JOIN jobs j ON j.id = given.id
-- name: newest_jobs each (before text, most bigint)
SELECT j.* FROM jobs j WHERE j.id < :before ORDER BY j.id DESC LIMIT :most
-- name: job_marks each (most bigint)
SELECT j.id, j.state, j.due_at FROM jobs j ORDER BY j.id DESC LIMIT :most
-- name: due_jobs ()
SELECT j.id FROM jobs j WHERE j.state = 'running' AND j.due_at <= now_ms() ORDER BY j.due_at LIMIT 20
-- name: take_job (id text, lease bigint)
UPDATE jobs SET due_at = now_ms() + given.lease FROM given WHERE jobs.id = given.id AND jobs.state = 'running' AND jobs.due_at <= now_ms() RETURNING jobs.id
-- name: rest_job (id text, wait bigint)
UPDATE jobs SET due_at = now_ms() + given.wait FROM given WHERE jobs.id = given.id AND jobs.state = 'running'
-- name: move_job (id text, before text, after text, code text)
UPDATE jobs SET state = given.after, code = given.code, due_at = now_ms(),
  finished_at = CASE WHEN given.after IN ('stopped', 'cancelled', 'done') THEN now_ms() END
FROM given WHERE jobs.id = given.id AND jobs.state = given.before RETURNING jobs.id
-- name: approve_job (id text, approver text)
UPDATE jobs SET state = 'running', approver = given.approver, due_at = now_ms() FROM given
WHERE jobs.id = given.id AND jobs.state = 'asked' AND jobs.actor <> given.approver RETURNING jobs.id
-- name: job_counts (job text)
SELECT i.state, count(*) AS many FROM given JOIN job_items i ON i.job = given.job GROUP BY i.state
-- name: job_items_in each (job text, state text, after int, most bigint)
SELECT i.job, i.place, i.delivery, i.state, i.attempts, i.code FROM job_items i WHERE i.job = :job AND i.state = :state AND i.place > :after ORDER BY i.place LIMIT :most
-- name: move_job_item (job text, place int, state text, attempts int, code text, delivery text)
UPDATE job_items SET state = given.state, attempts = given.attempts, code = given.code, delivery = given.delivery FROM given WHERE job_items.job = given.job AND job_items.place = given.place

-- clients' keys --------------------------------------------------------------------------------------------------------------------
-- name: all_keys ()
SELECT c.prefix, c.client, c.name, c.scopes, c.organizations, c.enabled, c.created_at, c.expires_at FROM clients c ORDER BY c.name, c.created_at LIMIT 1000
-- name: lock_keys (client text)
SELECT c.prefix, c.name, c.scopes, c.organizations FROM given JOIN clients c ON c.client = given.client ORDER BY c.created_at, c.prefix FOR UPDATE OF c
-- name: end_other_keys (client text, prefix text, wait bigint)
UPDATE clients SET expires_at = now_ms() + given.wait FROM given
WHERE clients.client = given.client AND clients.prefix <> given.prefix AND (clients.expires_at IS NULL OR clients.expires_at > now_ms() + given.wait)
-- name: disable_key (prefix text)
UPDATE clients SET enabled = false FROM given WHERE clients.prefix = given.prefix AND clients.enabled RETURNING clients.prefix

-- alerts ---------------------------------------------------------------------------------------------------------------------------
-- name: open_alert (id text, rule text, about text, figure text)
INSERT INTO alerts (id, rule, about, figure, opened_at) SELECT id, rule, about, figure, now_ms() FROM given WHERE true
ON CONFLICT (rule, about) WHERE closed_at IS NULL DO NOTHING RETURNING id
-- name: close_alert (id text)
UPDATE alerts SET closed_at = now_ms() FROM given WHERE alerts.id = given.id AND alerts.closed_at IS NULL RETURNING alerts.id
-- name: see_alert (id text, actor text)
UPDATE alerts SET seen_by = given.actor FROM given WHERE alerts.id = given.id AND alerts.closed_at IS NULL AND alerts.seen_by IS NULL RETURNING alerts.id
-- name: open_alerts ()
SELECT a.* FROM alerts a WHERE a.closed_at IS NULL ORDER BY a.rule, a.about LIMIT 500
-- name: newest_alerts each (before text, most bigint)
SELECT a.* FROM alerts a WHERE a.id < :before ORDER BY a.id DESC LIMIT :most

-- alerts outward: a row for each transition and channel ---------------------------------------------------------------------------
-- name: add_notice (alert text, phase text, channel text, wait bigint)
INSERT INTO alert_notices (alert, phase, channel, state, tries, due_at, held, made_at)
SELECT alert, phase, channel, 'waiting', 0, now_ms() + wait, false, now_ms() FROM given WHERE true ON CONFLICT DO NOTHING
-- name: told_notices (alert text)
SELECT n.alert, n.channel, n.state FROM given JOIN alert_notices n ON n.alert = given.alert WHERE n.phase = 'opened' AND n.state <> 'dropped'
-- name: due_notices each (channel text, horizon bigint, most bigint)
SELECT n.alert, n.phase, n.channel, n.tries, n.due_at, n.held, n.made_at, a.rule, a.about, a.figure, a.opened_at, a.closed_at, now_ms() AS now
FROM alert_notices n JOIN alerts a ON a.id = n.alert
WHERE n.channel = :channel AND n.state = 'waiting' AND n.due_at <= now_ms() + :horizon ORDER BY n.due_at LIMIT :most
-- name: sent_notice (alert text, phase text, channel text)
UPDATE alert_notices SET state = 'sent', sent_at = now_ms(), code = NULL FROM given
WHERE alert_notices.alert = given.alert AND alert_notices.phase = given.phase AND alert_notices.channel = given.channel
-- name: later_notice (alert text, phase text, channel text, wait bigint, code text)
UPDATE alert_notices SET tries = alert_notices.tries + 1, due_at = now_ms() + given.wait, code = given.code FROM given
WHERE alert_notices.alert = given.alert AND alert_notices.phase = given.phase AND alert_notices.channel = given.channel AND alert_notices.state = 'waiting'
-- name: hold_notice (alert text, phase text, channel text, ends_at bigint)
UPDATE alert_notices SET held = true, due_at = given.ends_at FROM given
WHERE alert_notices.alert = given.alert AND alert_notices.phase = given.phase AND alert_notices.channel = given.channel AND alert_notices.state = 'waiting'
-- name: drop_notice (alert text, phase text, channel text, code text)
UPDATE alert_notices SET state = 'dropped', code = given.code FROM given
WHERE alert_notices.alert = given.alert AND alert_notices.phase = given.phase AND alert_notices.channel = given.channel AND alert_notices.state = 'waiting'
-- name: free_notices (channel text)
UPDATE alert_notices SET due_at = now_ms() FROM given WHERE alert_notices.channel = given.channel AND alert_notices.state = 'waiting' AND alert_notices.held
-- name: drop_late_notices each (before bigint)
UPDATE alert_notices SET state = 'dropped', code = 'too_late' WHERE state = 'waiting' AND made_at <= :before
-- name: forget_notices each (before bigint)
DELETE FROM alert_notices WHERE made_at <= :before AND state <> 'waiting'
-- name: notice_standing (channel text)
SELECT given.channel, count(*) AS many, min(n.made_at) AS oldest, max(n.tries) AS tries, max(n.code) AS code FROM given
JOIN alert_notices n ON n.channel = given.channel AND n.state = 'waiting' GROUP BY given.channel
-- name: set_mute (rule text, about text, ends bigint, actor text)
INSERT INTO alert_mutes (rule, about, ends_at, actor) SELECT rule, about, now_ms() + ends, actor FROM given WHERE true
ON CONFLICT (rule, about) DO UPDATE SET ends_at = excluded.ends_at, actor = excluded.actor RETURNING rule
-- name: drop_mute (rule text, about text)
DELETE FROM alert_mutes WHERE (rule, about) IN (SELECT rule, about FROM given)
-- name: drop_old_mutes ()
DELETE FROM alert_mutes WHERE ends_at <= now_ms()
-- name: mutes ()
SELECT m.rule, m.about, m.ends_at, m.actor FROM alert_mutes m WHERE m.ends_at > now_ms() ORDER BY m.ends_at LIMIT 500
-- name: alert (id text)
SELECT a.*, now_ms() AS now FROM given JOIN alerts a ON a.id = given.id

-- traces ---------------------------------------------------------------------------------------------------------------------------
-- name: add_trace (thing text, traceparent text)
INSERT INTO traces (thing, traceparent, at) SELECT thing, traceparent, now_ms() FROM given WHERE true
ON CONFLICT (thing) DO UPDATE SET traceparent = excluded.traceparent, at = excluded.at
-- name: traces_of (thing text)
SELECT t.thing, t.traceparent FROM given JOIN traces t ON t.thing = given.thing
-- name: drop_traces each (before bigint)
DELETE FROM traces WHERE at <= :before
