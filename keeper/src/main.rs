//! The keeper's command line. All of it is in the library, where tests reach it.

use std::process::ExitCode;

fn main() -> ExitCode {
    tidelock_keeper::cli::main()
}
