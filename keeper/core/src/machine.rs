//! State machines as tables: what may follow what is read in one place, by the code, the tests and the documents.

use core::fmt;

/// A state of a machine. Only what its table lists can happen.
pub trait Machine: Copy + Eq + fmt::Debug + Sized + 'static {
    /// What takes one state to the next.
    type Step: Copy + Eq + fmt::Debug + 'static;

    /// What the machine describes.
    const NAME: &'static str;
    /// Every edge there is.
    const EDGES: &'static [Edge<Self>];

    /// The state after a step, or why the step is forbidden here.
    fn after(self, step: Self::Step) -> Result<Self, ForbiddenStep> {
        Self::EDGES
            .iter()
            .find(|edge| edge.from == Some(self) && edge.by == step)
            .map(|edge| edge.to)
            .ok_or_else(|| ForbiddenStep {
                machine: Self::NAME,
                from: format!("{self:?}"),
                by: format!("{step:?}"),
            })
    }
}

/// One row of a machine's table.
#[derive(Debug, Clone, Copy)]
pub struct Edge<M: Machine> {
    /// Where it starts; `None` for what does not exist yet.
    pub from: Option<M>,
    /// What happens.
    pub by: M::Step,
    /// Where it leads.
    pub to: M,
    /// In words, when.
    pub when: &'static str,
}

/// A step that the machine's table does not list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{machine}: step {by} is not possible in state {from}")]
pub struct ForbiddenStep {
    machine: &'static str,
    from: String,
    by: String,
}

/// Writes a table with one row a line: `from by to when`.
macro_rules! edges {
    ($($from:ident --$by:ident--> $to:ident $when:literal;)*) => {
        &[$($crate::machine::Edge {
            from: edges!(@from $from),
            by: Self::Step::$by,
            to: Self::$to,
            when: $when,
        }),*]
    };
    (@from New) => { None };
    (@from $from:ident) => { Some(Self::$from) };
}
pub(crate) use edges;
