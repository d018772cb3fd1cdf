"""The smaller twin of analysis.R: the same plan and table, the models that Python has the means for.

    python3 -m venv venv && venv/bin/pip install -r examples/group/requirements.txt
    venv/bin/python examples/group/analysis.py plan.toml OUT

Writes OUT/results.csv and OUT/sensitivity.csv as analysis.R does: one-way tests, ANCOVA, site as a fixed term with classical and
HC3 errors, two stages with REML and Hartung-Knapp, correlations. No mixed models: those of statsmodels give wrong p-values where
a variance is at its boundary. Several voxels of a person need analysis.R.
"""

import sys
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import statsmodels.formula.api as smf
from scipy import stats
from scipy.special import gammaln
from statsmodels.stats.anova import anova_lm
from statsmodels.stats.multitest import multipletests

KEYS = {"table", "outcomes", "group", "order", "covariates", "scales", "site", "subject", "correction", "stages", "meta_least", "method",
        "voi", "subspec", "session_id"}
CORRECTIONS = {"holm": "holm", "bonferroni": "bonferroni", "BH": "fdr_bh", "none": None}
DEFAULTS = {"site_fixed", "meta_hedges_g", "partial_within_site", "correlation_meta"}


def stop(line):
    sys.exit(f"analysis: {line}")


def warn(line, told=set()):
    if line not in told:
        print(f"warning: {line}", file=sys.stderr)
    told.add(line)


def read_plan(path):
    try:
        plan = tomllib.loads(Path(path).read_text())
    except (OSError, tomllib.TOMLDecodeError) as error:
        stop(f"{path}: {error}")
    for key in plan.keys() - KEYS:
        stop(f"{path}: unknown key `{key}`; there are {', '.join(sorted(KEYS))}")
    for key in ("table", "outcomes", "group", "order", "site", "subject"):
        if not plan.get(key):
            stop(f"{path}: `{key}` is missing")
    plan = {"covariates": [], "scales": [], "correction": "holm", "stages": ["mega", "meta"], "meta_least": 3} | plan
    if plan["correction"] not in CORRECTIONS:
        stop(f"{path}: no correction `{plan['correction']}`; there are {', '.join(CORRECTIONS)}")
    if len(plan["order"]) < 2:
        stop(f"{path}: `order` names one group; the first is the reference, at least one more is compared")
    if not Path(plan["table"]).exists():
        plan["table"] = Path(path).parent / plan["table"]
    return plan


def read_table(plan):
    if not Path(plan["table"]).exists():
        stop(f"{plan['table']}: no such file; requant export writes it")
    labels = (plan["subject"], plan["site"], plan["group"], "session_id", "voi", "subspec", "method", "spectrum_id", "sex")
    table = pd.read_csv(plan["table"], sep="\t", dtype=dict.fromkeys(labels, str))
    needed = [*plan["outcomes"], plan["group"], plan["site"], plan["subject"], *plan["covariates"], *plan["scales"]]
    missing = [name for name in needed if name not in table]
    if missing:
        stop(f"no column {', '.join(missing)} in {plan['table']}")
    for name in [*plan["outcomes"], *plan["scales"]]:
        if not pd.api.types.is_numeric_dtype(table[name]):
            stop(f"column {name} has texts: it must be numbers")
    for name in plan["covariates"]:
        if table[name].isna().all():
            stop(f"covariate {name} has no value in any row: take it out of the plan, or join a table that has it (requant export --join)")
    groups = table[plan["group"]].dropna().unique()
    if unknown := [name for name in plan["order"] if name not in groups]:
        stop(f"no group {', '.join(unknown)}; there are {', '.join(sorted(groups))}")
    for key in ("voi", "subspec", "session_id"):
        if isinstance(plan.get(key), list) and len(plan[key]) > 1:
            stop(f"several of {key}: people are a random effect then, which analysis.R has")
        if key in plan:
            wanted = plan[key][0] if isinstance(plan[key], list) else plan[key]
            table = table[table[key] == wanted]
        there = table[key].dropna().unique() if key in table else []
        if len(there) > 1:
            stop(f"the table has {len(there)} of {key} ({', '.join(there)}): name one in the plan")
    return table


