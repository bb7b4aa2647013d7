-- Every statement of the engine, one text for both engines. The header names a statement's input; `given` is that input as
-- rows: unnest($1::text[], …) on PostgreSQL (the whole batch in one statement), (SELECT ?1 AS …) on SQLite (once per row).
-- `each` runs once per row on both. Row locks are dropped for SQLite, which has one writer.
-- `alone`: where PostgreSQL is given one row, it gets plain values, by which it finds a table's month before it begins.
-- Locks are always taken in this order: log, subjects, keys, matters, webhook endpoints, lanes; rows of one table by their ids.

-- subjects and keys ----------------------------------------------------------------------------------------------------------
-- name: open_subject (id text, kind text, sequence bigint)
INSERT INTO subjects (id, kind, sequence) SELECT id, kind, sequence FROM given
-- name: ensure_subject (id text, kind text)
INSERT INTO subjects (id, kind, sequence) SELECT id, kind, 0 FROM given WHERE true ON CONFLICT DO NOTHING
-- name: lock_subject (id text)
SELECT s.id, s.sequence FROM given JOIN subjects s ON s.id = given.id ORDER BY s.id FOR UPDATE OF s
-- name: move_subject (id text, sequence bigint)
UPDATE subjects SET sequence = given.sequence FROM given WHERE subjects.id = given.id
-- name: reserve_key (client text, key text, digest bytea, about text, answer bytea)
INSERT INTO idempotency_keys (client, key, digest, about, answer, created_at)
SELECT client, key, digest, about, answer, now_ms() FROM given WHERE true ON CONFLICT DO NOTHING RETURNING client, key
-- name: read_key (client text, key text)
SELECT k.client, k.key, k.digest, k.about, k.answer FROM given
JOIN idempotency_keys k ON k.client = given.client AND k.key = given.key
-- name: answer_key (client text, key text, answer bytea)
UPDATE idempotency_keys SET answer = given.answer FROM given
WHERE idempotency_keys.client = given.client AND idempotency_keys.key = given.key AND length(idempotency_keys.answer) = 0
-- name: forget_key (client text, key text)
DELETE FROM idempotency_keys WHERE (client, key) IN (SELECT client, key FROM given)

-- matters, messages, deliveries, events --------------------------------------------------------------------------------------
-- name: open_matter (id text, kind text, subject text, parent text, organization text, business_key text, facet text, status text, since bigint, version int, message text)
INSERT INTO matters (id, kind, subject, parent, organization, business_key, facet, status, since, version, message, active, created_at, updated_at)
SELECT id, kind, subject, parent, organization, business_key, facet, status, since, version, message, true, now_ms(), now_ms() FROM given WHERE true
ON CONFLICT (kind, business_key) WHERE active DO NOTHING RETURNING id
-- name: find_matter (kind text, business_key text)
SELECT m.id, m.kind, m.business_key, m.subject FROM given
JOIN matters m ON m.kind = given.kind AND m.business_key = given.business_key WHERE m.active
-- name: find_held_case (endpoint text, source_no text)
SELECT m.id FROM given JOIN matters m ON m.facet = given.source_no AND m.kind = 'case'
JOIN holders h ON h.subject = m.id AND h.endpoint = given.endpoint ORDER BY m.id
-- name: drop_matter (id text)
DELETE FROM matters WHERE id IN (SELECT id FROM given)
-- name: move_matter (id text, status text, since bigint, version int, message text, active boolean)
UPDATE matters SET status = given.status, since = coalesce(given.since, matters.since), version = given.version, message = given.message, active = given.active, updated_at = now_ms()
FROM given WHERE matters.id = given.id
-- name: amend_matter (id text, facet text, organization text)
UPDATE matters SET facet = coalesce(given.facet, matters.facet), organization = coalesce(given.organization, matters.organization) FROM given WHERE matters.id = given.id
-- name: add_holder (subject text, endpoint text)
INSERT INTO holders (subject, endpoint) SELECT subject, endpoint FROM given WHERE true ON CONFLICT DO NOTHING
-- name: add_message (id text, subject text, sequence bigint, type text, about text, version int, source text, correlation text, schema text, document_sealed bytea)
INSERT INTO messages (id, subject, sequence, type, about, version, source, correlation, schema, document_sealed, created_at)
SELECT id, subject, sequence, type, about, version, source, correlation, schema, document_sealed, now_ms() FROM given
-- name: add_delivery (id text, message text, type text, about text, endpoint text, subject text, sequence bigint, first int, class text, requires text, safe_at bigint)
INSERT INTO deliveries (id, message, type, about, endpoint, subject, sequence, first, class, requires, state, next_at, safe_at, created_at)
SELECT id, message, type, about, endpoint, subject, sequence, first, class, requires, 'pending', now_ms(), safe_at, now_ms() FROM given
-- name: add_event (subject text, sequence bigint, id text, type text, about text, organization text, data text)
INSERT INTO events (subject, sequence, id, type, about, organization, data, at)
SELECT subject, sequence, id, type, about, organization, data, now_ms() FROM given

-- what hangs on a subject ----------------------------------------------------------------------------------------------------
-- name: add_reference (endpoint text, kind text, value text, about text, subject text, folded text)
INSERT INTO external_references (endpoint, kind, value, about, subject, folded, created_at)
SELECT endpoint, kind, value, about, subject, folded, now_ms() FROM given WHERE true ON CONFLICT DO NOTHING RETURNING endpoint, about
-- name: open_task (id text, kind text, subject text, about text, endpoint text, organization text, code text, detail_sealed bytea, due_at bigint)
INSERT INTO tasks (id, kind, subject, about, endpoint, organization, state, code, detail_sealed, due_at, created_at)
SELECT id, kind, subject, about, endpoint, organization, 'open', code, detail_sealed, due_at, now_ms() FROM given WHERE true
ON CONFLICT (kind, about) WHERE state = 'open' DO NOTHING RETURNING id
-- name: close_task (kind text, about text, resolution text)
UPDATE tasks SET state = 'resolved', resolved_at = now_ms(), resolution = given.resolution FROM given
WHERE tasks.kind = given.kind AND tasks.about = given.about AND tasks.state = 'open'
-- name: start_clock (id text, subject text, about text, rule text, organization text, started_on text, due_on text, safe_at bigint, state text, provisional boolean, calendar text, alarm_at bigint, given_end text, extended_by int, pauses text)
INSERT INTO clocks (id, subject, about, rule, organization, started_on, due_on, safe_at, state, provisional, calendar, alarm_at, given_end, extended_by, pauses)
SELECT id, subject, about, rule, organization, started_on, due_on, safe_at, state, provisional, calendar, alarm_at, given_end, extended_by, pauses FROM given WHERE true
ON CONFLICT (about, rule) DO UPDATE SET started_on = excluded.started_on, due_on = excluded.due_on, safe_at = excluded.safe_at,
  state = excluded.state, provisional = excluded.provisional, calendar = excluded.calendar, alarm_at = excluded.alarm_at,
  given_end = excluded.given_end, extended_by = excluded.extended_by, pauses = excluded.pauses
