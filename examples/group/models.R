# The models of a plan. Each takes rows with `value`, `group` (a factor whose first level is the reference), `site`, `person`,
# covariates and, where people have several voxels, `voi`; each gives rows of (model, term, figure, value).

numbers <- function(model, term, ...) {
  figures <- list(...)
  data.frame(model, term, figure = names(figures), value = as.numeric(unlist(figures)), row.names = NULL)
}

formula_of <- function(...) as.formula(paste("value ~", paste(c(...), collapse = " + ")))

# Only one level or number: such a column says nothing and stops a model.
varying <- function(d, columns) columns[vapply(columns, function(name) length(unique(na.omit(d[[name]]))) > 1, TRUE)]

# One effect with its 95 % interval from an estimate, its error and degrees of freedom.
interval <- function(model, term, estimate, se, df) {
  numbers(model, term, estimate = estimate, se = se, df = df, p = 2 * pt(-abs(estimate / se), df),
          low = estimate - qt(.975, df) * se, high = estimate + qt(.975, df) * se)
}

# What the same people's mean would be without the differences between groups: what effects are given in % of.
level_of <- function(d, rows) {
  found <- rows[rows$figure == "estimate" & rows$term %in% levels(d$group), ]
  mean(d$value) - sum(found$value * vapply(found$term, function(g) mean(d$group == g), 1))
}

# --- linear models: one row a person ---------------------------------------------------------------------------------------
# HC3: the variance of residuals that differ from row to row (MacKinnon & White 1985). A row alone in its site has no say.
hc3 <- function(fit) {
  known <- names(which(!is.na(coef(fit))))
  x <- model.matrix(fit)[, known, drop = FALSE]
  bread <- solve(crossprod(x))
  left <- 1 - hatvalues(fit)
  scaled <- ifelse(left > 1e-10, residuals(fit) / left, 0)
  bread %*% crossprod(x * scaled) %*% bread
}

# The effect of each group against the reference.
effect <- function(fit, model, variance = vcov(fit)) {
  terms <- intersect(grep("^group", names(coef(fit)), value = TRUE), names(which(!is.na(coef(fit)))))
  do.call(rbind, lapply(terms, function(term)
    interval(model, sub("^group", "", term), coef(fit)[[term]], sqrt(variance[term, term]), df.residual(fit))))
}

one_way <- function(d) {
  a <- anova(lm(value ~ group, d))
  w <- oneway.test(value ~ group, d)
  k <- kruskal.test(value ~ group, d)
  rbind(numbers("anova", "group", F = a$`F value`[1], p = a$`Pr(>F)`[1]),
        numbers("welch", "group", F = w$statistic, p = w$p.value),
        numbers("kruskal", "group", H = k$statistic, p = k$p.value))
}

ancova <- function(d, covariates) {
  fit <- lm(formula_of("group", varying(d, covariates)), d)
  a <- car::Anova(fit, type = 2)
  residual <- a["Residuals", "Sum Sq"]
  rows <- lapply(setdiff(rownames(a), "Residuals"), function(term)
    numbers("ancova", term, F = a[term, "F value"], p = a[term, "Pr(>F)"],
            partial_eta2 = a[term, "Sum Sq"] / (a[term, "Sum Sq"] + residual)))
  means <- emmeans(fit, "group")
  for (adjust in c("tukey", "bonferroni", "holm")) {
    pairs <- as.data.frame(pairs(means, adjust = adjust))
    rows[[adjust]] <- do.call(rbind, lapply(seq_len(nrow(pairs)), function(i)
      numbers(paste0("emmeans_", adjust), pairs$contrast[i], estimate = pairs$estimate[i], se = pairs$SE[i], p = pairs$p.value[i])))
  }
  # What shares of patients that differ between sites do to it, is why the site stands in the models below.
  do.call(rbind, c(rows, list(effect(fit, "ancova_no_site"))))
}

site_fixed_fit <- function(d, covariates) lm(formula_of("group", varying(d, c("site", covariates))), d)

site_fixed <- function(d, covariates) {
  fit <- site_fixed_fit(d, covariates)
  rbind(effect(fit, "site_fixed"), effect(fit, "site_fixed_hc3", hc3(fit)))
}

