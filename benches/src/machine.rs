use std::fs::File;
use std::io::Write as _;
use std::process::Command;
use std::time::Instant;

use serde::Serialize;

use crate::spread::Spread;

/// What the figures were measured on.
#[derive(Debug, Clone, Serialize)]
pub struct Machine {
    pub cores: usize,
    pub processor: String,
    pub memory_mib: u64,
    pub kernel: String,
    /// Writing 4 KiB and waiting for the disk, in milliseconds.
    pub sync_ms: Spread,
    pub rustc: String,
    pub commit: String,
}

impl Machine {
    pub fn look() -> anyhow::Result<Self> {
        let processor = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".to_owned());
        let memory = field("/proc/meminfo", "MemTotal").unwrap_or_default();
        let memory_kib: u64 = memory.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0);
        let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let is_clean = said("git", &["status", "--porcelain", "--untracked-files=no"]).is_empty();
        let commit = said("git", &["rev-parse", "--short", "HEAD"]);
        Ok(Machine {
            cores: std::thread::available_parallelism()?.get(),
            processor,
            memory_mib: memory_kib / 1024,
            kernel: kernel.trim().to_owned(),
            sync_ms: sync_time()?,
            rustc: said("rustc", &["--version"]),
            commit: if is_clean { commit } else { format!("{commit} and changes") },
        })
    }
}

fn field(path: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// The answer of a program; nothing where it cannot be asked.
fn said(program: &str, arguments: &[&str]) -> String {
    let answer = Command::new(program).args(arguments).output();
    answer.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}

fn sync_time() -> anyhow::Result<Spread> {
    let folder = tempfile::tempdir()?;
    let mut file = File::create(folder.path().join("sync"))?;
    let mut times = Vec::new();
    for _ in 0..100 {
        let began = Instant::now();
        file.write_all(&[1; 4096])?;
        file.sync_data()?;
        times.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(Spread::of(&times))
}
