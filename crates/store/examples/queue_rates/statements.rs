//! The statements of the queue's hot path as the store runs them. That they are the same is looked up in the store's sources.

/// Statements in pieces, each with the source that holds them.
macro_rules! statements {
    ($($name:ident in $file:literal: $($piece:literal)+;)+) => {
        $(pub(crate) const $name: &str = concat!($($piece),+);)+
        const PIECES: &[(&[&str], &str)] =
            &[$((&[$($piece),+], include_str!(concat!("../../src/tables/", $file)))),+];
    };
}

statements! {
    LANE in "lanes.rs":
        "SELECT id FROM lane WHERE coalesce(engine, '') = coalesce(?1, '') AND coalesce(class, '') = coalesce(?2, '')
            AND coalesce(repo, '') = coalesce(?3, '') AND coalesce(profile, '') = coalesce(?4, '')
            AND capabilities = ?5";
    ADD in "adds.rs":
        "INSERT INTO job (name, key, lane, lock, priority, item, auto_echo, created_at, moves, waits_for, stage,
            not_before, ripe)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 1, ?9, 'inbox', ?10, ?11)";
    BODY in "adds.rs":
        "INSERT INTO job_body (job, spec, body) VALUES (?1, ?2, ?3)";
    ADDED in "moves.rs":
        "INSERT INTO move (job, n, to_stage, at, who, why) VALUES (?1, 1, 'inbox', ?2, ?3, 'added')";
    RESTING in "cooldowns.rs":
        "SELECT engine, until FROM cooldown WHERE until > ?1 ORDER BY engine";
    WALK in "candidates.rs":
        "SELECT j.id, j.waits_for = 0 AND (j.ripe OR j.not_before <= ?6)
            AND (j.lock = '' OR NOT EXISTS (SELECT 1 FROM claim k WHERE k.lock = j.lock))
            AND "
        "(instr(CASE WHEN l.engine IS NULL THEN ?2 ELSE ?1 END, char(10) || coalesce(l.engine, l.class) || char(10)) > 0
          AND (l.repo IS NULL OR instr(?3, char(10) || l.repo || char(10)) > 0)
          AND (l.profile IS NULL OR instr(?4, char(10) || l.profile || char(10)) = 0)
          AND (l.capabilities = '[]' OR NOT EXISTS (SELECT 1 FROM json_each(l.capabilities) c
                WHERE instr(?5, char(10) || c.value || char(10)) = 0)))"
        " FROM job j INDEXED BY job_waiting CROSS JOIN lane l ON l.id = j.lane
         WHERE j.not_before IS NOT NULL ORDER BY j.priority, j.id LIMIT ?7";
    READ in "jobs.rs":
        "SELECT j.id, j.name, j.key, l.repo, l.engine, j.task, b.spec, j.created_at, j.failures, j.losses,
            j.waits_for, j.retry_of, j.stage, j.not_before, j.attempt, c.holder, j.token, c.until, j.outcome,
            j.reason, j.ended_at, l.class, j.lock, b.body
         FROM job j JOIN lane l ON l.id = j.lane LEFT JOIN job_body b ON b.job = j.id
            LEFT JOIN claim c ON c.job = j.id "
        "WHERE j.id = ?1";
    ATTEMPT in "attempts.rs":
        "INSERT INTO attempt (job, engine, holder, started_at) VALUES (?1, ?2, ?3, ?4)";
    TAKE in "steps.rs":
        "UPDATE job SET stage = ?2, attempt = ?3, outcome = ?4, reason = ?5, ended_at = ?6, token = ?7,
            failures = failures + ?8, losses = losses + ?9, moves = moves + ?10,
            not_before = ?14, ripe = ?15, waits_for = 0
         WHERE id = ?1 AND stage = ?11 AND token = ?12 AND attempt IS ?13";
    STEP in "steps.rs":
        "UPDATE job SET stage = ?2, attempt = ?3, outcome = ?4, reason = ?5, ended_at = ?6, token = ?7,
            failures = failures + ?8, losses = losses + ?9, moves = moves + ?10
         WHERE id = ?1 AND stage = ?11 AND token = ?12 AND attempt IS ?13";
    COUNTED in "steps.rs":
        "SELECT moves, auto_echo FROM job WHERE id = ?1";
    MOVE in "moves.rs":
        "INSERT INTO move (job, n, from_stage, to_stage, at, who, why, reason, attempt)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    CLAIM in "claims.rs":
        "INSERT INTO claim (job, attempt, engine, holder, token, since, until, lock)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, nullif(?8, ''))";
    DEPENDENTS in "dependencies.rs":
        "SELECT 1 FROM job_dependency WHERE on_job = ?1";
    END in "attempts.rs":
        "UPDATE attempt SET ended_at = ?2, failure = ?3, sandbox = ?4, exit_code = ?5, signal = ?6, cpu_ms = ?7,
            peak_kib = ?8, files = ?9, added = ?10, removed = ?11, usage = ?12
         WHERE id = ?1";
    RELEASE in "claims.rs":
        "DELETE FROM claim WHERE job = ?1 AND token = ?2";
}

/// Stops the measurement when the store says something else by now.
pub(crate) fn are_those_of_the_store() {
    let plain = |text: &str| text.split_whitespace().collect::<String>();
    for (pieces, source) in PIECES {
        for piece in *pieces {
            assert!(plain(source).contains(&plain(piece)), "the store does not say this any more: {piece}");
        }
    }
}
