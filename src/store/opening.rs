//! How a run gets at the journal of its output folder: it begins one, goes on with the one that is there, or is refused.

use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use super::disk;
use super::ending::{JOURNAL, PLAN, clear, is_begun, refuse_results};
use super::error::{IfExists, StoreError, cannot_create, some_of};
use super::folder::older_files;
use super::journal::Journal;
use super::lock::{self, LOCK, Sharing};
use super::plan::Plan;
use super::rows::LearnedRow;
use super::sealed;
use super::single::write_parts;

/// How long a shard waits for another that is just beginning the journal.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long it looks whether a run of all parts still holds the folder, which that does to its end.
const GLANCE: Duration = Duration::from_secs(1);

/// What to do with what is in the output folder.
#[derive(Debug, Clone, Copy)]
pub struct Opening {
    /// If results of an earlier run are there.
    pub if_exists: IfExists,
    /// Whether to go on with an unfinished run.
    pub resume: bool,
    /// Number of the part that this process does; others may write beside it.
    pub shard: Option<usize>,
}

impl Journal {
    /// Opens or begins the journal in `out` for writing.
    ///
    /// # Errors
    /// [`StoreError`]: something complete, unfinished or other is there and may not be replaced or continued, or another
    /// process writes there.
    pub fn open(out: &Path, plan: &Plan, learned: Vec<LearnedRow>, how: Opening) -> Result<Self, StoreError> {
        let folder = out.join(JOURNAL);
        if how.if_exists == IfExists::Refuse && !is_begun(&folder) {
            refuse_results(out)?;
        }
        if out.is_dir() {
            // What would be in the way in the end is said before the work.
            older_files(out)?;
        }
        let mut journal = Self::at(out);
        let Some(shard) = how.shard else {
            let lock = lock::exclusive(&folder)?;
            lock.say(true);
            journal.hold(lock);
            journal.begin(plan, learned, how)?;
            return Ok(journal);
        };
        let own = format!("{LOCK}-{shard}");
        let started = Instant::now();
        loop {
            // Whoever comes first begins the journal while nobody else is in it.
            if let Some(alone) = lock::try_lock(&folder, LOCK, Sharing::Exclusive)? {
                alone.say(false);
                journal.begin(plan, learned.clone(), how)?;
                drop(alone);
            }
            if let Some(shared) = lock::try_lock(&folder, LOCK, Sharing::Shared)?
                && let Some(there) = journal.plan()
            {
                journal.accept(&there, plan, how).map_err(|refusal| match how.if_exists {
                    // Others are at work on what was to be begun anew.
                    IfExists::Overwrite if !how.resume => StoreError::Busy { path: out.to_owned() },
                    _ => refusal,
                })?;
                let own = lock::try_lock(&folder, &own, Sharing::Exclusive)?;
                journal.hold(own.ok_or_else(|| StoreError::Busy { path: out.to_owned() })?);
                journal.hold(shared);
                return Ok(journal);
            }
            if started.elapsed() > if lock::says_whole_run(&folder) { GLANCE } else { PATIENCE } {
                return Err(StoreError::Busy { path: out.to_owned() });
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Goes on with the journal that is there, or begins one; nobody else is in it.
    fn begin(&mut self, plan: &Plan, learned: Vec<LearnedRow>, how: Opening) -> Result<(), StoreError> {
        let folder = self.folder.clone();
        let created = |e: io::Error| cannot_create(&folder)(e);
        if !is_begun(&folder) && how.if_exists == IfExists::Refuse {
            // The run that was here a moment ago may have ended.
            refuse_results(&self.out)?;
        }
        if is_begun(&folder) {
            match (self.plan(), how.if_exists) {
                // Shards begin one after the other.
                (Some(there), _) if how.resume || (how.shard.is_some() && there.signature == plan.signature) => {
                    match self.accept(&there, plan, how) {
                        Err(StoreError::OtherInputs { changed, .. })
                            if how.if_exists == IfExists::Overwrite && !how.resume =>
                        {
                            self.note(format!(
                                "inputs changed since shards of this run saw them: {changed}; all was begun anew, do the other shards again"
                            ));
                        }
                        accepted => {
                            accepted?;
                            self.remove_unfinished().map_err(created)?;
                            // Another shard's chunks may be there, which saw the same inputs.
                            return if how.shard.is_some() { self.renew(plan) } else { Ok(()) };
                        }
                    }
                }
                (None, IfExists::Refuse) if how.resume => {
                    self.note("the plan of the unfinished run was damaged: all of it was done again".to_owned());
                }
                (Some(there), IfExists::Refuse) if how.shard.is_some() => return self.accept(&there, plan, how),
                (_, IfExists::Refuse) => return Err(StoreError::Unfinished { path: self.out.clone() }),
                (_, IfExists::Overwrite) => {}
            }
        }
        clear(&self.folder).map_err(created)?;
        let learned = write_parts(&self.folder, IfExists::Overwrite, learned)?;
        let plan = Plan { learned: learned.into_iter().map(|part| part.content).collect(), ..plan.clone() };
        sealed::write(&self.folder.join(PLAN), &plan)
    }

    /// The plan as it is of now: what inputs hold may have changed since the run began. A run of all parts calls this when the
    /// chunks of other inputs are gone, which must not outlive the plan that they were made by.
    ///
    /// # Errors
    /// [`StoreError::Write`]: the system refuses.
    pub fn renew(&self, plan: &Plan) -> Result<(), StoreError> {
        match self.plan() {
            Some(there) if plan.says_other_than(&there) => {
                sealed::write(&self.folder.join(PLAN), &Plan { learned: there.learned, ..plan.clone() })
            }
            _ => Ok(()),
        }
    }

    /// Whether the run that is there is the one that is asked for.
    fn accept(&self, there: &Plan, plan: &Plan, how: Opening) -> Result<(), StoreError> {
        if there.signature != plan.signature {
            let differences = plan.differences(&there.settings, &there.paths());
            return Err(StoreError::OtherPlan { path: self.out.clone(), differences });
        }
        let changed = plan.changed_inputs(there);
        if how.shard.is_some() && !changed.is_empty() {
            return Err(StoreError::OtherInputs { path: self.out.clone(), changed: some_of(&changed) });
        }
        Ok(())
    }

    /// Removes what killed processes were writing; nobody else is at work.
    fn remove_unfinished(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.folder)?.flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with("tmp-") {
                disk::remove_tree(&entry.path())?;
            } else if name.ends_with(".tmp") {
                disk::remove_file(&entry.path())?;
            }
        }
        Ok(())
    }
}
