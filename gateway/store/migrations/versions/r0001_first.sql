CREATE OR REPLACE FUNCTION now_ms() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE AS $$ SELECT (extract(epoch FROM now()) * 1000)::bigint $$;
CREATE TABLE alert_mutes (
  rule TEXT NOT NULL, about TEXT NOT NULL, ends_at BIGINT NOT NULL, actor TEXT NOT NULL, PRIMARY KEY (rule, about)
);
CREATE INDEX alert_mutes_end ON alert_mutes (ends_at);
CREATE TABLE alert_notices (
  alert TEXT NOT NULL, phase TEXT NOT NULL, channel TEXT NOT NULL, state TEXT NOT NULL, tries INTEGER NOT NULL,
  due_at BIGINT NOT NULL, held BOOLEAN NOT NULL, code TEXT, made_at BIGINT NOT NULL, sent_at BIGINT,
  PRIMARY KEY (alert, phase, channel), CONSTRAINT notice_state_known CHECK (state IN ('waiting', 'sent', 'dropped'))
);
CREATE INDEX alert_notices_due ON alert_notices (channel, due_at) WHERE state = 'waiting';
CREATE INDEX alert_notices_made ON alert_notices (made_at);
CREATE TABLE alerts (
  id TEXT NOT NULL, rule TEXT NOT NULL, about TEXT NOT NULL, figure TEXT NOT NULL, opened_at BIGINT NOT NULL,
  closed_at BIGINT, seen_by TEXT, PRIMARY KEY (id)
);
CREATE UNIQUE INDEX alerts_open_once ON alerts (rule, about) WHERE closed_at IS NULL;
CREATE TABLE applied (
  endpoint TEXT NOT NULL, event_id TEXT NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (endpoint, event_id)
);
CREATE TABLE attachments (
  id TEXT NOT NULL, owner TEXT NOT NULL, kind TEXT NOT NULL, name_sealed BYTEA NOT NULL, media_type TEXT NOT NULL,
  size BIGINT NOT NULL, sha256 TEXT NOT NULL, created_at BIGINT NOT NULL, PRIMARY KEY (id)
);
CREATE TABLE attempts (
  delivery TEXT COLLATE "C" NOT NULL, number INTEGER NOT NULL, trigger TEXT NOT NULL, outcome TEXT NOT NULL,
  code TEXT, exchanges INTEGER NOT NULL, ended_at BIGINT NOT NULL, duration_ms INTEGER NOT NULL, steps_sealed BYTEA,
  PRIMARY KEY (delivery, number)
)
PARTITION BY RANGE (delivery);
CREATE TABLE attempts_default PARTITION OF attempts DEFAULT;
CREATE TABLE audit (
  number BIGSERIAL NOT NULL, at BIGINT NOT NULL, actor TEXT NOT NULL, act TEXT NOT NULL, target TEXT NOT NULL,
  reason TEXT, data TEXT NOT NULL, previous BYTEA NOT NULL, hash BYTEA NOT NULL, PRIMARY KEY (number)
);
CREATE TABLE callbacks (
  id TEXT NOT NULL, endpoint TEXT NOT NULL, event_id TEXT NOT NULL, digest TEXT NOT NULL, state TEXT NOT NULL,
  tries INTEGER DEFAULT 0 NOT NULL, due_at BIGINT NOT NULL, code TEXT, matched TEXT, call_sealed BYTEA NOT NULL,
  received_at BIGINT NOT NULL, PRIMARY KEY (id)
);
CREATE INDEX callbacks_due ON callbacks (state, due_at, id);
CREATE UNIQUE INDEX callbacks_once ON callbacks (endpoint, event_id);
CREATE INDEX callbacks_state ON callbacks (state, id);
CREATE TABLE case_links (
  one TEXT NOT NULL, other TEXT NOT NULL, verdict TEXT NOT NULL, task TEXT NOT NULL, decided_by TEXT NOT NULL,
  decided_at BIGINT NOT NULL, PRIMARY KEY (one, other)
);
CREATE INDEX case_links_other ON case_links (other);
CREATE TABLE clients (
  prefix TEXT NOT NULL, client TEXT NOT NULL, name TEXT NOT NULL, secret_hash BYTEA NOT NULL, scopes TEXT NOT NULL,
  organizations TEXT NOT NULL, enabled BOOLEAN NOT NULL, created_at BIGINT NOT NULL, expires_at BIGINT,
  PRIMARY KEY (prefix)
);
CREATE TABLE clocks (
  id TEXT NOT NULL, subject TEXT NOT NULL, about TEXT NOT NULL, rule TEXT NOT NULL, organization TEXT NOT NULL,
  started_on TEXT NOT NULL, due_on TEXT NOT NULL, safe_at BIGINT NOT NULL, state TEXT NOT NULL,
  provisional BOOLEAN NOT NULL, calendar TEXT NOT NULL, alarm_at BIGINT, given_end TEXT,
  extended_by INTEGER DEFAULT 0 NOT NULL, pauses TEXT DEFAULT '[]' NOT NULL, PRIMARY KEY (id)
);
CREATE INDEX clocks_alarm ON clocks (alarm_at) WHERE state = 'running' AND alarm_at IS NOT NULL;
CREATE INDEX clocks_due ON clocks (state, due_on, id);
CREATE UNIQUE INDEX clocks_once ON clocks (about, rule);
CREATE INDEX clocks_provisional ON clocks (id) WHERE provisional;
CREATE INDEX clocks_subject ON clocks (subject);
CREATE TABLE corrections (
  id TEXT NOT NULL, delivery TEXT NOT NULL, state TEXT NOT NULL, actor TEXT NOT NULL, reason TEXT NOT NULL,
  changes_sealed BYTEA NOT NULL, approver TEXT, made TEXT, created_at BIGINT NOT NULL, ended_at BIGINT,
  PRIMARY KEY (id), CONSTRAINT correction_state_known CHECK (state IN ('asked', 'done', 'refused'))
);
CREATE UNIQUE INDEX corrections_asked ON corrections (delivery) WHERE state = 'asked';
CREATE INDEX corrections_delivery ON corrections (delivery, id);
CREATE TABLE deliveries (
  id TEXT NOT NULL, message TEXT NOT NULL, type TEXT NOT NULL, about TEXT NOT NULL, endpoint TEXT NOT NULL,
  subject TEXT NOT NULL, sequence BIGINT NOT NULL, first INTEGER DEFAULT 0 NOT NULL, class TEXT NOT NULL,
  requires TEXT, state TEXT NOT NULL, next_at BIGINT NOT NULL, safe_at BIGINT, attempts INTEGER DEFAULT 0 NOT NULL,
  crashes INTEGER DEFAULT 0 NOT NULL, step INTEGER DEFAULT 0 NOT NULL, doubt_at BIGINT, code TEXT,
  reasons_sealed BYTEA, reference TEXT, operation TEXT, mapping TEXT, wire_sealed BYTEA, word_due_at BIGINT,
  created_at BIGINT NOT NULL, finished_at BIGINT, PRIMARY KEY (id),
  CONSTRAINT state_known CHECK (state IN ('pending', 'relayed', 'delivered', 'rejected', 'dead', 'in_doubt', 'cancelled', 'superseded', 'expired'))
);
CREATE INDEX deliveries_alerts ON deliveries (created_at) WHERE type = 'case.alerted' AND state NOT IN ('delivered', 'cancelled', 'superseded');
CREATE INDEX deliveries_failed ON deliveries (endpoint, code, type, state, finished_at, id) WHERE state IN ('rejected', 'dead', 'expired', 'in_doubt');
CREATE INDEX deliveries_lane ON deliveries (endpoint, subject, sequence);
CREATE UNIQUE INDEX deliveries_once ON deliveries (message, endpoint);
CREATE INDEX deliveries_open ON deliveries (endpoint, subject, first, sequence) WHERE state IN ('pending', 'in_doubt');
CREATE INDEX deliveries_reference ON deliveries (endpoint, reference) WHERE reference IS NOT NULL;
CREATE INDEX deliveries_retrying ON deliveries (endpoint, code, type, id) WHERE state = 'pending' AND code IS NOT NULL;
CREATE INDEX deliveries_safe ON deliveries (endpoint, subject, safe_at) WHERE state = 'pending' AND safe_at IS NOT NULL;
CREATE INDEX deliveries_state ON deliveries (state, endpoint, id, class);
CREATE INDEX deliveries_subject ON deliveries (subject, sequence);
CREATE INDEX deliveries_waiting ON deliveries (requires) WHERE requires IS NOT NULL;
CREATE INDEX deliveries_word ON deliveries (state, word_due_at) WHERE state = 'relayed' AND word_due_at IS NOT NULL;
CREATE TABLE differences (
  reconciliation TEXT NOT NULL, key TEXT NOT NULL, kind TEXT NOT NULL, code TEXT NOT NULL, delivery TEXT, about TEXT,
  name TEXT, reference TEXT, ours TEXT, theirs TEXT, state TEXT NOT NULL, outcome TEXT, mended_at BIGINT,
  PRIMARY KEY (reconciliation, key),
  CONSTRAINT difference_known CHECK (kind IN ('missing', 'foreign', 'differing', 'undecided')),
  CONSTRAINT difference_state_known CHECK (state IN ('open', 'hearing', 'healed', 'person', 'moot', 'failed'))
);
CREATE INDEX differences_state ON differences (reconciliation, state, kind);
CREATE TABLE endpoints (
  name TEXT NOT NULL, adapter TEXT NOT NULL, paused BOOLEAN DEFAULT false NOT NULL, paused_by TEXT, reason TEXT,
  quiet_until BIGINT DEFAULT 0 NOT NULL, slots INTEGER NOT NULL, failures INTEGER DEFAULT 0 NOT NULL,
  breaker TEXT DEFAULT 'closed' NOT NULL, cursor TEXT, poll_at BIGINT DEFAULT 0 NOT NULL,
  changed_at BIGINT DEFAULT 0 NOT NULL, PRIMARY KEY (name)
);
CREATE TABLE events (
  subject TEXT NOT NULL, sequence BIGINT NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL, about TEXT NOT NULL,
  organization TEXT NOT NULL, data TEXT NOT NULL, at BIGINT NOT NULL, position BIGINT, PRIMARY KEY (subject, sequence)
);
CREATE UNIQUE INDEX events_id ON events (id);
CREATE INDEX events_new ON events (sequence, subject) WHERE position IS NULL;
CREATE INDEX events_owned ON events (organization, position) WHERE position IS NOT NULL;
CREATE UNIQUE INDEX events_position ON events (position) WHERE position IS NOT NULL;
CREATE TABLE external_references (
  endpoint TEXT NOT NULL, kind TEXT NOT NULL, value TEXT NOT NULL, about TEXT NOT NULL, subject TEXT NOT NULL,
  folded TEXT NOT NULL, created_at BIGINT NOT NULL, PRIMARY KEY (endpoint, kind, value, about)
);
CREATE INDEX external_references_folded ON external_references (folded);
CREATE INDEX external_references_subject ON external_references (subject);
CREATE TABLE group_notes (
  group_key TEXT NOT NULL, note TEXT NOT NULL, actor TEXT NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (group_key)
);
CREATE TABLE holders (
  subject TEXT NOT NULL, endpoint TEXT NOT NULL, PRIMARY KEY (subject, endpoint)
);
CREATE TABLE holds (
  id TEXT NOT NULL, endpoint TEXT NOT NULL, planned BOOLEAN NOT NULL, actor TEXT NOT NULL, reason TEXT NOT NULL,
  per_minute INTEGER, starts_at BIGINT NOT NULL, ends_at BIGINT, began_at BIGINT, ended_at BIGINT, ended_by TEXT,
  end_reason TEXT, PRIMARY KEY (id)
);
CREATE INDEX holds_endpoint ON holds (endpoint, id);
CREATE INDEX holds_open ON holds (endpoint) WHERE ended_at IS NULL;
CREATE TABLE idempotency_keys (
  client TEXT NOT NULL, key TEXT NOT NULL, digest BYTEA NOT NULL, about TEXT NOT NULL, answer BYTEA NOT NULL,
  created_at BIGINT NOT NULL, PRIMARY KEY (client, key)
);
CREATE TABLE job_items (
  job TEXT NOT NULL, place INTEGER NOT NULL, delivery TEXT NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL,
  code TEXT, PRIMARY KEY (job, place),
  CONSTRAINT item_state_known CHECK (state IN ('waiting', 'sent', 'ok', 'failed', 'skipped'))
);
CREATE INDEX job_items_state ON job_items (job, state, place);
CREATE TABLE jobs (
  id TEXT NOT NULL, state TEXT NOT NULL, actor TEXT NOT NULL, approver TEXT, needs_second BOOLEAN NOT NULL,
  reason TEXT NOT NULL, filter TEXT NOT NULL, per_minute INTEGER NOT NULL, canary INTEGER NOT NULL,
  stop_percent INTEGER NOT NULL, total INTEGER NOT NULL, kind TEXT NOT NULL, overtaken BOOLEAN NOT NULL, code TEXT,
  created_at BIGINT NOT NULL, due_at BIGINT NOT NULL, finished_at BIGINT, PRIMARY KEY (id),
  CONSTRAINT job_state_known CHECK (state IN ('asked', 'running', 'paused', 'stopped', 'cancelled', 'done'))
);
CREATE INDEX jobs_due ON jobs (due_at) WHERE state = 'running';
CREATE TABLE lanes (
  endpoint TEXT NOT NULL, subject TEXT NOT NULL, head TEXT NOT NULL, due_at BIGINT NOT NULL, safe_at BIGINT,
  tries INTEGER NOT NULL, died INTEGER DEFAULT 0 NOT NULL, token BIGINT, lease_until BIGINT,
  PRIMARY KEY (endpoint, subject), CONSTRAINT lease_whole CHECK ((token IS NULL) = (lease_until IS NULL))
)
WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX lanes_due ON lanes (endpoint, due_at) WHERE safe_at IS NULL;
CREATE UNIQUE INDEX lanes_head ON lanes (head);
CREATE INDEX lanes_live ON lanes (endpoint, lease_until) WHERE lease_until IS NOT NULL;
CREATE INDEX lanes_safe ON lanes (endpoint, safe_at, due_at) WHERE safe_at IS NOT NULL;
CREATE INDEX lanes_suspect ON lanes (endpoint, died, due_at) WHERE died > 0;
CREATE TABLE log (
  id SERIAL NOT NULL, position BIGINT NOT NULL, PRIMARY KEY (id)
);
CREATE TABLE marks (
  consumer TEXT NOT NULL, position BIGINT NOT NULL, token BIGINT, lease_until BIGINT, PRIMARY KEY (consumer)
);
CREATE TABLE matters (
  id TEXT NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL, parent TEXT, organization TEXT NOT NULL,
  business_key TEXT NOT NULL, facet TEXT, status TEXT NOT NULL, since BIGINT, version INTEGER NOT NULL,
  message TEXT NOT NULL, active BOOLEAN NOT NULL, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL,
  PRIMARY KEY (id)
);
CREATE UNIQUE INDEX matters_business_key ON matters (kind, business_key) WHERE active;
CREATE INDEX matters_changed ON matters (organization, kind, updated_at, id);
CREATE INDEX matters_listed ON matters (organization, kind, id);
CREATE INDEX matters_source_no ON matters (facet) WHERE kind = 'case';
CREATE INDEX matters_subject ON matters (subject);
CREATE TABLE memory (
  endpoint TEXT NOT NULL, key TEXT NOT NULL, value_sealed BYTEA NOT NULL, until BIGINT, PRIMARY KEY (endpoint, key)
);
CREATE TABLE messages (
  id TEXT COLLATE "C" NOT NULL, subject TEXT NOT NULL, sequence BIGINT NOT NULL, type TEXT NOT NULL,
  about TEXT NOT NULL, version INTEGER NOT NULL, source TEXT NOT NULL, correlation TEXT NOT NULL,
  schema TEXT NOT NULL, document_sealed BYTEA NOT NULL, created_at BIGINT NOT NULL, PRIMARY KEY (id)
)
PARTITION BY RANGE (id);
CREATE INDEX messages_subject ON messages (subject, sequence);
CREATE TABLE messages_default PARTITION OF messages DEFAULT;
CREATE TABLE nonces (
  endpoint TEXT NOT NULL, nonce TEXT NOT NULL, until BIGINT NOT NULL, PRIMARY KEY (endpoint, nonce)
);
CREATE INDEX nonces_until ON nonces (until);
CREATE TABLE numbers (
  folded TEXT COLLATE "C" NOT NULL, about TEXT NOT NULL, backwards TEXT COLLATE "C" NOT NULL, subject TEXT NOT NULL,
  PRIMARY KEY (folded, about)
);
CREATE INDEX numbers_backwards ON numbers (backwards);
CREATE TABLE papers (
  id TEXT NOT NULL, endpoint TEXT NOT NULL, subject TEXT NOT NULL, about TEXT NOT NULL, ref TEXT NOT NULL,
  link_sealed BYTEA NOT NULL, state TEXT NOT NULL, tries INTEGER DEFAULT 0 NOT NULL, due_at BIGINT NOT NULL,
  attachment TEXT, code TEXT, PRIMARY KEY (id)
);
CREATE INDEX papers_due ON papers (due_at) WHERE state = 'pending';
CREATE UNIQUE INDEX papers_once ON papers (endpoint, about, ref);
CREATE INDEX papers_subject ON papers (subject);
CREATE TABLE people (
  blind TEXT NOT NULL, subject TEXT NOT NULL, role TEXT NOT NULL, PRIMARY KEY (blind, subject)
);
CREATE INDEX people_subject ON people (subject);
CREATE TABLE reconciliation_seen (
  reconciliation TEXT NOT NULL, filing TEXT NOT NULL, PRIMARY KEY (reconciliation, filing)
);
CREATE TABLE reconciliations (
  id TEXT NOT NULL, endpoint TEXT NOT NULL, day TEXT, method TEXT NOT NULL, since BIGINT NOT NULL,
  until BIGINT NOT NULL, actor TEXT NOT NULL, state TEXT NOT NULL, phase TEXT NOT NULL, place TEXT, cursor TEXT,
  held INTEGER NOT NULL, compared INTEGER NOT NULL, unasked INTEGER NOT NULL, found INTEGER NOT NULL,
  tries INTEGER NOT NULL, code TEXT, healer TEXT, reason TEXT, kinds TEXT, created_at BIGINT NOT NULL,
  due_at BIGINT NOT NULL, finished_at BIGINT, PRIMARY KEY (id),
  CONSTRAINT reconciliation_state_known CHECK (state IN ('running', 'healing', 'done', 'stopped'))
);
CREATE INDEX reconciliations_due ON reconciliations (due_at) WHERE state IN ('running', 'healing');
CREATE INDEX reconciliations_endpoint ON reconciliations (endpoint, id);
CREATE UNIQUE INDEX reconciliations_once ON reconciliations (endpoint, day);
CREATE TABLE schema_floors (
  revision TEXT NOT NULL, oldest_reader TEXT NOT NULL, PRIMARY KEY (revision)
);
CREATE TABLE sessions (
  token_hash TEXT NOT NULL, user_name TEXT NOT NULL, created_at BIGINT NOT NULL, seen_at BIGINT NOT NULL,
  ends_at BIGINT NOT NULL, PRIMARY KEY (token_hash)
);
CREATE INDEX sessions_end ON sessions (ends_at);
CREATE INDEX sessions_user ON sessions (user_name);
CREATE TABLE subjects (
  id TEXT NOT NULL, kind TEXT NOT NULL, sequence BIGINT NOT NULL, PRIMARY KEY (id)
)
WITH (fillfactor = 70);
CREATE TABLE tallies (
  step INTEGER NOT NULL, at BIGINT NOT NULL, series TEXT NOT NULL, many BIGINT NOT NULL,
  PRIMARY KEY (step, at, series)
);
CREATE TABLE tasks (
  id TEXT NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL, about TEXT NOT NULL, endpoint TEXT,
  organization TEXT NOT NULL, state TEXT NOT NULL, assignee TEXT, code TEXT, detail_sealed BYTEA, due_at BIGINT,
  created_at BIGINT NOT NULL, resolved_at BIGINT, resolution TEXT, told TEXT DEFAULT '' NOT NULL, PRIMARY KEY (id)
);
CREATE INDEX tasks_listed ON tasks (state, id);
CREATE UNIQUE INDEX tasks_open_once ON tasks (kind, about) WHERE state = 'open';
CREATE INDEX tasks_subject ON tasks (subject);
CREATE INDEX tasks_untold ON tasks (id) WHERE told <> state;
CREATE TABLE traces (
  thing TEXT NOT NULL, traceparent TEXT NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (thing)
);
CREATE INDEX traces_at ON traces (at);
CREATE TABLE users (
  name TEXT NOT NULL, title TEXT NOT NULL, role TEXT NOT NULL, scope TEXT NOT NULL, password TEXT NOT NULL,
  must_change BOOLEAN NOT NULL, enabled BOOLEAN NOT NULL, failures INTEGER NOT NULL, failed_at BIGINT,
  signed_in_at BIGINT, created_at BIGINT NOT NULL, totp_sealed BYTEA, totp_step BIGINT, PRIMARY KEY (name)
);
CREATE TABLE views (
  id TEXT NOT NULL, user_name TEXT NOT NULL, name TEXT NOT NULL, query TEXT NOT NULL, created_at BIGINT NOT NULL,
  PRIMARY KEY (id)
);
CREATE UNIQUE INDEX views_user ON views (user_name, name);
CREATE TABLE webhook_endpoints (
  id TEXT NOT NULL, client TEXT NOT NULL, address_sealed BYTEA NOT NULL, events TEXT NOT NULL, organizations TEXT,
  signing TEXT NOT NULL, keys_sealed BYTEA NOT NULL, old_keys_sealed BYTEA, old_until BIGINT,
  version INTEGER NOT NULL, state TEXT NOT NULL, reason TEXT, mark BIGINT, handshake TEXT NOT NULL,
  probe_at BIGINT NOT NULL, waits_until BIGINT NOT NULL, failing_since BIGINT, last_success_at BIGINT,
  last_failure_at BIGINT, last_failure_code TEXT, created_at BIGINT NOT NULL, PRIMARY KEY (id)
);
CREATE INDEX webhook_endpoints_client ON webhook_endpoints (client);
INSERT INTO log (id, position) VALUES (1, 0), (2, 0)
