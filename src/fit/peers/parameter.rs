//! One nonlinear parameter and where all of them lie in a vector.

use super::components::Component;

/// What a parameter may be and is expected to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Parameter {
    /// Where it starts.
    pub(super) start: f64,
    pub(super) lower: f64,
    pub(super) upper: f64,
    /// Mean of its prior.
    pub(super) mean: f64,
    /// Standard deviation of its prior; infinite: none.
    pub(super) sd: f64,
    /// Unit in which steps are damped; a step is at most five of them long.
    pub(super) step: f64,
    /// Whether it stays where it starts.
    pub(super) is_fixed: bool,
}

impl Parameter {
    /// A free parameter around `mean`; `sd` 0: no prior.
    pub(super) fn around(mean: f64, sd: f64, step: f64) -> Self {
        Self {
            start: mean,
            lower: f64::NEG_INFINITY,
            upper: f64::INFINITY,
            mean,
            sd: if sd > 0.0 { sd } else { f64::INFINITY },
            step,
            is_fixed: false,
        }
    }

    pub(super) fn within(self, lower: f64, upper: f64) -> Self {
        Self { lower, upper, ..self }
    }

    pub(super) fn fixed(value: f64) -> Self {
        Self { is_fixed: true, start: value, ..Self::around(value, 0.0, 1.0) }
    }

    /// (value − mean)/sd.
    pub(super) fn deviation(&self, value: f64) -> f64 {
        (value - self.mean) / self.sd
    }
}

/// What the members of a group share.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Shared {
    /// Shift (rad/s).
    pub(super) shift: Option<Parameter>,
    /// Damping (1/s).
    pub(super) damping: Option<Parameter>,
    /// Gaussian rate (1/s).
    pub(super) gauss: Option<Parameter>,
}

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
