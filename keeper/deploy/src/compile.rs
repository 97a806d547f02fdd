//! The contracts' code from their sources, by Foundry's own front end, the pinned compiler and the settings of foundry.toml; and the
//! same sources and settings as one file, for block explorers.

use std::{collections::BTreeMap, fs, path::Path};

use figment::Figment;
use foundry_compilers::{
    Project, ProjectBuilder, ProjectPathsConfig,
    artifacts::{
        BytecodeHash, ConfigurableContractArtifact, Settings, SettingsMetadata,
        output_selection::OutputSelection, remappings::Remapping,
    },
    solc::{Solc, SolcCompiler, SolcSettings},
};
use serde::Deserialize;

use crate::{DeployError, Release, Toml, release::Artifact};

#[derive(Deserialize)]
struct Foundry {
    profile: Profiles,
}

#[derive(Deserialize)]
struct Profiles {
    default: Profile,
}

/// What of foundry.toml decides on the code.
#[derive(Deserialize)]
struct Profile {
    evm_version: String,
    via_ir: bool,
    optimizer: bool,
    optimizer_runs: usize,
    bytecode_hash: String,
    cbor_metadata: bool,
}

/// The contracts of a checkout on which `scripts/setup` has run.
#[derive(Debug)]
pub struct Sources {
    project: Project<SolcCompiler>,
}

impl Sources {
    /// Reads settings and finds the compiler.
    pub fn open(root: &Path) -> Result<Self, DeployError> {
        let root = root.canonicalize().map_err(failed)?;
        let settings = fs::read_to_string(root.join("foundry.toml")).map_err(failed)?;
        let found = Figment::from(Toml(&settings)).extract::<Foundry>();
        let profile = found.map_err(failed)?.profile.default;
        let mut settings = Settings::new(OutputSelection::default_output_selection());
        settings.optimizer.enabled = Some(profile.optimizer);
        settings.optimizer.runs = Some(profile.optimizer_runs);
        settings.via_ir = Some(profile.via_ir);
        settings.evm_version = Some(profile.evm_version.parse().map_err(failed)?);
        let hash: BytecodeHash = profile.bytecode_hash.parse().map_err(failed)?;
        settings.metadata = Some(SettingsMetadata::new(hash, profile.cbor_metadata));
        let libraries = root.join("node_modules");
        let paths = ProjectPathsConfig::builder()
            .sources(root.join("contracts/src"))
            .remapping(Remapping {
                context: None,
                name: "@openzeppelin/contracts/".to_owned(),
                path: format!("{}/@openzeppelin/contracts/", libraries.display()),
            })
            .lib(libraries)
            .build_with_root(&root);
        let solc = Solc::new(root.join("scripts/solc")).map_err(failed)?;
        let project = ProjectBuilder::<SolcCompiler>::new(Default::default())
            .paths(paths)
            .settings(SolcSettings {
                settings,
                cli_settings: Default::default(),
            })
            .ephemeral()
            .no_artifacts()
            .build(SolcCompiler::Specific(solc))
            .map_err(failed)?;
        Ok(Self { project })
    }

    /// Compiles them.
    pub fn compile(&self) -> Result<Release, DeployError> {
        let output = self.project.compile().map_err(failed)?;
        if output.has_compiler_errors() {
            return Err(failed(output.to_string()));
        }
        let SolcCompiler::Specific(solc) = &self.project.compiler;
        let compiler = solc.version.to_string();
        let mut all = BTreeMap::new();
        for name in ["Vault", "VaultRules", "VaultFactory", "VaultLens"] {
            let file = self.project.root().join(source_of(name));
            let artifact = output.find(&file, name);
            let artifact = artifact.ok_or_else(|| failed(format!("made no {name}")))?;
            all.insert(name.to_owned(), taken(name, &compiler, artifact)?);
        }
        Release::of(all)
    }

    /// Standard JSON input of one contract, as block explorers take it.
    pub fn standard_json(&self, name: &str) -> Result<String, DeployError> {
        let target = self.project.root().join(source_of(name));
        let input = self.project.standard_json_input(&target).map_err(failed)?;
        let text = serde_json::to_string_pretty(&input).map_err(failed)?;
        Ok(format!("{text}\n"))
    }
}

fn source_of(name: &str) -> String {
    format!("contracts/src/{name}.sol")
}

fn taken(
    name: &str,
    compiler: &str,
    artifact: &ConfigurableContractArtifact,
) -> Result<Artifact, DeployError> {
    let missing = || failed(format!("{name}: no code"));
    let creation = artifact.bytecode.as_ref().ok_or_else(missing)?;
    let runtime = artifact.deployed_bytecode.as_ref().ok_or_else(missing)?;
    let mut immutables: Vec<Vec<usize>> = Vec::new();
    for places in runtime.immutable_references.values() {
        let places = places.iter().map(|place| usize::try_from(place.start));
        let mut places: Vec<usize> = places.collect::<Result<_, _>>().map_err(failed)?;
        places.sort_unstable();
        immutables.push(places);
    }
    immutables.sort();
    let code = runtime.bytecode.as_ref();
    let code = code.and_then(|code| code.object.as_bytes());
    Ok(Artifact {
        compiler: compiler.to_owned(),
        creation_code: creation.object.as_bytes().ok_or_else(missing)?.clone(),
        runtime_code: code.ok_or_else(missing)?.clone(),
        immutables,
    })
}

fn failed(error: impl ToString) -> DeployError {
    DeployError::Compiler(error.to_string())
}