-- name: move_clock (about text, rule text, state text)
UPDATE clocks SET state = given.state FROM given WHERE clocks.about = given.about AND clocks.rule = given.rule
  AND (clocks.state || '' = 'running' OR (clocks.state || '' = 'suspended' AND given.state IN ('met', 'cancelled')) OR (clocks.state || '' = 'met' AND given.state = 'running'))
-- name: due_alarms each (moment bigint, most bigint)
SELECT c.* FROM clocks c WHERE c.state = 'running' AND c.alarm_at <= :moment ORDER BY c.alarm_at LIMIT :most
-- name: provisional_clocks each (calendar text, after text, most bigint)
SELECT c.* FROM clocks c WHERE c.provisional AND c.calendar <> :calendar AND c.state <> 'cancelled' AND c.id > :after ORDER BY c.id LIMIT :most
-- name: move_safe_time (subject text, was bigint, safe_at bigint)
UPDATE deliveries SET safe_at = given.safe_at FROM given
WHERE deliveries.subject = given.subject AND deliveries.state = 'pending' AND deliveries.safe_at = given.was RETURNING endpoint, deliveries.subject
-- name: set_alarm (id text, alarm_at bigint, state text)
UPDATE clocks SET alarm_at = given.alarm_at, state = given.state FROM given WHERE clocks.id = given.id AND clocks.state = 'running'
-- name: add_paper (id text, endpoint text, subject text, about text, ref text, link_sealed bytea)
INSERT INTO papers (id, endpoint, subject, about, ref, link_sealed, state, due_at)
SELECT id, endpoint, subject, about, ref, link_sealed, 'pending', now_ms() FROM given WHERE true ON CONFLICT DO NOTHING
-- name: add_person (blind text, subject text, role text)
INSERT INTO people (blind, subject, role) SELECT blind, subject, role FROM given WHERE true ON CONFLICT DO NOTHING
-- name: add_applied (endpoint text, event_id text)
INSERT INTO applied (endpoint, event_id, at) SELECT endpoint, event_id, now_ms() FROM given WHERE true
ON CONFLICT DO NOTHING RETURNING endpoint, event_id
-- name: forget_applied (endpoint text, event_id text)
DELETE FROM applied WHERE (endpoint, event_id) IN (SELECT endpoint, event_id FROM given)
-- name: was_applied (endpoint text, event_id text)
SELECT a.endpoint, a.event_id FROM given JOIN applied a ON a.endpoint = given.endpoint AND a.event_id = given.event_id

-- lanes ----------------------------------------------------------------------------------------------------------------------
-- The one rule of a lane: its head is the first open delivery whose requirement is delivered; one in doubt is no head but
-- holds the rest. What overtakes (first = 1) comes first. A head in flight stays.
-- Where a state stands as `state || ''`, the index of open deliveries must not serve: a plan made while nothing was open would
-- walk through all that piles up later.
-- name: rehead (endpoint text, subject text)
INSERT INTO lanes (endpoint, subject, head, due_at, safe_at, tries, died)
SELECT d.endpoint, d.subject, d.id, d.next_at,
  (SELECT min(s.safe_at) FROM deliveries s WHERE s.endpoint = d.endpoint AND s.subject = d.subject AND s.state = 'pending' AND s.safe_at IS NOT NULL),
  d.attempts, d.crashes
FROM given JOIN deliveries d ON d.state || '' = 'pending' AND d.id = (
  SELECT n.id FROM deliveries n LEFT JOIN deliveries r ON r.id = n.requires
  WHERE n.endpoint = given.endpoint AND n.subject = given.subject AND n.state IN ('pending', 'in_doubt')
    AND (n.state = 'in_doubt' OR n.requires IS NULL OR r.state = 'delivered')
  ORDER BY n.first DESC, n.sequence LIMIT 1)
WHERE true
ON CONFLICT (endpoint, subject) DO UPDATE SET head = excluded.head, due_at = excluded.due_at, safe_at = excluded.safe_at, tries = excluded.tries, died = excluded.died
WHERE lanes.token IS NULL AND (lanes.head <> excluded.head OR lanes.due_at <> excluded.due_at OR lanes.safe_at IS DISTINCT FROM excluded.safe_at)
-- name: lock_lane (endpoint text, subject text)
SELECT l.endpoint, l.subject, l.head, l.token IS NOT NULL AND l.lease_until > now_ms() AS in_flight
FROM given JOIN lanes l ON l.endpoint = given.endpoint AND l.subject = given.subject ORDER BY l.endpoint, l.subject FOR UPDATE OF l
-- name: hold_lane (endpoint text, subject text, head text, token bigint)
SELECT l.head, l.token FROM given JOIN lanes l ON l.endpoint = given.endpoint AND l.subject = given.subject AND l.head = given.head AND l.token = given.token
ORDER BY l.endpoint, l.subject FOR UPDATE OF l
-- name: release_lane (endpoint text, subject text, token bigint)
DELETE FROM lanes WHERE (endpoint, subject, token) IN (SELECT endpoint, subject, token FROM given)
-- A lane that is dropped with a dead claim keeps the memory of that death on its delivery.
-- name: note_crash (endpoint text, subject text)
UPDATE deliveries SET attempts = l.tries, crashes = deliveries.crashes + l.tries - deliveries.attempts, doubt_at = coalesce(deliveries.doubt_at, l.lease_until)
FROM given JOIN lanes l ON l.endpoint = given.endpoint AND l.subject = given.subject
WHERE deliveries.id = l.head AND l.token IS NOT NULL AND l.lease_until <= now_ms()
-- name: clear_lane (endpoint text, subject text)
DELETE FROM lanes WHERE (endpoint, subject) IN (SELECT endpoint, subject FROM given) AND (token IS NULL OR lease_until <= now_ms())
-- name: waiting_on (id text)
SELECT DISTINCT d.endpoint, d.subject FROM given JOIN deliveries d ON d.requires = given.id WHERE d.state || '' = 'pending' ORDER BY d.endpoint, d.subject
-- name: born_blocked (id text)
SELECT d.id, d.endpoint, d.subject, (SELECT m.organization FROM matters m WHERE m.subject = d.subject ORDER BY m.id LIMIT 1) AS organization
FROM given JOIN deliveries d ON d.id = given.id JOIN deliveries r ON r.id = d.requires
WHERE d.class = 'statutory' AND r.state IN ('rejected', 'dead', 'expired', 'cancelled', 'superseded')
-- name: blocked_by (id text)
SELECT d.id, d.endpoint, d.subject, (SELECT m.organization FROM matters m WHERE m.subject = d.subject ORDER BY m.id LIMIT 1) AS organization
FROM given JOIN deliveries d ON d.requires = given.id WHERE d.state || '' = 'pending' AND d.class || '' = 'statutory'

