//! Which model stands behind a login or an engine: a table of the host's configuration. What an agent says about itself is not asked.

use crate::text::{EngineName, Login, ModelName, ProviderName};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A model and who offers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// The model's name.
    pub model: ModelName,
    /// Who offers it.
    pub provider: ProviderName,
}

/// The table: models by the name of an engine or hosted agent, or by the login of whoever opens pull requests.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KnownModels(pub BTreeMap<Login, Model>);

impl KnownModels {
    /// The model of an implementer: by its configured name first, then by the login.
    pub fn of(&self, implementer: Option<&EngineName>, login: Option<&Login>) -> Option<&Model> {
        implementer
            .and_then(|name| self.0.get(name.as_str()))
            .or_else(|| login.and_then(|login| self.0.get(login.as_str())))
    }
}
