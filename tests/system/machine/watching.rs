//! Follows a submission as it changes, now from one replica, now from the other.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, ensure};
use marketplace_proto::publishing::v1::*;
use system_tests::Clients;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A watcher at work.
pub struct Watching {
    task: JoinHandle<anyhow::Result<u64>>,
    enough: watch::Sender<bool>,
}

impl Watching {
    /// Watches the submission by clients of two replicas, a few messages by each.
    pub fn start(name: String, replicas: [Clients; 2]) -> Self {
        let (enough, told) = watch::channel(false);
        let watcher = Watcher {
            name,
            replicas,
            token: String::new(),
            seen: 0,
            state: SubmissionState::Unspecified,
            steps: BTreeMap::new(),
        };
        Self {
            task: tokio::spawn(watcher.follow(told)),
            enough,
        }
    }

    /// Ends once it has seen all that there is; answers the number of transitions.
    pub async fn end(self) -> anyhow::Result<u64> {
        self.enough.send_replace(true);
        let whole = tokio::time::timeout(Duration::from_secs(30), self.task).await;
        whole.context("a watcher is behind")??
    }
}

struct Watcher {
    name: String,
    replicas: [Clients; 2],
    token: String,
    /// The newest transition that was seen.
    seen: u64,
    /// What all transitions together come to.
    state: SubmissionState,
    steps: BTreeMap<String, StepState>,
}

impl Watcher {
    async fn follow(mut self, mut enough: watch::Receiver<bool>) -> anyhow::Result<u64> {
        let mut turn = 0;
        loop {
            turn += 1;
            let request = WatchSubmissionRequest {
                name: self.name.clone(),
                resume_token: self.token.clone(),
            };
            let replica = &mut self.replicas[turn % 2].publishing;
            let mut stream = replica.watch_submission(request).await?.into_inner();
            for _ in 0..fastrand::u8(1..4) {
                let message = tokio::select! {
                    message = stream.message() => message?,
                    () = told(&mut enough) => {
                        if self.seen >= self.now(turn).await?.transition {
                            return Ok(self.seen);
                        }
                        stream.message().await?
                    }
                };
                let Some(message) = message else {
                    let ended = self.now(turn).await?;
                    ensure!(ended.end_time.is_some(), "{} was left", self.name);
                    ensure!(
                        ended.transition == self.seen,
                        "{} was left early",
                        self.name
                    );
                    return Ok(self.seen);
                };
                self.take(message)?;
                let now = self.now(turn + 1).await?;
                if now.transition == self.seen {
                    self.agrees(&now)?;
                }
            }
        }
    }

    async fn now(&mut self, turn: usize) -> anyhow::Result<Submission> {
        let get = GetSubmissionRequest {
            name: self.name.clone(),
        };
        let replica = &mut self.replicas[turn % 2].publishing;
        let answer = replica.get_submission(get).await?;
        answer.into_inner().submission.context("no submission")
    }

    /// No gap, no repeat; what the transitions come to is what the service says.
    fn take(&mut self, message: WatchSubmissionResponse) -> anyhow::Result<()> {
        let now = message.submission.context("no submission")?;
        if self.token.is_empty() {
            ensure!(
                message.transitions.is_empty(),
                "the first message is the whole state"
            );
            self.seen = now.transition;
            self.state = now.state();
            self.steps = steps(&now);
        }
        for transition in &message.transitions {
            self.seen += 1;
            let number = transition.transition;
            ensure!(
                number == self.seen,
                "{}: {number} for {}",
                self.name,
                self.seen
            );
            self.state = transition.submission_state();
            if !transition.step.is_empty() {
                self.steps
                    .insert(transition.step.clone(), transition.step_state());
            }
        }
        self.token = message.resume_token;
        ensure!(
            now.transition == self.seen,
            "{} is at {}",
            self.name,
            now.transition
        );
        self.agrees(&now)
    }

    fn agrees(&self, now: &Submission) -> anyhow::Result<()> {
        let (state, steps) = (now.state(), steps(now));
        ensure!(
            (state, &steps) == (self.state, &self.steps),
            "{} is {state:?} with {steps:?}, its transitions come to {:?} with {:?}",
            self.name,
            self.state,
            self.steps
        );
        Ok(())
    }
}

async fn told(enough: &mut watch::Receiver<bool>) {
    // Err: who would tell is gone.
    let _ = enough.wait_for(|enough| *enough).await;
}

fn steps(submission: &Submission) -> BTreeMap<String, StepState> {
    let steps = submission.steps.iter();
    steps.map(|step| (step.id.clone(), step.state())).collect()
}