-- claim: two looks and one write per endpoint --------------------------------------------------------------------------------
-- The endpoint's row is locked before the count, in a statement of its own: a count in the same statement would use a
-- snapshot from before the other claimer's commit, and overfill the slots.
-- A head is suspect after two dead claims: it may be what killed them. It is claimed alone, by a statement of its own.
-- name: open_endpoints ()
SELECT e.name, e.slots, e.breaker, (SELECT l.died FROM lanes l WHERE l.endpoint = e.name AND l.died > 0 AND (l.died > 1 OR l.token IS NOT NULL) AND l.due_at <= now_ms()
                                    ORDER BY l.died LIMIT 1) AS suspect,
  (SELECT min(l.due_at) FROM lanes l WHERE l.endpoint = e.name AND l.died > 0 AND (l.died > 1 OR l.token IS NOT NULL) AND l.due_at <= now_ms()) AS suspect_at,
  now_ms() AS now FROM endpoints e WHERE NOT e.paused AND e.slots > 0 AND e.quiet_until <= now_ms()
  AND (EXISTS (SELECT 1 FROM lanes l WHERE l.endpoint = e.name AND l.safe_at IS NULL AND l.due_at <= now_ms())
    OR EXISTS (SELECT 1 FROM lanes l WHERE l.endpoint = e.name AND l.safe_at IS NOT NULL AND l.due_at <= now_ms()))
FOR NO KEY UPDATE OF e SKIP LOCKED
-- name: count_live (endpoint text)
SELECT given.endpoint, (SELECT count(*) FROM lanes l WHERE l.endpoint = given.endpoint AND l.lease_until > now_ms()) AS live FROM given
-- name: claim each (endpoint text, quota bigint, token bigint, lease bigint)
WITH pick AS MATERIALIZED (
  SELECT * FROM (SELECT subject FROM lanes WHERE endpoint = :endpoint AND safe_at IS NOT NULL AND due_at <= now_ms()
                   AND NOT (died > 1 OR died = 1 AND token IS NOT NULL)
                 ORDER BY safe_at, due_at LIMIT :quota FOR UPDATE SKIP LOCKED) statutory
  UNION ALL
  SELECT * FROM (SELECT subject FROM lanes WHERE endpoint = :endpoint AND safe_at IS NULL AND due_at <= now_ms()
                   AND NOT (died > 1 OR died = 1 AND token IS NOT NULL)
                 ORDER BY due_at LIMIT :quota FOR UPDATE SKIP LOCKED) others
  LIMIT :quota)
UPDATE lanes SET token = :token, tries = tries + 1, died = died + CASE WHEN token IS NULL THEN 0 ELSE 1 END, lease_until = now_ms() + :lease, due_at = now_ms() + :lease
WHERE endpoint = :endpoint AND subject IN (SELECT subject FROM pick) RETURNING endpoint, subject, head, tries, token
-- name: claim_suspect each (endpoint text, token bigint, lease bigint)
UPDATE lanes SET token = :token, tries = tries + 1, died = died + CASE WHEN token IS NULL THEN 0 ELSE 1 END, lease_until = now_ms() + :lease, due_at = now_ms() + :lease
WHERE endpoint = :endpoint AND subject = (
  SELECT l.subject FROM lanes l WHERE l.endpoint = :endpoint AND l.died > 0 AND (l.died > 1 OR l.token IS NOT NULL) AND l.due_at <= now_ms()
  ORDER BY l.died, l.due_at LIMIT 1 FOR UPDATE OF l SKIP LOCKED)
RETURNING endpoint, subject, head, tries, token
-- A claim under which nothing went out counts for nothing: the lane is as it was, dead claims before it included.
-- name: give_back (endpoint text, subject text, head text, token bigint)
UPDATE lanes SET token = NULL, lease_until = NULL, due_at = now_ms(), tries = lanes.tries - 1 FROM given
WHERE lanes.endpoint = given.endpoint AND lanes.subject = given.subject AND lanes.head = given.head AND lanes.token = given.token
-- A suspect that lives on, alone, is none: its dead claims are forgotten, the running one is its first.
-- name: acquit_delivery (endpoint text, subject text, token bigint)
UPDATE deliveries SET attempts = l.tries - 1, crashes = 0 FROM given JOIN lanes l ON l.endpoint = given.endpoint AND l.subject = given.subject AND l.token = given.token
WHERE deliveries.id = l.head
-- name: acquit_lane (endpoint text, subject text, token bigint)
UPDATE lanes SET died = 0 FROM given WHERE lanes.endpoint = given.endpoint AND lanes.subject = given.subject AND lanes.token = given.token
-- name: load_claimed (id text)
SELECT d.id, d.message, d.type, d.about, d.endpoint, d.subject, d.sequence, d.class, d.safe_at, d.attempts, d.crashes, d.step, d.doubt_at,
  d.wire_sealed, d.created_at, now_ms() AS now,
  (SELECT m.organization FROM matters m WHERE m.subject = d.subject ORDER BY m.id LIMIT 1) AS organization
FROM given JOIN deliveries d ON d.id = given.id
-- name: next_due ()
SELECT min(CASE WHEN quiet_until > due_at THEN quiet_until ELSE due_at END) AS due_at, now_ms() AS now FROM (
  SELECT e.quiet_until, (SELECT min(l.due_at) FROM lanes l WHERE l.endpoint = e.name AND l.safe_at IS NULL) AS due_at FROM endpoints e WHERE NOT e.paused AND e.slots > 0
  UNION ALL
  SELECT e.quiet_until, (SELECT min(l.due_at) FROM lanes l WHERE l.endpoint = e.name AND l.safe_at IS NOT NULL) FROM endpoints e WHERE NOT e.paused AND e.slots > 0) soonest
WHERE due_at IS NOT NULL
-- name: end_leases ()
UPDATE lanes SET lease_until = now_ms(), due_at = now_ms() WHERE token IS NOT NULL