def rows_of(table, plan, method):
    rows = table[table["method"] == method] if "method" in table else table
    if nobody := int(rows[plan["group"]].isna().sum()):
        warn(f"{nobody} rows have no {plan['group']} and are not compared")
    if left := sorted(set(rows[plan["group"]].dropna()) - set(plan["order"])):
        warn(f"groups that the plan does not compare: {', '.join(left)}")
    rows = rows[rows[plan["group"]].isin(plan["order"])]
    for name in ("site", "subject"):
        if absent := int(rows[plan[name]].isna().sum()):
            stop(f"{absent} rows have no {plan[name]}")
    twice = rows[rows.duplicated([plan["site"], plan["subject"]])][plan["subject"]].unique()
    if len(twice):
        stop(f"{len(twice)} people have several rows ({', '.join(twice[:3])}): rows are not people; name voi, session_id or subspec")
    rows = rows.assign(group=rows[plan["group"]], site=rows[plan["site"]])
    return rows


def site_term(d):
    return ["C(site)"] if d["site"].nunique() > 1 else []


def varying(d, names):
    return [name for name in names if d[name].nunique() > 1]


def group_term(order):
    return f"C(group, Treatment('{order[0]}'))"


def fitted(d, order, terms):
    return smf.ols("value ~ " + " + ".join([group_term(order), *terms]), d).fit()


def put(rows, model, term, **figures):
    rows.extend((model, term, figure, float(value)) for figure, value in figures.items())


def interval(rows, model, term, estimate, se, df):
    half = stats.t.ppf(0.975, df) * se
    put(rows, model, term, estimate=estimate, se=se, df=df, p=2 * stats.t.sf(abs(estimate / se), df), low=estimate - half, high=estimate + half)


def effect(rows, fit, model, order, errors=None):
    for name in order[1:]:
        term = f"{group_term(order)}[T.{name}]"
        if term in fit.params:
            interval(rows, model, name, fit.params[term], (fit.bse if errors is None else errors)[term], fit.df_resid)


def mega(rows, d, whole, plan, is_main):
    order, covariates = plan["order"], varying(whole, plan["covariates"])
    if is_main:
        parts = [d.loc[d["group"] == name, "value"] for name in order]
        f, h = stats.f_oneway(*parts), stats.kruskal(*parts)
        put(rows, "anova", "group", F=f.statistic, p=f.pvalue)
        put(rows, "kruskal", "group", H=h.statistic, p=h.pvalue)
    fit = fitted(whole, order, covariates)
    table = anova_lm(fit, typ=2)
    left = table.loc["Residual", "sum_sq"]
    for term in table.index.drop("Residual"):
        name = "group" if term == group_term(order) else term
        squares = table.loc[term, "sum_sq"]
        put(rows, "ancova", name, F=table.loc[term, "F"], p=table.loc[term, "PR(>F)"], partial_eta2=squares / (squares + left))
    effect(rows, fit, "ancova_no_site", order)
    fit = fitted(whole, order, site_term(whole) + covariates)
    effect(rows, fit, "site_fixed", order)
    effect(rows, fit, "site_fixed_hc3", order, fit.HC3_se)


def reml(y, v):
    """The variance between sites by REML: where its slope is 0, or 0 (Viechtbauer 2005)."""

    def slope(tau2):
        w = 1 / (v + tau2)
        mean = (w * y).sum() / w.sum()
        return ((w * (y - mean)) ** 2).sum() - w.sum() + (w**2).sum() / w.sum()

    if slope(0.0) <= 0:
        return 0.0
    low, high = 0.0, max(1e-6, y.var() + v.max())
    while slope(high) > 0:
        high *= 2
    for _ in range(200):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if slope(middle) > 0 else (low, middle)
    return 0.5 * (low + high)


def over_sites(rows, y, v, model, term):
    """The mean over sites with the interval of Hartung and Knapp, and the one in which a further site would lie."""
    y, v = np.asarray(y, float), np.asarray(v, float)
    k, tau2 = len(y), reml(np.asarray(y, float), np.asarray(v, float))
    w = 1 / (v + tau2)
    mean = (w * y).sum() / w.sum()
    se = np.sqrt((w * (y - mean) ** 2).sum() / (k - 1) / w.sum())
    interval(rows, model, term, mean, se, k - 1)
    w0 = 1 / v
    typical = (k - 1) * w0.sum() / (w0.sum() ** 2 - (w0**2).sum())
    half = stats.t.ppf(0.975, k - 1) * np.sqrt(se**2 + tau2)
    put(rows, model, term, tau2=tau2, I2=100 * tau2 / (tau2 + typical), PI_low=mean - half, PI_high=mean + half, k=k)
    return rows