# --- mixed models ------------------------------------------------------------------------------------------------------------
mixed <- function(formula, d) suppressMessages(lmer(formula, d, control = lmerControl(calc.derivs = FALSE)))

# Degrees of freedom by Satterthwaite.
mixed_effect <- function(fit, model) {
  table <- coef(summary(fit))
  do.call(rbind, lapply(grep("^group[^:]*$", rownames(table), value = TRUE), function(term)
    interval(model, sub("^group", "", term), table[term, "Estimate"], table[term, "Std. Error"], table[term, "df"])))
}

# Share of each group but the reference at each person's site: with it the effect is the one within sites.
with_shares <- function(d) {
  person <- !duplicated(d[c("site", "person")])
  for (g in levels(d$group)[-1]) {
    share <- tapply(d$group[person] == g, as.character(d$site[person]), mean)
    d[[paste0("share_", make.names(g))]] <- as.numeric(share[as.character(d$site)])
  }
  d
}

# People with several voxels are one person each: the person is a random effect, the voxel a term.
mega_of_voxels <- function(d, covariates) {
  covariates <- varying(d, covariates)
  fixed <- mixed(formula_of("group", "voi", varying(d, "site"), covariates, "(1 | person)"), d)
  rows <- mixed_effect(fixed, "site_fixed_person")
  if (length(unique(d$site)) >= 3) rows <- rbind(rows, site_random(d, covariates, c("voi", "(1 | person)"), "_person"))
  both <- mixed(formula_of("group * voi", covariates, if (length(unique(d$site)) >= 3) "(1 | site)", "(1 | person)"), d)
  pairs <- as.data.frame(contrast(emmeans(both, ~ group | voi, lmer.df = "satterthwaite"), "trt.vs.ctrl1", adjust = "holm"))
  rbind(rows, do.call(rbind, lapply(seq_len(nrow(pairs)), function(i)
    numbers("voxels_holm", paste0(pairs$voi[i], ": ", pairs$contrast[i]), estimate = pairs$estimate[i], se = pairs$SE[i],
            df = pairs$df[i], p = pairs$p.value[i]))))
}

site_random <- function(d, covariates, more = NULL, suffix = "", models = c("site_random_share", "site_random")) {
  d <- with_shares(d)
  shares <- varying(d, grep("^share_", names(d), value = TRUE))
  do.call(rbind, lapply(models, function(model) {
    fit <- mixed(formula_of("group", if (model == "site_random_share") shares, varying(d, covariates), "(1 | site)", more), d)
    mixed_effect(fit, paste0(model, suffix))
  }))
}

# --- two stages: a number a site, then its mean over sites -----------------------------------------------------------------
# The variance between sites where the slope of its restricted likelihood is 0 (Viechtbauer 2005): bisection always ends.
reml_tau2 <- function(yi, vi) {
  slope <- function(tau2) {
    w <- 1 / (vi + tau2)
    sum(w^2 * (yi - sum(w * yi) / sum(w))^2) - sum(w) + sum(w^2) / sum(w)
  }
  if (slope(0) <= 0) return(0)
  high <- var(yi) + max(vi)
  while (slope(high) > 0) high <- 2 * high
  uniroot(slope, c(0, high), tol = 1e-14)$root
}

# metafor's own steps do not end for some data.
pooled <- function(yi, vi, ...) {
  stepped <- function(...) rma(yi, vi, method = "REML", control = list(threshold = 1e-12, maxiter = 1000), ...)
  tryCatch(stepped(...), error = function(e) rma(yi, vi, tau2 = reml_tau2(yi, vi), ...))
}

# By REML with the interval of Hartung and Knapp, and the interval in which a further site would lie.
over_sites <- function(yi, vi, model, term, names = paste(seq_along(yi))) {
  fit <- pooled(yi, vi, slab = names, test = "knha")
  predicted <- predict(fit)
  rows <- numbers(model, term, estimate = fit$beta[1], se = fit$se, p = fit$pval, low = fit$ci.lb, high = fit$ci.ub,
                  tau2 = fit$tau2, I2 = fit$I2, PI_low = predicted$pi.lb, PI_high = predicted$pi.ub, k = fit$k)
  list(fit = fit, rows = rows)
}