-- After a start with a clock that is behind the last run's: what was planned by that one comes nearer by so much.
-- name: last_alive ()
SELECT max(position) AS alive_at, now_ms() AS now FROM marks WHERE consumer LIKE 'alive:%'
-- name: forget_alive ()
UPDATE marks SET position = now_ms() WHERE consumer LIKE 'alive:%' AND position > now_ms()
-- name: hasten_lanes each (ms bigint)
UPDATE lanes SET due_at = due_at - :ms WHERE due_at > now_ms()
-- name: hasten_tries each (ms bigint)
UPDATE deliveries SET next_at = next_at - :ms WHERE state = 'pending' AND next_at > now_ms()
-- name: hasten_doubts each (ms bigint)
UPDATE deliveries SET doubt_at = doubt_at - :ms WHERE state = 'pending' AND doubt_at > now_ms()
-- name: renew_doubts ()
UPDATE deliveries SET doubt_at = now_ms() WHERE state = 'pending' AND doubt_at < now_ms()
-- name: hasten_words each (ms bigint)
UPDATE deliveries SET word_due_at = word_due_at - :ms WHERE state = 'relayed' AND word_due_at > now_ms()
-- name: hasten_callbacks each (ms bigint)
UPDATE callbacks SET due_at = due_at - :ms WHERE state = 'orphan' AND due_at > now_ms()
-- name: hasten_endpoints each (ms bigint)
UPDATE endpoints SET quiet_until = quiet_until - :ms WHERE quiet_until > now_ms()
-- name: hasten_webhooks each (ms bigint)
UPDATE webhook_endpoints SET probe_at = probe_at - :ms, waits_until = waits_until - :ms WHERE probe_at > now_ms() OR waits_until > now_ms()
-- name: end_polls ()
UPDATE endpoints SET poll_at = now_ms() WHERE poll_at > now_ms()
-- name: end_callback_leases ()
UPDATE callbacks SET due_at = now_ms() WHERE state = 'stored' AND due_at > now_ms()
-- name: end_mark_leases ()
UPDATE marks SET token = NULL, lease_until = NULL WHERE token IS NOT NULL
-- name: end_job_leases ()
UPDATE jobs SET due_at = now_ms() WHERE state = 'running' AND due_at > now_ms()
-- name: end_paper_leases ()
UPDATE papers SET due_at = now_ms() WHERE state = 'pending' AND due_at > now_ms()

-- settle and move ------------------------------------------------------------------------------------------------------------
-- name: freeze_wire (id text, operation text, mapping text, wire_sealed bytea)
UPDATE deliveries SET operation = given.operation, mapping = given.mapping, wire_sealed = given.wire_sealed FROM given WHERE deliveries.id = given.id
-- name: settle_delivery (id text, state text, code text, reasons_sealed bytea, reference text, attempts int, crashes int, step int, doubt_at bigint, wait bigint, word_wait bigint)
UPDATE deliveries SET state = given.state, code = given.code, reasons_sealed = coalesce(given.reasons_sealed, deliveries.reasons_sealed),
  reference = coalesce(given.reference, deliveries.reference), attempts = given.attempts, crashes = given.crashes, step = given.step, doubt_at = given.doubt_at,
  next_at = CASE WHEN given.state = 'pending' THEN now_ms() + given.wait ELSE deliveries.next_at END,
  word_due_at = CASE WHEN given.state = 'relayed' THEN now_ms() + given.word_wait ELSE deliveries.word_due_at END,
  finished_at = CASE WHEN given.state IN ('pending', 'relayed', 'in_doubt') THEN NULL ELSE now_ms() END
FROM given WHERE deliveries.id = given.id
-- name: add_attempt (delivery text, number int, trigger text, outcome text, code text, exchanges int, duration_ms int, steps_sealed bytea)
INSERT INTO attempts (delivery, number, trigger, outcome, code, exchanges, ended_at, duration_ms, steps_sealed)
SELECT delivery, number, trigger, outcome, code, exchanges, now_ms(), duration_ms, steps_sealed FROM given
-- name: move_delivery (id text, before text, after text, code text, reasons_sealed bytea, reference text, wait bigint, fresh boolean)
UPDATE deliveries SET state = given.after, code = given.code, reasons_sealed = coalesce(given.reasons_sealed, deliveries.reasons_sealed),
  reference = coalesce(given.reference, deliveries.reference), next_at = CASE WHEN given.after = 'pending' THEN now_ms() + given.wait ELSE deliveries.next_at END,
  step = CASE WHEN given.fresh THEN 0 ELSE deliveries.step END, crashes = CASE WHEN given.fresh THEN 0 ELSE deliveries.crashes END,
  doubt_at = CASE WHEN given.after IN ('pending', 'expired') AND given.before <> 'in_doubt' THEN deliveries.doubt_at ELSE NULL END,
  word_due_at = CASE WHEN given.after = 'relayed' THEN now_ms() + given.wait ELSE deliveries.word_due_at END,
  finished_at = CASE WHEN given.after IN ('pending', 'relayed', 'in_doubt') THEN NULL ELSE now_ms() END
FROM given WHERE deliveries.id = given.id AND deliveries.state = given.before RETURNING deliveries.id
-- name: repoint (old text, new text)
UPDATE deliveries SET requires = given.new FROM given WHERE deliveries.requires = given.old AND deliveries.state || '' = 'pending'
-- name: overdue_words (now bigint)
SELECT d.id, d.endpoint, d.subject, (SELECT m.organization FROM matters m WHERE m.subject = d.subject ORDER BY m.id LIMIT 1) AS organization
FROM given JOIN deliveries d ON d.state = 'relayed' AND d.word_due_at <= given.now ORDER BY d.word_due_at LIMIT 100
-- name: word_reminded (id text)
UPDATE deliveries SET word_due_at = NULL FROM given WHERE deliveries.id = given.id

-- endpoints ------------------------------------------------------------------------------------------------------------------
-- name: set_endpoint (name text, adapter text, slots int)
INSERT INTO endpoints (name, adapter, slots, changed_at) SELECT name, adapter, slots, now_ms() FROM given WHERE true
ON CONFLICT (name) DO UPDATE SET adapter = excluded.adapter, slots = excluded.slots
-- name: pause_endpoint (name text, by text, reason text)
UPDATE endpoints SET paused = true, paused_by = given.by, reason = given.reason, changed_at = now_ms() FROM given
WHERE endpoints.name = given.name AND NOT endpoints.paused RETURNING endpoints.name
-- name: resume_endpoint (name text)
UPDATE endpoints SET paused = false, paused_by = NULL, reason = NULL, quiet_until = 0, failures = 0, breaker = 'closed', poll_at = 0, changed_at = now_ms()
FROM given WHERE endpoints.name = given.name RETURNING endpoints.name
-- name: lock_paused (name text)
SELECT e.name FROM given JOIN endpoints e ON e.name = given.name WHERE e.paused FOR UPDATE OF e
-- name: owners_waiting (name text)
SELECT DISTINCT given.name AS endpoint, m.organization FROM given JOIN deliveries d ON d.endpoint = given.name AND d.state IN ('pending', 'in_doubt') JOIN matters m ON m.id = d.subject
-- name: hush_endpoint (name text, wait bigint)
UPDATE endpoints SET quiet_until = now_ms() + given.wait FROM given WHERE endpoints.name = given.name AND endpoints.quiet_until < now_ms() + given.wait
-- name: read_breaker (name text)
SELECT e.name, e.failures, e.breaker FROM given JOIN endpoints e ON e.name = given.name
-- name: lock_breaker (name text)
SELECT e.name, e.failures, e.breaker FROM given JOIN endpoints e ON e.name = given.name ORDER BY e.name FOR NO KEY UPDATE OF e
-- name: set_breaker (name text, failures int, breaker text)
UPDATE endpoints SET failures = given.failures, breaker = given.breaker FROM given WHERE endpoints.name = given.name
-- name: all_endpoints ()
SELECT e.*, now_ms() AS now FROM endpoints e ORDER BY e.name
-- name: take_poll (name text, lease bigint)
UPDATE endpoints SET poll_at = now_ms() + given.lease FROM given
WHERE endpoints.name = given.name AND NOT endpoints.paused AND endpoints.poll_at <= now_ms() AND endpoints.quiet_until <= now_ms() RETURNING endpoints.name, endpoints.cursor
-- name: set_poll_at (name text, wait bigint)
UPDATE endpoints SET poll_at = now_ms() + given.wait FROM given WHERE endpoints.name = given.name
-- name: set_cursor (name text, cursor text)
UPDATE endpoints SET cursor = given.cursor FROM given WHERE endpoints.name = given.name

