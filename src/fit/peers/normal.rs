//! Normal equations of the data: AᵀA and Aᵀd of the model's columns, native or from a device.
//!
//! What was evaluated last is kept, so that other weights at the same parameters cost no evaluation.

use super::evaluation::Evaluation;
use super::problem::Problem;
use super::remote::{Answer, Asking, Remote, Wanted};
use crate::fit::linalg;

/// Normal equations of one problem.
pub(super) struct Normal {
    evaluation: Evaluation,
    /// Nonlinear parameters at which the linear columns in `evaluation` are; empty: nowhere yet.
    evaluated_at: Vec<f64>,
    data: Vec<f64>,
    /// A device that evaluates instead of `evaluation`, while there is one.
    remote: Option<Box<dyn Remote>>,
    asking: Asking,
    gram: Vec<f64>,
    linear: Products,
    all: Products,
}

/// Inner products of the first columns at some nonlinear parameters.
#[derive(Default)]
struct Products {
    p: Vec<f64>,
    /// Full, row by row.
    h: Vec<f64>,
    g: Vec<f64>,
    /// Where they come from a device: what they were taken around.
    around: Option<Around>,
}

/// The residual r at the linear parameters that a request named.
struct Around {
    near: Vec<f64>,
    /// |r|².
    squares: f64,
    /// Aᵀr of the linear columns.
    slopes: Vec<f64>,
}

impl Normal {
    pub(super) fn new(problem: &Problem<'_>) -> Self {
        let n = problem.n_linear() + problem.layout.len();
        let mut data = vec![0.0; problem.grid.n_rows()];
        problem.grid.real_rows(problem.data.iter().copied(), &mut data);
        Self {
            evaluation: Evaluation::new(problem),
            evaluated_at: Vec::new(),
            data,
            remote: None,
            asking: Asking::new(problem.grid),
            gram: vec![0.0; n * n],
            linear: Products::default(),
            all: Products::default(),
        }
    }

    /// The same with a device to evaluate, or with none.
    pub(super) fn on(self, remote: Option<Box<dyn Remote>>) -> Self {
        Self { remote, linear: Products::default(), ..self }
    }

    /// Evaluates on `remote` from now on, or natively; returns what evaluated until now.
    pub(super) fn replace_remote(&mut self, remote: Option<Box<dyn Remote>>) -> Option<Box<dyn Remote>> {
        self.linear = Products::default();
        std::mem::replace(&mut self.remote, remote)
    }

    /// Whether a device evaluates.
    pub(super) fn is_remote(&self) -> bool {
        self.remote.is_some()
    }

    /// Takes the problem's data anew, after they were turned.
    pub(super) fn refresh(&mut self, problem: &Problem<'_>) {
        problem.grid.real_rows(problem.data.iter().copied(), &mut self.data);
        self.linear.p.clear();
    }

    /// Native columns of amplitudes and baseline at `p`.
    pub(super) fn columns(&mut self, problem: &Problem<'_>, p: &[f64]) -> &[f64] {
        if self.evaluated_at != p {
            self.evaluation.linear_columns(problem, p);
            self.evaluated_at = p.to_vec();
        }
        &self.evaluation.columns
    }

    /// H and g of amplitudes and baseline at `p`; `near` are linear parameters near which a solution is expected.
    pub(super) fn linear(&mut self, problem: &Problem<'_>, p: &[f64], near: &[f64]) -> (&[f64], &[f64]) {
        if self.linear.p != p {
            let mut products = std::mem::take(&mut self.linear);
            if !self.ask(problem, p, near, Wanted::Linear, &mut products) {
                self.columns(problem, p);
                self.multiply(problem.n_linear(), &mut products);
            }
            products.p = p.to_vec();
            self.linear = products;
        }
        (&self.linear.h, &self.linear.g)
    }

    /// |d − A·c|² where [`Self::linear`] was last.
    pub(super) fn residual(&self, c: &[f64]) -> f64 {
        if let Some(around) = &self.linear.around {
            return around.sum_of_squares(&self.linear.h, c);
        }
        let rows = self.data.len();
        let mut left = self.data.clone();
        for (j, &v) in c.iter().enumerate().filter(|(_, v)| **v != 0.0) {
            let column = &self.evaluation.columns[j * rows..(j + 1) * rows];
            left.iter_mut().zip(column).for_each(|(r, a)| *r -= v * a);
        }
        left.iter().map(|r| r * r).sum()
    }

