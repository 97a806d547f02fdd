//! The contracts' sources against the release that is built in.

use std::path::Path;

use tidelock_deploy::{DeployError, Release, compile::Sources};

/// Compiles the sources of a checkout and holds what comes of them to the release.
pub(super) fn check(root: &Path, release: &Release) -> Result<(), DeployError> {
    let compiled = Sources::open(root)?.compile()?;
    let pairs = [
        ("Vault", &compiled.vault, &release.vault),
        ("VaultRules", &compiled.rules, &release.rules),
        ("VaultFactory", &compiled.factory, &release.factory),
        ("VaultLens", &compiled.lens, &release.lens),
    ];
    for (name, ours, theirs) in pairs {
        let (ours, theirs) = (ours.creation_code_hash(), theirs.creation_code_hash());
        if ours != theirs {
            return Err(DeployError::Compiler(format!(
                "{name}: the sources of {} come to creation code with the hash {ours}, the release has {theirs}",
                root.display()
            )));
        }
    }
    Ok(())
}

/// Writes what block explorers take, a file for each contract that one deploys.
pub(super) fn write_standard_json(root: &Path, directory: &Path) -> Result<(), DeployError> {
    let failed = |source| DeployError::File {
        path: directory.display().to_string(),
        source,
    };
    std::fs::create_dir_all(directory).map_err(failed)?;
    let sources = Sources::open(root)?;
    for name in ["Vault", "VaultFactory", "VaultLens"] {
        let path = directory.join(format!("{name}.standard.json"));
        std::fs::write(path, sources.standard_json(name)?).map_err(failed)?;
    }
    Ok(())
}