-- events: positions are given under one lock held until commit, so they become visible in order and a mark is safe ------------
-- name: lock_log ()
SELECT position FROM log WHERE id = 1 FOR UPDATE
-- name: move_log (position bigint)
UPDATE log SET position = given.position FROM given WHERE log.id = 1
-- name: number_events each (top bigint, batch bigint)
UPDATE events SET position = :top + n.place FROM (
  SELECT subject, sequence, row_number() OVER (ORDER BY sequence, subject) AS place FROM (
    SELECT subject, sequence FROM events WHERE position IS NULL ORDER BY sequence, subject LIMIT :batch) fresh) n
WHERE events.subject = n.subject AND events.sequence = n.sequence
RETURNING events.id, events.subject, events.sequence, events.type, events.about, events.organization, events.data, events.at, events.position
-- The same where nobody is owed any of them: what they say stays where it is.
-- name: number_quietly each (top bigint, batch bigint)
UPDATE events SET position = :top + n.place FROM (
  SELECT subject, sequence, row_number() OVER (ORDER BY sequence, subject) AS place FROM (
    SELECT subject, sequence FROM events WHERE position IS NULL ORDER BY sequence, subject LIMIT :batch) fresh) n
WHERE events.subject = n.subject AND events.sequence = n.sequence RETURNING events.position
-- name: read_mark (consumer text)
SELECT m.position FROM given JOIN marks m ON m.consumer = given.consumer
-- name: set_mark (consumer text, position bigint)
INSERT INTO marks (consumer, position) SELECT consumer, position FROM given WHERE true ON CONFLICT (consumer) DO UPDATE SET position = excluded.position
-- name: drop_mark (consumer text)
DELETE FROM marks WHERE consumer IN (SELECT consumer FROM given)
-- Processes that work tell that they live: a mark each, by time. No ranges of names: how they sort is the database's choice.
-- name: live_workers (since bigint)
SELECT count(*) AS many FROM given JOIN marks m ON m.consumer LIKE 'works:%' AND m.position > given.since
-- name: workers ()
SELECT consumer FROM marks WHERE consumer LIKE 'works:%' ORDER BY consumer LIMIT 1000
-- name: drop_workers (since bigint)
DELETE FROM marks WHERE consumer LIKE 'works:%' AND position < (SELECT since FROM given)
-- A mark that processes share: one holds it at a time, and only the holder moves it on.
-- name: lease_mark (consumer text, token bigint, lease bigint)
INSERT INTO marks (consumer, position, token, lease_until) SELECT consumer, 0, token, now_ms() + lease FROM given WHERE true
ON CONFLICT (consumer) DO UPDATE SET token = excluded.token, lease_until = excluded.lease_until
WHERE marks.token IS NULL OR marks.token = excluded.token OR marks.lease_until <= now_ms() RETURNING position
-- name: advance_mark (consumer text, token bigint, position bigint)
UPDATE marks SET position = given.position FROM given WHERE marks.consumer = given.consumer AND marks.token = given.token RETURNING marks.position
-- name: release_mark (consumer text, token bigint)
UPDATE marks SET token = NULL, lease_until = NULL FROM given WHERE marks.consumer = given.consumer AND marks.token = given.token
-- When each polled endpoint has last answered a poll; it counts from the first one that failed, where none ever did.
-- name: note_poll (endpoint text)
INSERT INTO marks (consumer, position) SELECT 'polled:' || endpoint, now_ms() FROM given WHERE true
ON CONFLICT (consumer) DO UPDATE SET position = excluded.position
-- name: begin_polls (endpoint text)
INSERT INTO marks (consumer, position) SELECT 'polled:' || endpoint, now_ms() FROM given WHERE true ON CONFLICT DO NOTHING
-- name: unpolled each (before bigint)
SELECT substr(m.consumer, 8) AS endpoint, m.position AS at FROM marks m
WHERE m.consumer LIKE 'polled:%' AND m.position < :before ORDER BY m.consumer LIMIT 1000
-- name: unpublished (consumer text)
SELECT l.position - coalesce(m.position, 0) AS waiting FROM given JOIN log l ON l.id = 1 LEFT JOIN marks m ON m.consumer = given.consumer
-- name: events_after each (mark bigint, batch bigint)
SELECT * FROM events WHERE position > :mark ORDER BY position LIMIT :batch
-- name: owned_events_after each (organization text, mark bigint, batch bigint)
SELECT * FROM events WHERE organization = :organization AND position > :mark ORDER BY position LIMIT :batch
-- name: known_events (id text)
SELECT e.id FROM given JOIN events e ON e.id = given.id
-- name: event (id text)
SELECT e.* FROM given JOIN events e ON e.id = given.id
-- name: events_of (subject text)
SELECT e.* FROM given JOIN events e ON e.subject = given.subject ORDER BY e.sequence

-- callbacks ------------------------------------------------------------------------------------------------------------------
-- name: store_callback (id text, endpoint text, event_id text, digest text, call_sealed bytea)
INSERT INTO callbacks (id, endpoint, event_id, digest, state, due_at, call_sealed, received_at)
SELECT id, endpoint, event_id, digest, 'stored', now_ms(), call_sealed, now_ms() FROM given WHERE true ON CONFLICT (endpoint, event_id) DO NOTHING RETURNING id
-- name: find_callback (endpoint text, event_id text)
SELECT c.id, c.endpoint, c.event_id, c.digest, c.state FROM given JOIN callbacks c ON c.endpoint = given.endpoint AND c.event_id = given.event_id
-- What is picked is picked once: asked again for every row, as a plan may do with a subquery, it would pick others each time.
-- name: due_callbacks each (batch bigint, lease bigint)
WITH pick AS MATERIALIZED (
  SELECT id FROM (SELECT id FROM callbacks WHERE state = 'stored' AND due_at <= now_ms() ORDER BY due_at, id LIMIT :batch FOR UPDATE SKIP LOCKED) fresh
  UNION ALL
  SELECT id FROM (SELECT id FROM callbacks WHERE state = 'orphan' AND due_at <= now_ms() ORDER BY due_at, id LIMIT :batch FOR UPDATE SKIP LOCKED) waiting)