def two_stage(rows, d, plan):
    for name in plan["order"][1:]:
        cells = []
        for site, s in d.groupby("site"):
            x, y = s.loc[s["group"] == name, "value"], s.loc[s["group"] == plan["order"][0], "value"]
            if min(len(x), len(y)) >= plan["meta_least"] and np.std(np.r_[x, y]) > 0:
                cells.append((site, len(x), x.mean(), x.std(), len(y), y.mean(), y.std()))
        if len(cells) < 2:
            warn(f"{name}: fewer than two sites have {plan['meta_least']} people of both groups: no meta-analysis")
            continue
        cells = pd.DataFrame(cells, columns=["site", "n1", "m1", "s1", "n2", "m2", "s2"])
        m = cells.n1 + cells.n2 - 2
        j = np.exp(gammaln(m / 2) - np.log(np.sqrt(m / 2)) - gammaln((m - 1) / 2))
        g = j * (cells.m1 - cells.m2) / np.sqrt(((cells.n1 - 1) * cells.s1**2 + (cells.n2 - 1) * cells.s2**2) / m)
        v = 1 / cells.n1 + 1 / cells.n2 + g**2 / (2 * (cells.n1 + cells.n2))
        over_sites(rows, g, v, "meta_hedges_g", name)
        for site, gi, vi in zip(cells.site, g, v):
            put(rows, "meta_hedges_g", f"{name} {site}", g=gi, v=vi)
        # A ratio of means needs means above zero.
        below = (cells.m1 <= 0) | (cells.m2 <= 0)
        if below.any():
            warn(f"{name}: no ratios of {', '.join(cells.site[below])}: a mean is not above zero")
        cells = cells[~below]
        if len(cells) < 2:
            continue
        # The square of a coefficient of variation over the number: Nakagawa et al. 2015.
        cv1, cv2 = cells.s1**2 / (cells.n1 * cells.m1**2), cells.s2**2 / (cells.n2 * cells.m2**2)
        ratio = np.log(cells.s1 / cells.m1) - np.log(cells.s2 / cells.m2) + 0.5 / (cells.n1 - 1) - 0.5 / (cells.n2 - 1)
        over_sites(rows, ratio, cv1 + 0.5 / (cells.n1 - 1) + cv2 + 0.5 / (cells.n2 - 1), "meta_cvr", name)
        over_sites(rows, np.log(cells.m1 / cells.m2), cv1 + cv2, "meta_rom", name)


def left_of(d, name, terms):
    return smf.ols(f"{name} ~ " + (" + ".join(terms) or "1"), d).fit()


def correlations(rows, d, scale, covariates):
    d = d[d[scale].notna()].assign(scale=lambda d: d[scale])
    if len(d) < 5 or d["scale"].nunique() < 2:
        return warn(f"{scale}: fewer than five people have it")
    r = stats.pearsonr(d["value"], d["scale"])
    low, high = r.confidence_interval()
    put(rows, "pearson", scale, estimate=r.statistic, p=r.pvalue, low=low, high=high, n=len(d))
    ranks = stats.spearmanr(d["value"], d["scale"])
    put(rows, "spearman", scale, estimate=ranks.statistic, p=ranks.pvalue)
    whole = d.dropna(subset=covariates)
    own = [f"C({name})" if name in ("group", "site") else name for name in varying(whole, ["group", *covariates])]
    for model, terms in (("partial", own), ("partial_within_site", own + site_term(whole))):
        value, score = left_of(whole, "value", terms), left_of(whole, "scale", terms)
        r, df = np.corrcoef(value.resid, score.resid)[0, 1], value.df_resid - 1
        edges = np.tanh(np.arctanh(r) + np.array([-1, 1]) * stats.norm.ppf(0.975) / np.sqrt(df - 1))
        put(rows, model, scale, estimate=r, df=df, p=2 * stats.t.sf(abs(r) * np.sqrt(df / (1 - r**2)), df), low=edges[0], high=edges[1])
    large = [(site, s) for site, s in d.groupby("site") if len(s) >= 5]
    alike = [site for site, s in large if min(s["value"].nunique(), s["scale"].nunique()) < 2]
    if alike:
        warn(f"{scale}: no correlation at {', '.join(alike)}, where all values are alike")
    sites = [(np.arctanh(np.corrcoef(s["value"], s["scale"])[0, 1]), 1 / (len(s) - 3)) for site, s in large if site not in alike]
    if len(sites) >= 2:
        made = over_sites([], *zip(*sites), "correlation_meta_z", scale)
        rows.extend(made)
        shown = {"estimate", "low", "high", "PI_low", "PI_high"}
        rows.extend(("correlation_meta", term, figure, np.tanh(value) if figure in shown else value) for _, term, figure, value in made)


