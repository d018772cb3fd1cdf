//! Where each nonlinear parameter stands in their vector.

use super::components::Component;
use super::parameter::{Parameter, Shared};

/// Places of a group's or a component's parameters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Places {
    pub(super) shift: Option<usize>,
    pub(super) damping: Option<usize>,
    pub(super) gauss: Option<usize>,
}

/// The nonlinear parameters: lineshape, phases, groups, shifts, dampings.
#[derive(Debug, Clone, Default)]
pub(super) struct Layout {
    pub(super) parameters: Vec<Parameter>,
    pub(super) n_shape: usize,
    pub(super) groups: Vec<Places>,
    /// One a member.
    pub(super) own: Vec<Places>,
}

impl Layout {
    pub(super) fn new<'a>(
        shape: &[Parameter],
        phases: [Parameter; 2],
        groups: &[Shared],
        members: impl Iterator<Item = &'a Component> + Clone,
        with_own: bool,
    ) -> Self {
        let mut layout = Self { n_shape: shape.len(), ..Self::default() };
        layout.parameters.extend_from_slice(shape);
        layout.parameters.extend(phases);
        for group in groups {
            let places = Places {
                shift: layout.place(group.shift),
                damping: layout.place(group.damping),
                gauss: layout.place(group.gauss),
            };
            layout.groups.push(places);
        }
        layout.own = members.clone().map(|_| Places::default()).collect();
        if with_own {
            for (m, component) in members.clone().enumerate() {
                layout.own[m].shift = layout.place(component.shift);
            }
            for (m, component) in members.enumerate() {
                layout.own[m].damping = layout.place(component.damping);
            }
        }
        layout
    }

    fn place(&mut self, parameter: Option<Parameter>) -> Option<usize> {
        parameter.map(|p| {
            self.parameters.push(p);
            self.parameters.len() - 1
        })
    }

    pub(super) fn len(&self) -> usize {
        self.parameters.len()
    }

    pub(super) fn phi0(&self) -> usize {
        self.n_shape
    }

    pub(super) fn phi1(&self) -> usize {
        self.n_shape + 1
    }

    /// Parameters that may move.
    pub(super) fn n_free(&self) -> usize {
        self.parameters.iter().filter(|p| !p.is_fixed).count()
    }

    pub(super) fn start(&self) -> Vec<f64> {
        self.parameters.iter().map(|p| p.start).collect()
    }
}