UPDATE callbacks SET due_at = now_ms() + :lease, tries = tries + 1 WHERE id IN (SELECT id FROM pick)
RETURNING id, endpoint, event_id, digest, state, tries, call_sealed, received_at, matched
-- An orphan that was woken while it was looked at is due at once: the look may have been a moment too early.
-- name: move_callback (id text, state text, code text, wait bigint)
UPDATE callbacks SET state = given.state, code = given.code,
  due_at = CASE WHEN callbacks.state = 'orphan' AND callbacks.due_at <= now_ms() THEN now_ms() ELSE now_ms() + given.wait END FROM given WHERE callbacks.id = given.id
-- Orphans of a platform that may be about what has got a number just now: those kept since then. One whose task a person has
-- closed rests.
-- name: wake_orphans (endpoint text, since bigint)
UPDATE callbacks SET due_at = now_ms() WHERE id IN (
  SELECT c.id FROM given JOIN callbacks c ON c.endpoint = given.endpoint AND c.state = 'orphan' AND c.due_at > now_ms() AND c.received_at >= given.since
  WHERE c.due_at < now_ms() + 86400000 OR EXISTS (SELECT 1 FROM tasks t WHERE t.kind = 'orphan_callback' AND t.about = c.id AND t.state = 'open')
  ORDER BY c.id FOR UPDATE OF c)
-- A look that found its delivery on the way is no try.
-- name: give_back_callback (id text, wait bigint)
UPDATE callbacks SET tries = callbacks.tries - 1, due_at = now_ms() + given.wait FROM given WHERE callbacks.id = given.id
-- What was kept and not looked at yet: the newest up to an id. One that was looked at in vain waits for its own reasons.
-- name: unread_words (endpoint text, upto text)
SELECT max(c.id) AS id FROM given JOIN callbacks c ON c.endpoint = given.endpoint AND c.state = 'stored' AND c.tries <= 1 AND c.id <= given.upto
-- name: next_callback ()
SELECT min(due_at) AS due_at, now_ms() AS now FROM (
  SELECT min(due_at) AS due_at FROM callbacks WHERE state = 'stored' UNION ALL SELECT min(due_at) FROM callbacks WHERE state = 'orphan') soonest

-- papers ---------------------------------------------------------------------------------------------------------------------
-- name: paper_due ()
SELECT id FROM papers WHERE state = 'pending' AND due_at <= now_ms() ORDER BY due_at LIMIT 1
-- name: due_papers each (batch bigint, lease bigint)
WITH pick AS MATERIALIZED (
  SELECT id FROM papers WHERE state = 'pending' AND due_at <= now_ms()
    AND NOT EXISTS (SELECT 1 FROM endpoints e WHERE e.name = papers.endpoint AND (e.paused OR e.quiet_until > now_ms()))
  ORDER BY due_at, id LIMIT :batch FOR UPDATE OF papers SKIP LOCKED)
UPDATE papers SET due_at = now_ms() + :lease, tries = tries + 1 WHERE id IN (SELECT id FROM pick)
RETURNING id, endpoint, subject, about, ref, link_sealed, tries
-- name: move_paper (id text, state text, attachment text, code text, wait bigint)
UPDATE papers SET state = given.state, attachment = given.attachment, code = given.code, due_at = now_ms() + given.wait FROM given WHERE papers.id = given.id
-- A try that an operator's problem ended counts for nothing: it waits for the endpoint's resumption.
-- name: give_back_paper (id text, code text)
UPDATE papers SET tries = papers.tries - 1, code = given.code, due_at = now_ms() FROM given WHERE papers.id = given.id AND papers.state = 'pending'
-- name: paper (id text)
SELECT p.id, p.endpoint, p.state FROM given JOIN papers p ON p.id = given.id
-- name: retry_paper (id text)
UPDATE papers SET state = 'pending', tries = 0, code = NULL, due_at = now_ms() FROM given WHERE papers.id = given.id AND papers.state = 'failed' RETURNING papers.id
-- name: papers_of (subject text)
SELECT p.* FROM given JOIN papers p ON p.subject = given.subject ORDER BY p.id

-- what is known of one subject -----------------------------------------------------------------------------------------------
-- name: subject_of (id text)
SELECT s.id, s.kind, s.sequence FROM given JOIN subjects s ON s.id = given.id
-- name: matters_of (subject text)
SELECT m.* FROM given JOIN matters m ON m.subject = given.subject ORDER BY m.id
-- name: matter (id text)
SELECT m.* FROM given JOIN matters m ON m.id = given.id
-- name: organization_known (organization text)
SELECT given.organization FROM given WHERE EXISTS (SELECT 1 FROM matters m WHERE m.organization = given.organization AND m.kind = 'case')
-- name: last_case_of (organization text)
SELECT m.* FROM given JOIN matters m ON m.id = (
  SELECT c.id FROM matters c WHERE c.organization = given.organization AND c.kind = 'case' ORDER BY c.id DESC LIMIT 1)
-- name: holders_of (subject text)
SELECT h.subject, h.endpoint FROM given JOIN holders h ON h.subject = given.subject ORDER BY h.endpoint
-- name: deliveries_of (subject text)
SELECT d.id, d.message, d.type, d.about, d.endpoint, d.subject, d.sequence, d.first, d.class, d.requires, d.state, d.next_at, d.safe_at, d.attempts, d.step,
  d.doubt_at, d.code, d.reference, d.operation, d.created_at, d.finished_at FROM given JOIN deliveries d ON d.subject = given.subject
WHERE d.class NOT IN ('notify', 'handshake') ORDER BY d.sequence, d.endpoint
-- name: delivery (id text)
SELECT d.*, now_ms() AS now FROM given JOIN deliveries d ON d.id = given.id
-- name: delivery_of_message (message text, endpoint text)
SELECT d.* FROM given JOIN deliveries d ON d.message = given.message AND d.endpoint = given.endpoint
-- name: deliveries_by_reference (endpoint text, reference text)
SELECT d.id, d.subject FROM given JOIN deliveries d ON d.endpoint = given.endpoint AND d.reference = given.reference LIMIT 2
-- What has overtaken a delivery: a newer version of its document, or a later one of its lane that arrived (an alert overtakes by
-- nature, and says nothing about the rest).
-- name: overtaken_by (id text)
SELECT d.id,
  (SELECT n.id FROM messages o JOIN messages n ON n.subject = o.subject AND n.about = o.about AND n.sequence > o.sequence AND n.version > o.version
     AND n.id >= 'msg_' || substr(o.subject, length(o.subject) - 25, 10)
   WHERE o.id = d.message AND (n.type = o.type OR o.type IN ('case.submitted', 'case.revised') AND n.type = 'case.revised')
     AND o.type IN ('case.submitted', 'case.revised', 'agreement.concluded', 'confirmation.requested', 'transfer.requested', 'mediator.listed', 'statistics.reported')
   ORDER BY n.sequence DESC LIMIT 1) AS newer,
  (SELECT n.id FROM deliveries n WHERE n.endpoint = d.endpoint AND n.subject = d.subject AND n.sequence > d.sequence AND n.first = 0
     AND n.state IN ('delivered', 'relayed') ORDER BY n.sequence DESC LIMIT 1) AS later