    /// H and g of all columns at `p`, those of the nonlinear parameters for the linear ones `c`, and |d|².
    pub(super) fn all(&mut self, problem: &Problem<'_>, p: &[f64], c: &[f64]) -> (&[f64], &[f64], f64) {
        let n = problem.n_linear() + problem.layout.len();
        let mut products = std::mem::take(&mut self.all);
        if !self.ask(problem, p, c, Wanted::All, &mut products) {
            self.columns(problem, p);
            self.evaluation.nonlinear_columns(problem, p, c);
            self.multiply(n, &mut products);
        }
        self.all = products;
        let squares = match &self.all.around {
            Some(around) => around.data_squares(&self.all.h),
            None => self.data.iter().map(|d| d * d).sum(),
        };
        (&self.all.h, &self.all.g, squares)
    }

    /// Products of the first `n` native columns.
    fn multiply(&mut self, n: usize, out: &mut Products) {
        let rows = self.data.len();
        let columns = &self.evaluation.columns;
        linalg::gram(columns, rows, n, &mut self.gram);
        out.h.resize(n * n, 0.0);
        for i in 0..n {
            for j in 0..=i {
                // Column-major lower triangle: element (i, j) lies at j·n + i.
                let v = self.gram[j * n + i];
                out.h[i * n + j] = v;
                out.h[j * n + i] = v;
            }
        }
        out.g.resize(n, 0.0);
        linalg::transposed_times(columns, rows, n, &self.data, &mut out.g);
        out.around = None;
    }

    /// Products from the device; false where there is none, or none any more.
    fn ask(&mut self, problem: &Problem<'_>, p: &[f64], near: &[f64], wanted: Wanted, out: &mut Products) -> bool {
        let Some(remote) = &self.remote else { return false };
        let request = self.asking.request(problem, p, near, wanted);
        let n = request.n_columns;
        match remote.evaluate(request) {
            Some(answer) => {
                out.take(&answer, n, near);
                true
            }
            None => {
                self.remote = None;
                false
            }
        }
    }
}

impl Products {
    /// An answer for `n` columns.
    fn take(&mut self, Answer(products): &Answer, n: usize, near: &[f64]) {
        self.h.resize(n * n, 0.0);
        let mut at = 0;
        for i in 0..n {
            for j in 0..=i {
                let v = f64::from(products[at + j]);
                self.h[i * n + j] = v;
                self.h[j * n + i] = v;
            }
            at += i + 1;
        }
        let (slopes, squares) = (&products[at..at + n], f64::from(products[at + n]));
        let slopes: Vec<f64> = slopes.iter().map(|&s| f64::from(s)).collect();
        let rows = self.h.chunks(n.max(1));
        self.g.clear();
        self.g.extend(slopes.iter().zip(rows).map(|(s, row)| s + dot(&row[..near.len()], near)));
        self.around = Some(Around { near: near.to_vec(), squares, slopes });
    }
}

impl Around {
    /// |d − A·c|², for the products `h` of the linear columns.
    fn sum_of_squares(&self, h: &[f64], c: &[f64]) -> f64 {
        let step: Vec<f64> = c.iter().zip(&self.near).map(|(c, near)| c - near).collect();
        let curved = h.chunks(step.len().max(1)).zip(&step).map(|(row, s)| s * dot(row, &step)).sum::<f64>();
        (self.squares - 2.0 * dot(&self.slopes, &step) + curved).max(0.0)
    }

    /// |d|², for the products `h` of all columns, the linear ones first.
    fn data_squares(&self, h: &[f64]) -> f64 {
        let (near, n) = (&self.near, self.slopes.len().max(1));
        let fitted = h.chunks(n).zip(near).map(|(row, c)| c * dot(&row[..near.len()], near)).sum::<f64>();
        self.squares + 2.0 * dot(&self.slopes[..near.len()], near) + fitted
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}
