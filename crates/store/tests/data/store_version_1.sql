-- Rows of every table as schema version 1 holds them.
INSERT INTO lease VALUES ('local/shop', 'host:1:1', 3, 1750000060000000000);
INSERT INTO intent (id, repo, key, subject, deed, created_at, receipts, state, ended_at, refusal, tries) VALUES
    (1, 'local/shop', 'flag-approval:4', 4, '{"deed":"flag_approval","child":4}', 1750000001000000000,
        '[{"at":"2025-06-15T15:06:42Z","made":{"made":"comment","id":9}}]', 'done', 1750000002000000000, NULL, 0),
    (2, 'local/shop', 'close-child:5', 5, '{"deed":"close_child","child":5}', 1750000003000000000, '[]', 'refused',
        1750000004000000000, 'not_allowed', 2),
    (3, 'local/shop', 'close-child:6', 6, '{"deed":"close_child","child":6}', 1750000005000000000, '[]', 'open', NULL,
        NULL, 0);
INSERT INTO ledger VALUES (1, 1750000001000000000, 'local/shop', 4, 'claude', 1, 1, 'settled');
INSERT INTO pull VALUES (1, 'local/shop', 7);
INSERT INTO snapshot VALUES (1, 1,
    '{"number":7,"state":{"is":"open"},"is_draft":false,"merge_state":"CLEAN","mergeable":"MERGEABLE","head":"0000000000000000000000000000000000000001","head_at":"2025-06-15T15:06:40Z","base":"epic/1-security","head_branch":"agent/child-1","author":7,"author_login":"agent","checks":[{"name":"test","state":"passing"}],"reviews":{"approved":0,"changes_requested":0,"required":0},"threads":[],"auto_merge":"not_offered","additions":3,"deletions":1,"changed_files":1,"created_at":"2025-06-15T15:06:40Z","updated_at":"2025-06-15T15:06:40Z","closes":[1]}',
    14, '{"action":"wait","reason":"checks_pending"}', 'rules');
INSERT INTO observation VALUES (1, 1750000010000000000), (1, 1750000020000000000);
INSERT INTO head VALUES (1, 1, '0000000000000000000000000000000000000001', 1750000000000000000, 1750000010000000000, NULL);
INSERT INTO outcome VALUES ('local/shop', 3, 'closed', 'closed_unmerged', 2.5, 1750000030000000000);
INSERT INTO journal VALUES (1, 'local/shop', 4,
    '{"schema":1,"repo":"local/shop","epic":1,"child":4,"pull":3,"dispatched_at":null,"opened_at":null,"first_green_at":null,"merged_at":null,"heads":[],"review_cycles":[],"conflict_cycles":[],"ci_failures":[],"automations":[],"implementer":"claude","login":null,"additions":1,"deletions":0,"changed_files":1,"labels":[],"result":"closed","detail":"closed_unmerged","duration_seconds":5,"at":"2025-06-15T15:06:40Z"}');
INSERT INTO plan VALUES (1, 'local/shop', 'audit:1', '{"issues":[1,2]}', 1750000000000000000, NULL);
INSERT INTO epic VALUES ('local/shop', 1, 'epic/1-security', 'claude', 1750000000000000000, NULL);
INSERT INTO work (id, repo, key, engine, subject, task, created_at, failures, losses, token, state, not_before, attempt,
    holder, until, outcome, done_at) VALUES
    (1, 'local/shop', 'implement:4', 'claude', 4, '{"task":"implement","child":4,"base":"epic/1-security"}',
        1750000000000000000, 1, 2, 3, 'queued', 1750000005000000000, NULL, NULL, NULL, NULL, NULL),
    (3, 'local/shop', 'implement:5', 'claude', 5, '{"task":"implement","child":5,"base":"epic/1-security"}',
        1750000000000000000, 0, 0, 0, 'queued', 1750000000000000000, NULL, NULL, NULL, NULL, NULL),
    (4, 'local/shop', 'review:7:0000000000000000000000000000000000000001', 'codex', 7,
        '{"task":"review","pull":7,"head":"0000000000000000000000000000000000000001"}',
        1750000001000000000, 0, 0, 1, 'running', NULL, 2, 'host:1:1', 1750000090000000000, NULL, NULL),
    (5, 'local/shop', 'implement:6', 'codex', 6, '{"task":"implement","child":6,"base":"epic/1-security"}',
        1750000001000000000, 0, 0, 1, 'done', NULL, NULL, NULL, NULL,
        '{"outcome":"published","branch":"agent/child-6","sha":"0000000000000000000000000000000000000009"}',
        1750000040000000000),
    (6, 'local/shop', 'implement:7', 'codex', 7, '{"task":"implement","child":7,"base":"epic/1-security"}',
        1750000001000000000, 2, 0, 2, 'done', NULL, NULL, NULL, NULL, '{"outcome":"failed","reason":"no_commit"}',
        1750000041000000000),
    (7, 'local/shop', 'implement:8', 'claude', 8, '{"task":"implement","child":8,"base":"epic/1-security"}',
        1750000001000000000, 0, 0, 0, 'done', NULL, NULL, NULL, NULL, '{"outcome":"cancelled"}', 1750000042000000000);
INSERT INTO attempt VALUES
    (1, 1, 1750000001000000000, 1750000002000000000, 'bubblewrap', 'no_commit', 0, '{"tokens_in":12}'),
    (2, 4, 1750000003000000000, NULL, NULL, NULL, NULL, '{}'),
    (3, 5, 1750000003000000000, 1750000040000000000, 'landlock', NULL, 0, '{}'),
    (4, 6, 1750000003000000000, 1750000030000000000, 'off', 'exit_code', 1, '{}'),
    (5, 6, 1750000031000000000, 1750000041000000000, 'off', 'no_commit', 0, '{}');