FROM given JOIN deliveries d ON d.id = given.id WHERE d.class NOT IN ('notify', 'handshake')
-- name: known_attempts (delivery text, number int)
SELECT a.delivery FROM given JOIN attempts a ON a.delivery = given.delivery AND a.number = given.number
-- name: attempts_of alone (delivery text)
SELECT a.* FROM given JOIN attempts a ON a.delivery = given.delivery ORDER BY a.number
-- name: message alone (id text)
SELECT m.* FROM given JOIN messages m ON m.id = given.id
-- name: newest_message ()
SELECT m.id, m.document_sealed FROM messages m ORDER BY m.id DESC LIMIT 1
-- No message is older than its subject (``ids``), so that only the months from there on are looked through: ten characters of an
-- id are its time.
-- name: messages_of alone (subject text)
SELECT m.* FROM given JOIN messages m ON m.subject = given.subject AND m.id >= 'msg_' || substr(given.subject, length(given.subject) - 25, 10)
ORDER BY m.sequence
-- name: references_of (subject text)
SELECT r.* FROM given JOIN external_references r ON r.subject = given.subject ORDER BY r.created_at, r.endpoint, r.kind, r.value
-- name: find_reference (endpoint text, kind text, value text)
SELECT r.* FROM given JOIN external_references r ON r.endpoint = given.endpoint AND r.kind = given.kind AND r.value = given.value ORDER BY r.created_at
-- name: find_folded (folded text)
SELECT r.* FROM given JOIN external_references r ON r.folded = given.folded ORDER BY r.created_at
-- Alerts that a platform has not taken, each told to a person once.
-- name: unanswered_alerts each (latest bigint)
SELECT d.id, d.subject, d.endpoint, d.state, (SELECT m.organization FROM matters m WHERE m.subject = d.subject ORDER BY m.id LIMIT 1) AS organization
FROM deliveries d WHERE d.type = 'case.alerted' AND d.state NOT IN ('delivered', 'cancelled', 'superseded') AND d.created_at <= :latest
  AND NOT EXISTS (SELECT 1 FROM tasks t WHERE t.kind = 'alert_unanswered' AND t.about = d.id AND t.subject = d.subject)
-- Statutory deliveries that are undelivered for so long, each told to a person once; and those whose latest safe time is over.
-- Nobody claims what is blocked, or owed to an endpoint that is paused: no try of theirs would tell.
-- name: late_statutory each (latest bigint)
SELECT d.id, d.subject, d.endpoint, d.code, (SELECT m.organization FROM matters m WHERE m.subject = d.subject ORDER BY m.id LIMIT 1) AS organization
FROM deliveries d WHERE d.state = 'pending' AND d.class = 'statutory' AND d.type <> 'case.alerted' AND d.created_at <= :latest
  AND NOT EXISTS (SELECT 1 FROM tasks t WHERE t.kind = 'statutory_late' AND t.about = d.id AND t.subject = d.subject)
ORDER BY d.id LIMIT 200
-- name: past_safe_time each (latest bigint)
SELECT d.id, d.subject FROM deliveries d
WHERE d.state = 'pending' AND d.class = 'statutory' AND d.safe_at <= :latest AND d.created_at < d.safe_at ORDER BY d.id LIMIT 200
-- name: told_of (subject text, kind text)
SELECT t.about, t.due_at FROM given JOIN tasks t ON t.subject = given.subject AND t.kind = given.kind
-- name: find_person (blind text)
SELECT p.blind, p.subject, p.role FROM given JOIN people p ON p.blind = given.blind
-- name: person_in (blind text, subject text)
SELECT p.blind, p.subject, p.role FROM given JOIN people p ON p.blind = given.blind AND p.subject = given.subject
-- name: clock (id text)
SELECT c.* FROM given JOIN clocks c ON c.id = given.id
-- name: clocks_of (subject text)
SELECT c.* FROM given JOIN clocks c ON c.subject = given.subject ORDER BY c.due_on, c.rule
-- name: add_case_link (one text, other text, verdict text, task text, decided_by text)
INSERT INTO case_links (one, other, verdict, task, decided_by, decided_at) SELECT one, other, verdict, task, decided_by, now_ms() FROM given WHERE true
ON CONFLICT (one, other) DO UPDATE SET verdict = excluded.verdict, task = excluded.task, decided_by = excluded.decided_by, decided_at = excluded.decided_at
-- name: case_links_of each (subject text)
SELECT l.* FROM case_links l WHERE l.one = :subject UNION ALL SELECT l.* FROM case_links l WHERE l.other = :subject
-- name: untold_tasks each (most bigint)
SELECT t.* FROM tasks t WHERE t.told <> t.state ORDER BY t.id LIMIT :most
-- name: tell_task (id text, state text)
UPDATE tasks SET told = given.state FROM given WHERE tasks.id = given.id
-- name: tasks_of (subject text)
SELECT t.* FROM given JOIN tasks t ON t.subject = given.subject ORDER BY t.id

-- attachments, tasks, clients, small memories --------------------------------------------------------------------------------
-- name: add_upload (id text, owner text, kind text, name_sealed bytea, media_type text, size bigint, sha256 text)
INSERT INTO attachments (id, owner, kind, name_sealed, media_type, size, sha256, created_at)
SELECT id, owner, kind, name_sealed, media_type, size, sha256, now_ms() FROM given
-- name: upload (id text)
SELECT a.* FROM given JOIN attachments a ON a.id = given.id
-- name: task (id text)
SELECT t.* FROM given JOIN tasks t ON t.id = given.id
-- name: assign_task (id text, assignee text)
UPDATE tasks SET assignee = given.assignee FROM given WHERE tasks.id = given.id AND tasks.state = 'open' RETURNING tasks.id
-- name: resolve_task (id text, resolution text)
UPDATE tasks SET state = 'resolved', resolved_at = now_ms(), resolution = given.resolution FROM given WHERE tasks.id = given.id AND tasks.state = 'open' RETURNING tasks.id
-- name: add_client (prefix text, client text, name text, secret_hash bytea, scopes text, organizations text, expires_at bigint)
INSERT INTO clients (prefix, client, name, secret_hash, scopes, organizations, enabled, created_at, expires_at)
SELECT prefix, client, name, secret_hash, scopes, organizations, true, now_ms(), expires_at FROM given WHERE true
ON CONFLICT (prefix) DO NOTHING RETURNING prefix
-- name: find_client (prefix text)
SELECT c.*, now_ms() AS now FROM given JOIN clients c ON c.prefix = given.prefix
-- name: see_nonce (endpoint text, nonce text, keep bigint)
INSERT INTO nonces (endpoint, nonce, until) SELECT endpoint, nonce, now_ms() + keep FROM given WHERE true
ON CONFLICT (endpoint, nonce) DO UPDATE SET until = excluded.until WHERE nonces.until <= now_ms() RETURNING nonce
-- name: drop_nonces ()
DELETE FROM nonces WHERE until <= now_ms()
-- name: get_memory (endpoint text, key text)
SELECT m.value_sealed FROM given JOIN memory m ON m.endpoint = given.endpoint AND m.key = given.key WHERE m.until IS NULL OR m.until > now_ms()
-- name: put_memory (endpoint text, key text, value_sealed bytea, keep bigint)
INSERT INTO memory (endpoint, key, value_sealed, until) SELECT endpoint, key, value_sealed, now_ms() + keep FROM given WHERE true
ON CONFLICT (endpoint, key) DO UPDATE SET value_sealed = excluded.value_sealed, until = excluded.until
-- name: drop_memory (endpoint text, key text)
DELETE FROM memory WHERE (endpoint, key) IN (SELECT endpoint, key FROM given)
-- name: last_audit ()
SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1
-- name: audit_after each (number bigint, most bigint)
SELECT a.* FROM audit a WHERE a.number > :number ORDER BY a.number LIMIT :most
-- name: lock_audit ()
SELECT id FROM log WHERE id = 2 FOR UPDATE
-- name: add_audit (number bigint, at bigint, actor text, act text, target text, reason text, data text, previous bytea, hash bytea)
INSERT INTO audit (number, at, actor, act, target, reason, data, previous, hash)
SELECT number, at, actor, act, target, reason, data, previous, hash FROM given

