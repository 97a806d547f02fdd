//! What a process has taken, as the operating system says it.

/// Of one process, since its start.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    /// User and system time. [seconds]
    pub cpu_s: f64,
    /// Memory that it holds now. [MiB]
    pub resident_mib: f64,
}

impl Usage {
    pub fn of(id: u32) -> Self {
        let read = |name: &str| std::fs::read_to_string(format!("/proc/{id}/{name}")).unwrap();
        let stat = read("stat");
        let after_name = stat.rsplit(')').next().unwrap();
        let fields: Vec<&str> = after_name.split_whitespace().collect();
        let ticks = |at: usize| fields[at].parse::<f64>().unwrap();
        let status = read("status");
        let line = status.lines().find(|line| line.starts_with("VmRSS:"));
        let kib = line.and_then(|line| line.split_whitespace().nth(1));
        Self {
            cpu_s: (ticks(11) + ticks(12)) / 100.0, // clock ticks per second, on every Linux
            resident_mib: kib.unwrap().parse::<f64>().unwrap() / 1024.0,
        }
    }
}
