-- Every statement about webhook endpoints. See statements.sql for the form.

-- webhook endpoints: each is an endpoint under its own id; without slots nothing is claimed for it but a probe -----------------
-- name: add_webhook (client text, id text, address_sealed bytea, events text, organizations text, signing text, keys_sealed bytea, old_keys_sealed bytea, old_until bigint, version int, state text, reason text, mark bigint, handshake text, probe_at bigint, waits_until bigint, failing_since bigint, last_success_at bigint, last_failure_at bigint, last_failure_code text)
INSERT INTO webhook_endpoints (client, id, address_sealed, events, organizations, signing, keys_sealed, old_keys_sealed, old_until, version, state, reason, mark, handshake, probe_at,
  waits_until, failing_since, last_success_at, last_failure_at, last_failure_code, created_at)
SELECT client, id, address_sealed, events, organizations, signing, keys_sealed, old_keys_sealed, old_until, version, state, reason, mark, handshake, probe_at,
  waits_until, failing_since, last_success_at, last_failure_at, last_failure_code, now_ms() FROM given
-- name: put_webhook (id text, address_sealed bytea, events text, organizations text, signing text, keys_sealed bytea, old_keys_sealed bytea, old_until bigint, version int, state text, reason text, mark bigint, handshake text, probe_at bigint, waits_until bigint, failing_since bigint, last_success_at bigint, last_failure_at bigint, last_failure_code text)
UPDATE webhook_endpoints SET address_sealed = given.address_sealed, events = given.events, organizations = given.organizations, signing = given.signing, keys_sealed = given.keys_sealed,
  old_keys_sealed = given.old_keys_sealed, old_until = given.old_until, version = given.version, state = given.state, reason = given.reason, mark = given.mark, handshake = given.handshake,
  probe_at = given.probe_at, waits_until = given.waits_until, failing_since = given.failing_since, last_success_at = given.last_success_at, last_failure_at = given.last_failure_at,
  last_failure_code = given.last_failure_code FROM given WHERE webhook_endpoints.id = given.id
-- name: webhook (id text)
SELECT w.*, e.paused, e.reason AS pause_reason, now_ms() AS now FROM given JOIN webhook_endpoints w ON w.id = given.id JOIN endpoints e ON e.name = w.id
-- name: webhooks_of (client text)
SELECT w.*, e.paused, e.reason AS pause_reason, now_ms() AS now FROM given JOIN webhook_endpoints w ON w.client = given.client JOIN endpoints e ON e.name = w.id ORDER BY w.id
-- name: lock_webhook (id text)
SELECT w.*, now_ms() AS now FROM given JOIN webhook_endpoints w ON w.id = given.id ORDER BY w.id FOR UPDATE OF w
-- name: drop_webhook (id text)
DELETE FROM webhook_endpoints WHERE id IN (SELECT id FROM given)
-- name: drop_endpoint (name text)
DELETE FROM endpoints WHERE name IN (SELECT name FROM given)
-- name: destroy_old_keys ()
UPDATE webhook_endpoints SET old_keys_sealed = NULL, old_until = NULL WHERE old_until <= now_ms()
-- name: listening ()
SELECT w.id, w.client, w.events, w.organizations, w.mark FROM webhook_endpoints w WHERE w.state IN ('verified', 'unhealthy') ORDER BY w.id FOR UPDATE OF w
-- name: client_organizations ()
SELECT c.client, c.organizations FROM clients c WHERE c.enabled AND (c.expires_at IS NULL OR c.expires_at > now_ms())
-- name: set_webhook_mark (id text, mark bigint)
UPDATE webhook_endpoints SET mark = given.mark FROM given WHERE webhook_endpoints.id = given.id
-- One delivery of one event to one webhook: made, or (replay) owed again with its wire as it was.
-- name: owe_event (id text, event text, type text, about text, endpoint text, subject text, sequence bigint)
INSERT INTO deliveries (id, message, type, about, endpoint, subject, sequence, first, class, state, next_at, created_at)
SELECT id, event, type, about, endpoint, subject, sequence, 0, 'notify', 'pending', now_ms(), now_ms() FROM given WHERE true
ON CONFLICT (message, endpoint) DO UPDATE SET state = 'pending', next_at = now_ms(), step = 0, crashes = 0, doubt_at = NULL, code = NULL, finished_at = NULL
WHERE deliveries.state IN ('delivered', 'dead', 'cancelled') RETURNING endpoint, subject
-- name: set_flow (name text, slots int, quiet_until bigint)
UPDATE endpoints SET slots = given.slots, quiet_until = given.quiet_until, failures = 0, breaker = 'closed' FROM given WHERE endpoints.name = given.name
-- name: resume_from_gateway (name text)
UPDATE endpoints SET paused = false, paused_by = NULL, reason = NULL, changed_at = now_ms() FROM given
WHERE endpoints.name = given.name AND endpoints.paused AND endpoints.paused_by = 'gateway'
-- name: cancel_owed (endpoint text)
UPDATE deliveries SET state = 'cancelled', finished_at = now_ms() FROM given WHERE deliveries.endpoint = given.endpoint AND deliveries.state = 'pending'
  AND NOT EXISTS (SELECT 1 FROM lanes l WHERE l.head = deliveries.id AND l.token IS NOT NULL AND l.lease_until > now_ms())
