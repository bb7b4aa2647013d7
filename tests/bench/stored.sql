-- A past: messages :start + 1 to :end, ten a case, delivered long ago.
INSERT INTO subjects (id, kind, sequence)
WITH RECURSIVE n(i) AS (SELECT :start + 1 UNION ALL SELECT i + 1 FROM n WHERE i < :end)
SELECT 'case_00' || printf('%024d', i / 10), 'case', 10 FROM n WHERE i % 10 = 0;

INSERT INTO matters (id, kind, subject, organization, business_key, facet, status, version, message, active, created_at, updated_at)
WITH RECURSIVE n(i) AS (SELECT :start + 1 UNION ALL SELECT i + 1 FROM n WHERE i < :end)
SELECT 'case_00' || printf('%024d', i / 10), 'case', 'case_00' || printf('%024d', i / 10), 'SD-JN-LX-001',
  'SD-JN-LX-001|OLD-' || printf('%08d', i / 10), 'OLD-' || printf('%08d', i / 10), 'mediating', 1,
  'msg_00' || printf('%024d', i), 1, 1760000000000 + i, 1760000000000 + i
FROM n WHERE i % 10 = 0;

INSERT INTO events (subject, sequence, id, type, about, organization, data, at, position)
WITH RECURSIVE n(i) AS (SELECT :start + 1 UNION ALL SELECT i + 1 FROM n WHERE i < :end)
SELECT 'case_00' || printf('%024d', (i + 9) / 10), (i - 1) % 10 + 1, 'evt_00' || printf('%024d', i), 'delivery.delivered',
  'dlv_00' || printf('%024d', i), 'SD-JN-LX-001', '{}', 1760000000000 + i, i
FROM n;

INSERT INTO deliveries (id, message, type, about, endpoint, subject, sequence, class, state, next_at, attempts, created_at, finished_at)
WITH RECURSIVE n(i) AS (SELECT :start + 1 UNION ALL SELECT i + 1 FROM n WHERE i < :end)
SELECT 'dlv_00' || printf('%024d', i), 'msg_00' || printf('%024d', i), 'case.progressed',
  'case_00' || printf('%024d', (i + 9) / 10), 'a', 'case_00' || printf('%024d', (i + 9) / 10), (i - 1) % 10 + 1, 'standard',
  'delivered', 0, 1, 1760000000000 + i, 1760000000000 + i
FROM n;

UPDATE log SET position = max(position, :end) WHERE id = 1 AND :start >= 0;