# A person's mean over voxels: a voxel that somebody lacks does not move it.
person_means <- function(d) {
  if (is.null(d$voi)) return(d)
  d$value <- d$value - ave(d$value, d$site, d$voi) + ave(d$value, d$site)
  for (name in names(d)[vapply(d, is.numeric, TRUE)]) d[[name]] <- ave(d[[name]], d$person)
  d[!duplicated(d[c("site", "person")]), ]
}

cells_of <- function(d, g, least) {
  d <- person_means(d)
  cells <- lapply(split(d, as.character(d$site)), function(s) {
    x <- s$value[s$group == g]; y <- s$value[s$group == levels(d$group)[1]]
    if (min(length(x), length(y)) < least || sd(c(x, y)) == 0) return(NULL)
    data.frame(site = as.character(s$site[1]), m1 = mean(x), sd1 = sd(x), n1 = length(x), m2 = mean(y), sd2 = sd(y), n2 = length(y))
  })
  do.call(rbind, cells)
}

# Hedges g with the exact factor J; the logarithms of the ratios of means and of coefficients of variation.
two_stage <- function(d, least, kinds = c("SMD", "CVR", "ROM")) {
  rows <- list(); forests <- list()
  for (g in levels(d$group)[-1]) {
    cells <- cells_of(d, g, least)
    if (is.null(cells) || nrow(cells) < 2) { warn_line(g, ": fewer than two sites have ", least, " people of both groups: no meta-analysis"); next }
    for (kind in kinds) {
      # A ratio needs positive means.
      of <- if (kind == "SMD") cells else cells[cells$m1 > 0 & cells$m2 > 0, ]
      if (nrow(of) < 2) next
      model <- c(SMD = "meta_hedges_g", CVR = "meta_cvr", ROM = "meta_rom")[[kind]]
      each <- escalc(kind, m1i = m1, sd1i = sd1, n1i = n1, m2i = m2, sd2i = sd2, n2i = n2, data = of, vtype = "LS")
      found <- over_sites(each$yi, each$vi, model, g, of$site)
      rows[[paste(g, kind)]] <- found$rows
      if (kind != "SMD") next
      forests[[g]] <- list(fit = found$fit, sites = of$site)
      for (i in seq_len(nrow(of))) rows[[paste(g, of$site[i])]] <- numbers(model, paste(g, of$site[i]), g = each$yi[i], v = each$vi[i])
    }
  }
  list(rows = do.call(rbind, rows), forests = forests)
}

# --- scales ------------------------------------------------------------------------------------------------------------------
residual <- function(d, name, terms) {
  if (length(terms) == 0) return(d[[name]] - mean(d[[name]]))
  residuals(lm(as.formula(paste(name, "~", paste(terms, collapse = " + "))), d))
}

# Correlations with a scale over those who have it: with covariates and sites taken out, and site by site.
correlations <- function(d, scale, covariates) {
  d <- person_means(d)
  d$scale <- d[[scale]]
  d <- d[!is.na(d$scale), ]
  if (nrow(d) < 5 || sd(d$scale) == 0) { warn_line(scale, ": fewer than five people have it"); return(NULL) }
  of <- cor.test(d$value, d$scale)
  rows <- list(numbers("pearson", scale, estimate = of$estimate, p = of$p.value, low = of$conf.int[1], high = of$conf.int[2], n = nrow(d)))
  ranks <- suppressWarnings(cor.test(d$value, d$scale, method = "spearman", exact = FALSE))
  rows$spearman <- numbers("spearman", scale, estimate = ranks$estimate, p = ranks$p.value)
  whole <- d[complete.cases(d[covariates]), ]
  within <- list(partial = varying(whole, c("group", covariates)), partial_within_site = varying(whole, c("group", "site", covariates)))
  for (model in names(within)) {
    fit <- lm(formula_of(c("scale", within[[model]])), whole)
    r <- cor(residual(whole, "value", within[[model]]), residual(whole, "scale", within[[model]]))
    df <- fit$df.residual
    if (df < 3) next
    # Fisher's z with the degrees of freedom that the covariates leave.
    edges <- tanh(atanh(r) + c(-1, 1) * qnorm(.975) / sqrt(df - 1))
    rows[[model]] <- numbers(model, scale, estimate = r, df = df, p = 2 * pt(-abs(r * sqrt(df / (1 - r^2))), df), low = edges[1], high = edges[2])
  }
  sites <- lapply(split(d, as.character(d$site)), function(s)
    if (nrow(s) >= 5 && sd(s$scale) > 0 && sd(s$value) > 0) data.frame(z = atanh(cor(s$value, s$scale)), v = 1 / (nrow(s) - 3)))
  sites <- do.call(rbind, sites)
  if (!is.null(sites) && nrow(sites) >= 2) {
    rows$meta <- over_sites(sites$z, sites$v, "correlation_meta", scale)$rows
    shown <- rows$meta$figure %in% c("estimate", "low", "high", "PI_low", "PI_high")
    rows$meta_z <- transform(rows$meta, model = "correlation_meta_z")
    rows$meta$value[shown] <- tanh(rows$meta$value[shown])
  }
  do.call(rbind, rows)
}