-- lists ----------------------------------------------------------------------------------------------------------------------
-- Organisations come as a JSON list of codes, so that one text serves both engines; `every` is the caller of all.
-- name: list_matters each (kind text, organizations text, every boolean, status text, source_no text, since bigint, after text, most bigint)
SELECT m.* FROM matters m WHERE m.kind = :kind AND m.id > :after AND m.updated_at >= :since AND (:status = '' OR m.status = :status)
  AND (:source_no = '' OR m.business_key = m.organization || '|' || :source_no)
  AND (:every OR m.organization IN (SELECT value FROM json_each(:organizations)))
ORDER BY m.id LIMIT :most
-- Of every organisation the cases under one number.
-- name: cases_numbered (source_no text)
SELECT m.* FROM given JOIN matters m ON m.facet = given.source_no AND m.kind = 'case' ORDER BY m.id LIMIT 1000
-- An upstream's lists, one organisation after the other: each is a range of an index.
-- name: list_owned each (kind text, organization text, status text, since bigint, after text, most bigint)
SELECT m.* FROM matters m WHERE m.organization = :organization AND m.kind = :kind AND m.id > :after AND m.updated_at >= :since
  AND (:status = '' OR m.status = :status) ORDER BY m.id LIMIT :most
-- name: list_clocks each (state text, before text, organizations text, every boolean, after_due text, after_id text, most bigint)
SELECT c.* FROM clocks c WHERE c.state = :state AND c.due_on < :before AND (c.due_on, c.id) > (:after_due, :after_id)
  AND (:every OR c.organization IN (SELECT value FROM json_each(:organizations)))
ORDER BY c.due_on, c.id LIMIT :most
-- Ranges of rows instead of a state and an id: see the lists of console.sql.
-- name: list_tasks each (state text, kind text, after text, most bigint)
SELECT t.* FROM tasks t WHERE (t.state, t.id) > (:state, :after) AND t.state <= :state AND (:kind = '' OR t.kind = :kind) ORDER BY t.state, t.id LIMIT :most
-- name: list_deliveries each (after text, most bigint)
SELECT d.id, d.message, d.type, d.about, d.endpoint, d.subject, d.sequence, d.first, d.class, d.requires, d.state, d.next_at, d.safe_at, d.attempts, d.step,
  d.doubt_at, d.code, d.reference, d.operation, d.created_at, d.finished_at FROM deliveries d
WHERE d.id > :after ORDER BY d.id LIMIT :most
-- name: list_deliveries_in each (state text, endpoint text, after text, most bigint)
SELECT d.id, d.message, d.type, d.about, d.endpoint, d.subject, d.sequence, d.first, d.class, d.requires, d.state, d.next_at, d.safe_at, d.attempts, d.step,
  d.doubt_at, d.code, d.reference, d.operation, d.created_at, d.finished_at FROM deliveries d
WHERE (d.state, d.endpoint, d.id) > (:state, :endpoint, :after) AND (d.state, d.endpoint) <= (:state, :endpoint)
ORDER BY d.state, d.endpoint, d.id LIMIT :most
-- name: list_callbacks each (state text, after text, most bigint)
SELECT c.id, c.endpoint, c.event_id, c.state, c.tries, c.due_at, c.code, c.received_at FROM callbacks c
WHERE (c.state, c.id) > (:state, :after) AND c.state <= :state ORDER BY c.state, c.id LIMIT :most
-- What stands now, each count with a bound and carried by an index: what is over is counted by the tallies.
-- name: standing_of each (state text, endpoint text, most bigint)
SELECT CAST(:state AS text) AS state, CAST(:endpoint AS text) AS endpoint, found.class, count(*) AS many, min(found.id) AS oldest FROM (
  SELECT d.class, d.id FROM deliveries d WHERE (d.state, d.endpoint) >= (:state, :endpoint) AND (d.state, d.endpoint) <= (:state, :endpoint)
  ORDER BY d.state, d.endpoint, d.id LIMIT :most) found GROUP BY found.class
-- name: standing_between each (state text, low text, high text, most bigint)
SELECT CAST(:state AS text) AS state, found.class, count(*) AS many, min(found.id) AS oldest FROM (
  SELECT d.class, d.id FROM deliveries d WHERE d.state = :state AND d.endpoint >= :low AND d.endpoint < :high ORDER BY d.endpoint, d.id LIMIT :most) found GROUP BY found.class
-- name: callbacks_in each (state text, most bigint)
SELECT found.endpoint, CAST(:state AS text) AS state, count(*) AS many FROM (
  SELECT c.endpoint FROM callbacks c WHERE c.state >= :state AND c.state <= :state ORDER BY c.state, c.id LIMIT :most) found GROUP BY found.endpoint
-- name: clocks_before each (before text, most bigint)
SELECT count(*) AS many FROM (SELECT c.id FROM clocks c WHERE c.state = 'running' AND c.due_on < :before ORDER BY c.due_on, c.id LIMIT :most) found
-- name: log_position ()
SELECT position FROM log WHERE id = 1

-- waking ---------------------------------------------------------------------------------------------------------------------
-- Once per group, in its transaction: the other processes look for what became due.
-- name: notify_due ()
SELECT pg_notify('gateway_due', 'due')
-- name: notify_call ()
SELECT pg_notify('gateway_due', 'call')
-- name: notify_events ()
SELECT pg_notify('gateway_due', 'events')
