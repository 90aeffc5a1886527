//! Puts one manifest over another: what a command line says over what a file says.

use super::Manifest;

impl Manifest {
    /// The keys of this manifest, and those of `below` that this one leaves out.
    pub fn over(self, below: Self) -> Self {
        let mut extra = below.extra;
        extra.extend(self.extra);
        Self {
            engine: self.engine.or(below.engine),
            profile: self.profile.or(below.profile),
            cwd: self.cwd.or(below.cwd),
            worktree: self.worktree.or(below.worktree),
            yolo: self.yolo.or(below.yolo),
            lock: self.lock.or(below.lock),
            timeout: self.timeout.or(below.timeout),
            priority: self.priority.or(below.priority),
            capabilities: self.capabilities.or(below.capabilities),
            depends_on: self.depends_on.or(below.depends_on),
            idempotency_key: self.idempotency_key.or(below.idempotency_key),
            tracker_item: self.tracker_item.or(below.tracker_item),
            retries: self.retries.or(below.retries),
            not_before: self.not_before.or(below.not_before),
            review: self.review.or(below.review),
            verify: self.verify.or(below.verify),
            base: self.base.or(below.base),
            branch: self.branch.or(below.branch),
            max_cost: self.max_cost.or(below.max_cost),
            max_tokens: self.max_tokens.or(below.max_tokens),
            env: self.env.or(below.env),
            extra,
        }
    }
}