def models_of(d, plan, outcome, is_main):
    rows, whole = [], d.dropna(subset=plan["covariates"])
    if is_main and len(whole) < len(d):
        warn(f"{outcome}: {len(d) - len(whole)} rows lack a covariate and are not in the models with covariates")
    if is_main and len(one := [site for site, s in d.groupby("site") if s["group"].nunique() == 1]):
        warn(f"{outcome}: sites of one group say nothing of a difference: {', '.join(one)}")
    if "mega" in plan["stages"]:
        mega(rows, d, whole, plan, is_main)
    if "meta" in plan["stages"]:
        two_stage(rows, d, plan)
    for scale in plan["scales"]:
        correlations(rows, d, scale, plan["covariates"])
    return rows


def main(plan_path, out):
    plan, out = read_plan(plan_path), Path(out)
    table = read_table(plan)
    methods = list(table["method"].dropna().unique()) if "method" in table else ["all"]
    chosen = plan.get("method", methods[0])
    chosen = chosen[0] if isinstance(chosen, list) else chosen
    if "method" not in plan and len(methods) > 1:
        stop(f"the table has {len(methods)} methods ({', '.join(methods)}): name one in the plan")
    if chosen not in methods:
        stop(f"no rows of the method {chosen}; there are {', '.join(methods)}")
    results = []
    for method in [chosen, *(name for name in methods if name != chosen)]:
        rows = rows_of(table, plan, method)
        for outcome in plan["outcomes"]:
            keep = outcome.rpartition("_")[0] + "_keep"
            for gated in (True, False) if keep in rows else (False,):
                d = rows.assign(value=rows[outcome])
                d = d[d["value"].notna() & ((d[keep] == 1) if gated else True)]
                if d["group"].value_counts().reindex(plan["order"]).fillna(0).min() < 3:
                    warn(f"{outcome}, {method}: a group has fewer than three values")
                    continue
                is_main = method == chosen and gated == (keep in rows)
                found = pd.DataFrame(models_of(d, plan, outcome, is_main), columns=["model", "term", "figure", "value"])
                results.append(found.assign(outcome=outcome, method=method, gated=gated, is_main=is_main))
    if not results:
        stop("no outcome has three values in every group")
    results = pd.concat(results, ignore_index=True)
    out.mkdir(parents=True, exist_ok=True)
    key = ["outcome", "method", "gated", "model", "term"]
    results[[*key, "figure", "value"]].to_csv(out / "results.csv", index=False, float_format="%.17g")
    terms = [*plan["order"], *plan["scales"]]
    shown = results[results["term"].isin(terms) & results["figure"].isin(["estimate", "low", "high", "p"])]
    wide = shown.pivot_table(index=[*key, "is_main"], columns="figure", values="value", sort=False).reset_index()
    wide["is_default"] = wide["is_main"] & wide["model"].isin(DEFAULTS)
    wide["p_corrected"] = np.nan
    for _, at in wide[wide["is_default"]].groupby(["model", "term"]).groups.items():
        # Of outcomes without a p-value nothing was tested.
        how, p = CORRECTIONS[plan["correction"]], wide.loc[at, "p"].dropna()
        wide.loc[p.index, "p_corrected"] = multipletests(p, method=how)[1] if how and len(p) else p
    wide = wide[[*key, "estimate", "low", "high", "p", "p_corrected", "is_default"]]
    wide.to_csv(out / "sensitivity.csv", index=False)
    print(wide.to_string(index=False, float_format="%.3g"))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        stop("give a plan and a folder for the results")
    main(*sys.argv[1:])