-- name: cancel_handshakes (endpoint text)
UPDATE deliveries SET state = 'cancelled', finished_at = now_ms() FROM given WHERE deliveries.endpoint = given.endpoint AND deliveries.state = 'pending' AND deliveries.class = 'handshake'
  AND NOT EXISTS (SELECT 1 FROM lanes l WHERE l.head = deliveries.id AND l.token IS NOT NULL AND l.lease_until > now_ms())
-- name: clear_idle_lanes (endpoint text)
DELETE FROM lanes WHERE endpoint IN (SELECT endpoint FROM given) AND (token IS NULL OR lease_until <= now_ms())
-- name: wake_owed (endpoint text)
UPDATE deliveries SET next_at = now_ms() FROM given WHERE deliveries.endpoint = given.endpoint AND deliveries.state = 'pending' AND deliveries.next_at > now_ms()
-- name: wake_lanes (endpoint text)
UPDATE lanes SET due_at = now_ms() FROM given WHERE lanes.endpoint = given.endpoint AND lanes.token IS NULL AND lanes.due_at > now_ms()
-- Probes: of an unverified one its handshake, when it is due; of an unhealthy one its oldest open delivery, whenever that is due.
-- LIMIT 1, not EXISTS: under an OR PostgreSQL may answer EXISTS from a hash of all lanes.
-- name: due_probes ()
SELECT w.id, EXISTS (SELECT 1 FROM lanes l WHERE l.endpoint = w.id AND l.died > 0 AND (l.died > 1 OR l.token IS NOT NULL)) AS suspect
FROM webhook_endpoints w JOIN endpoints e ON e.name = w.id WHERE NOT e.paused AND e.quiet_until <= now_ms()
  AND NOT EXISTS (SELECT 1 FROM lanes l WHERE l.endpoint = w.id AND l.lease_until > now_ms())
  AND (w.state = 'unverified' AND (SELECT 1 FROM lanes l WHERE l.endpoint = w.id AND l.subject = w.id AND l.due_at <= now_ms() LIMIT 1) IS NOT NULL
    OR w.state = 'unhealthy' AND w.probe_at <= now_ms() AND (SELECT 1 FROM lanes l WHERE l.endpoint = w.id LIMIT 1) IS NOT NULL) ORDER BY w.id
-- name: claim_probe each (endpoint text, token bigint, lease bigint)
UPDATE lanes SET token = :token, tries = tries + 1, died = died + CASE WHEN token IS NULL THEN 0 ELSE 1 END, lease_until = now_ms() + :lease, due_at = now_ms() + :lease
WHERE endpoint = :endpoint AND subject = (
  SELECT l.subject FROM lanes l JOIN deliveries d ON d.id = l.head JOIN webhook_endpoints w ON w.id = l.endpoint
  WHERE l.endpoint = :endpoint AND (l.token IS NULL OR l.lease_until <= now_ms())
    AND (w.state = 'unhealthy' AND d.class = 'notify' OR w.state = 'unverified' AND d.id = w.handshake)
  ORDER BY d.created_at, d.id LIMIT 1 FOR UPDATE OF l SKIP LOCKED)
RETURNING endpoint, subject, head, tries, token
