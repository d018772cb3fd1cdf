//! Which part of a run this process does: `--shard`, or what a batch system says of its task.

use super::error::CliError;
use crate::run::Shard;

/// More parts than any corpus has chunks.
const MOST_SHARDS: usize = 1_000_000;

/// A batch system that numbers the tasks of an array, and the variables in which it says so.
struct BatchSystem {
    name: &'static str,
    index: &'static str,
    /// Number of the first task: a variable, or 0.
    first: Option<&'static str>,
    count: Option<&'static str>,
}

const BATCH_SYSTEMS: [BatchSystem; 3] = [
    BatchSystem {
        name: "a Slurm job array",
        index: "SLURM_ARRAY_TASK_ID",
        first: Some("SLURM_ARRAY_TASK_MIN"),
        count: Some("SLURM_ARRAY_TASK_COUNT"),
    },
    // Kubernetes does not tell a pod how many completions its Job has.
    BatchSystem { name: "an indexed Kubernetes Job", index: "JOB_COMPLETION_INDEX", first: None, count: None },
    BatchSystem {
        name: "an AWS Batch array job",
        index: "AWS_BATCH_JOB_ARRAY_INDEX",
        first: None,
        count: Some("AWS_BATCH_JOB_ARRAY_SIZE"),
    },
];

/// The shard that `--shard` names, or that of this task of a batch system; `None`: the whole run.
pub(super) fn asked(text: Option<&str>) -> Result<Option<Shard>, CliError> {
    let variable = |name: &str| std::env::var(name).ok();
    let shard = match text {
        Some(text) => match text.strip_prefix("auto/") {
            Some(count) => of_task(Some(number_of_shards(text, count)?), &variable)?,
            None => return stated(text).map(Some),
        },
        None => of_task(None, &variable)?,
    };
    if let (None, Some(text)) = (&shard, text) {
        let names: Vec<&str> = BATCH_SYSTEMS.iter().map(|system| system.index).collect();
        let message =
            format!("--shard {text}: no batch system says which task this is ({}); give I/N", names.join(", "));
        return Err(CliError::new(2, anyhow::anyhow!(message)));
    }
    if let Some((system, Shard { index, count })) = shard {
        tell!(
            "note: a task of {system} does its part of the run, here {} of {count}; `requant merge` makes the tables when \
             all are done (--shard 1/1 for the whole run in each task)",
            index + 1
        );
    }
    Ok(shard.map(|(_, shard)| shard))
}

/// `I/N`, I from 1.
fn stated(text: &str) -> Result<Shard, CliError> {
    let parsed = text.split_once('/').and_then(|(i, n)| Some((i.parse::<usize>().ok()?, n.parse::<usize>().ok()?)));
    match parsed {
        Some((index, count)) if (1..=count).contains(&index) && count <= MOST_SHARDS => {
            Ok(Shard { index: index - 1, count })
        }
        _ => Err(CliError::new(
            2,
            anyhow::anyhow!("--shard {text}: give I/N with 1 ≤ I ≤ N ≤ {MOST_SHARDS}, such as 3/16, or auto/16"),
        )),
    }
}

fn number_of_shards(text: &str, count: &str) -> Result<usize, CliError> {
    count.parse().ok().filter(|count| (1..=MOST_SHARDS).contains(count)).ok_or_else(|| {
        CliError::new(2, anyhow::anyhow!("--shard {text}: give auto/N with 1 ≤ N ≤ {MOST_SHARDS}, such as auto/16"))
    })
}

/// The shard of this task, and of what it is a task; `None` outside a batch system's arrays. `count` goes before what the
/// system says.
fn of_task(
    count: Option<usize>,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<(&'static str, Shard)>, CliError> {
    let number = |name: &str| variable(name).and_then(|text| text.parse::<usize>().ok());
    let found = BATCH_SYSTEMS.iter().find_map(|system| Some((system, number(system.index)?)));
    let Some((system, id)) = found else { return Ok(None) };
    let refused = |message: String| Err(CliError::new(2, anyhow::anyhow!(message)));
    let Some(count) = count.or_else(|| system.count.and_then(number)) else {
        // Slurm's tasks outside an array, and those of systems that always say how many there are.
        if system.count.is_some() {
            return Ok(None);
        }
        return refused(format!(
            "{} = {id}: a task of {}, which does not say of how many; give --shard auto/N with N = its completions, or \
             --shard 1/1 for the whole run",
            system.index, system.name
        ));
    };
    let first = system.first.and_then(number).unwrap_or(0);
    match id.checked_sub(first).filter(|&index| index < count) {
        Some(index) => Ok(Some((system.name, Shard { index, count }))),
        None => refused(format!(
            "task {id} of {} from {first} with {count} tasks: number the tasks without gaps, or give --shard",
            system.name
        )),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn task(count: Option<usize>, variables: &[(&str, &str)]) -> Result<Option<(usize, usize)>, String> {
        let variable = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
        of_task(count, &variable)
            .map(|task| task.map(|(_, shard)| (shard.index, shard.count)))
            .map_err(|failure| failure.error.to_string())
    }

    #[test]
    fn tasks_of_batch_systems_are_shards() {
        let slurm = [("SLURM_ARRAY_TASK_ID", "5"), ("SLURM_ARRAY_TASK_COUNT", "4"), ("SLURM_ARRAY_TASK_MIN", "3")];
        assert_eq!(task(None, &slurm), Ok(Some((2, 4))));
        let aws = [("AWS_BATCH_JOB_ARRAY_INDEX", "0"), ("AWS_BATCH_JOB_ARRAY_SIZE", "3")];
        assert_eq!(task(None, &aws), Ok(Some((0, 3))));
        let kubernetes = [("JOB_COMPLETION_INDEX", "15")];
        assert_eq!(task(Some(16), &kubernetes), Ok(Some((15, 16))));
        assert_eq!(task(None, &[]), Ok(None));
        assert_eq!(task(Some(3), &[]), Ok(None));
        // Without a count nothing is guessed, and a task beyond it is refused.
        assert!(task(None, &kubernetes).unwrap_err().contains("auto/N"));
        assert!(task(Some(15), &kubernetes).unwrap_err().contains("task 15"));
        assert!(task(Some(2), &slurm).unwrap_err().contains("without gaps"));
    }

    #[test]
    fn what_is_stated_is_checked() {
        let shard = |text: &str| stated(text).map(|shard| (shard.index, shard.count)).map_err(|e| e.code);
        assert_eq!(shard("3/16"), Ok((2, 16)));
        for text in ["0/3", "4/3", "3", "a/b", "1/0", "1/1000001"] {
            assert_eq!(shard(text), Err(2), "{text}");
        }
        assert!(number_of_shards("auto/0", "0").is_err() && number_of_shards("auto/x", "x").is_err());
    }
}
