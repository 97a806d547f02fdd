//! The contracts' code from their sources, by Foundry's own front end and the pinned compiler.

use std::{collections::BTreeMap, path::Path};

use foundry_compilers::{
    Project, ProjectBuilder, ProjectPathsConfig,
    artifacts::{EvmVersion, Remapping, Settings, output_selection::OutputSelection},
    solc::{Solc, SolcCompiler, SolcSettings},
};

use crate::{DeployError, Release, release::Artifact};

/// As in foundry.toml; a test holds what comes of it to the release.
const OPTIMIZER_RUNS: usize = 200;

/// Compiles the contracts of a checkout on which `scripts/setup` has run.
pub fn compile(root: &Path) -> Result<Release, DeployError> {
    let project = project(root)?;
    let output = project.compile().map_err(failed)?;
    if output.has_compiler_errors() {
        return Err(failed(output.to_string()));
    }
    let mut all = BTreeMap::new();
    for name in ["Vault", "VaultRules", "VaultFactory", "VaultLens"] {
        let file = root.join(format!("contracts/src/{name}.sol"));
        let artifact = output
            .find(&file, name)
            .ok_or_else(|| failed(format!("made no {name}")))?;
        all.insert(name.to_owned(), taken(name, artifact)?);
    }
    Release::of(all)
}

fn taken(
    name: &str,
    artifact: &foundry_compilers::artifacts::ConfigurableContractArtifact,
) -> Result<Artifact, DeployError> {
    let missing = || failed(format!("{name}: no code"));
    let creation = artifact.bytecode.as_ref().ok_or_else(missing)?;
    let runtime = artifact.deployed_bytecode.as_ref().ok_or_else(missing)?;
    let mut immutables: Vec<Vec<usize>> = Vec::new();
    for places in runtime.immutable_references.values() {
        let mut places: Vec<usize> = places
            .iter()
            .filter_map(|place| usize::try_from(place.start).ok())
            .collect();
        places.sort_unstable();
        immutables.push(places);
    }
    immutables.sort();
    let code = runtime
        .bytecode
        .as_ref()
        .and_then(|code| code.object.as_bytes());
    Ok(Artifact {
        compiler: String::new(),
        creation_code: creation.object.as_bytes().ok_or_else(missing)?.clone(),
        runtime_code: code.ok_or_else(missing)?.clone(),
        immutables,
    })
}

fn failed(error: impl ToString) -> DeployError {
    DeployError::Compiler(error.to_string())
}