# --- ComBat --------------------------------------------------------------------------------------------------------------------
# Johnson, Li & Rabinovic 2007, parametric, keeping `keep`: means and variances of sites shrunk over `values` (rows × metabolites).
combat <- function(values, site, keep) {
  site <- factor(site)
  batch <- model.matrix(~ site - 1)
  n <- colSums(batch)
  kept <- model.matrix(~ ., keep)[, -1, drop = FALSE]
  design <- cbind(batch, kept)
  b <- solve(crossprod(design), crossprod(design, values))
  grand <- colSums(b[seq_along(n), , drop = FALSE] * n) / sum(n)
  spread <- sqrt(colMeans((values - design %*% b)^2))
  mean_of <- sweep(kept %*% b[-seq_along(n), , drop = FALSE], 2, grand, "+")
  z <- sweep(values - mean_of, 2, spread, "/")
  for (s in levels(site)) {
    rows <- site == s
    own <- z[rows, , drop = FALSE]
    g_hat <- colMeans(own); d_hat <- apply(own, 2, var)
    g_bar <- mean(g_hat); t2 <- var(g_hat); m <- mean(d_hat); v <- var(d_hat)
    a <- 2 + m^2 / v; beta <- m + m^3 / v
    g <- g_hat; d <- d_hat
    repeat {
      g_new <- (t2 * nrow(own) * g_hat + d * g_bar) / (t2 * nrow(own) + d)
      d_new <- (.5 * colSums(sweep(own, 2, g_new)^2) + beta) / (nrow(own) / 2 + a - 1)
      # The published stopping rule, signs and all: other rules differ in the fifth digit.
      moved <- max((abs(g_new - g) / g), (abs(d_new - d) / d))
      g <- g_new; d <- d_new
      if (moved <= 1e-4) break
    }
    z[rows, ] <- sweep(sweep(own, 2, g), 2, sqrt(d), "/")
  }
  sweep(z, 2, spread, "*") + mean_of
}

# The outcome beside the other metabolites of its quantity, harmonised; then a model without site.
combat_effect <- function(d, outcome, covariates) {
  quantity <- sub("^.*_", "_", outcome)
  metabolites <- names(d)[endsWith(names(d), quantity) & vapply(d, is.numeric, TRUE)]
  metabolites <- union(outcome, metabolites[vapply(metabolites, function(name) mean(!is.na(d[[name]])) >= .95, TRUE)])
  if (length(metabolites) < 2) { warn_line(outcome, ": no other metabolite of its quantity: no ComBat"); return(NULL) }
  d <- d[complete.cases(d[metabolites]), ]
  d <- d[ave(rep(1, nrow(d)), as.character(d$site), FUN = sum) >= 2, ]
  keep <- varying(d, c("group", covariates))
  if (length(unique(d$site)) < 2 || !"group" %in% keep) return(NULL)
  made <- tryCatch(combat(as.matrix(d[metabolites]), as.character(d$site), d[keep]), error = function(e) NULL)
  if (is.null(made) || !all(is.finite(made))) { warn_line(outcome, ": ComBat does not converge"); return(NULL) }
  d$value <- made[, outcome]
  effect(lm(formula_of("group", setdiff(keep, "group")), d), "combat")
}
