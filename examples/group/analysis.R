# The models of a plan, over the table of `requant export`, and one table of how the effect hangs on them.
#
#   Rscript examples/group/analysis.R plan.toml OUT
#
# Debian: apt-get install r-base-core r-cran-metafor r-cran-lme4 r-cran-lmertest r-cran-emmeans r-cran-car
#
# Writes OUT/results.csv (a row a number), OUT/sensitivity.csv (the effect under every model, with and without gates, with every
# method) and OUT/forest.svg. Sites differ in their means and in their share of patients: every default model holds the site
# fixed, or works within sites.

suppressPackageStartupMessages({
  library(metafor)
  library(lme4)
  library(lmerTest)
  library(emmeans)
  library(car)
})

stop_line <- function(...) {
  message("analysis: ", ...)
  quit(status = 1)
}
told <- character()
warn_line <- function(...) {
  line <- paste0("warning: ", ...)
  if (!line %in% told) message(line)
  told <<- c(told, line)
}

# --- the plan: lines `key = value`, values being texts, numbers and lists of texts -----------------------------------------
read_plan <- function(path) {
  known <- c("table", "outcomes", "group", "order", "covariates", "site", "subject", "correction", "meta_least", "method",
             "voi", "subspec", "session_id")
  lines <- trimws(sub("#[^\"]*$", "", readLines(path, warn = FALSE)))
  plan <- list()
  for (line in lines[nzchar(lines)]) {
    parts <- regmatches(line, regexec("^([A-Za-z_]+) *= *(.+)$", line))[[1]]
    if (length(parts) != 3) stop_line(path, ": cannot read `", line, "`")
    if (!parts[2] %in% known) stop_line(path, ": unknown key `", parts[2], "`; there are ", paste(known, collapse = ", "))
    texts <- gsub("\"", "", regmatches(parts[3], gregexpr("\"[^\"]*\"", parts[3]))[[1]])
    plan[[parts[2]]] <- if (grepl("^[0-9.]+$", parts[3])) as.numeric(parts[3]) else texts
  }
  for (key in c("table", "outcomes", "group", "order", "site", "subject"))
    if (length(plan[[key]]) == 0) stop_line(path, ": `", key, "` is missing")
  if (is.null(plan$correction)) plan$correction <- "holm"
  if (is.null(plan$meta_least)) plan$meta_least <- 3
  if (!file.exists(plan$table)) plan$table <- file.path(dirname(path), plan$table)
  plan
}

# --- the rows ------------------------------------------------------------------------------------------------------------------
read_table <- function(plan) {
  if (!file.exists(plan$table)) stop_line(plan$table, ": no such file; requant export writes it")
  # Labels stay labels, whatever they look like.
  head <- names(read.delim(plan$table, nrows = 1, na.strings = "n/a"))
  labels <- intersect(head, c(plan$subject, plan$site, plan$group, "session_id", "voi", "subspec", "method", "spectrum_id", "sex"))
  table <- read.delim(plan$table, na.strings = "n/a", colClasses = setNames(rep("character", length(labels)), labels))
  needed <- c(plan$outcomes, plan$group, plan$site, plan$subject, plan$covariates)
  missing <- setdiff(needed, names(table))
  if (length(missing) > 0) {
    near <- names(table)[agrep(missing[1], names(table), ignore.case = TRUE)]
    stop_line("no column ", paste(missing, collapse = ", "), " in ", plan$table,
              if (length(near) > 0) paste0("; is one of these meant: ", paste(head(near, 5), collapse = ", "), "?"))
  }
  unknown <- setdiff(plan$order, table[[plan$group]])
  if (length(unknown) > 0)
    stop_line("no group ", paste(unknown, collapse = ", "), "; there are ", paste(sort(unique(na.omit(table[[plan$group]]))), collapse = ", "))
  for (key in c("voi", "subspec", "session_id")) {
    if (!is.null(plan[[key]])) table <- table[which(table[[key]] == plan[[key]]), ]
    there <- unique(na.omit(if (key %in% names(table)) table[[key]] else character()))
    if (length(there) > 1) stop_line("the table has ", length(there), " of ", key, " (", paste(there, collapse = ", "), "): name one in the plan")
  }
  table
}

rows_of <- function(table, plan, method) {
  rows <- if ("method" %in% names(table)) table[table$method == method, ] else table
  left <- setdiff(unique(na.omit(rows[[plan$group]])), plan$order)
  rows <- rows[rows[[plan$group]] %in% plan$order, ]
  twice <- unique(rows[[plan$subject]][duplicated(rows[c(plan$site, plan$subject)])])
  if (length(twice) > 0)
    stop_line(length(twice), " people have several rows (", paste(head(twice, 3), collapse = ", "), "): rows are not people; name voi, session_id or subspec")
  rows$group <- factor(rows[[plan$group]], plan$order)
  rows$site <- rows[[plan$site]]
  if (any(is.na(rows$site))) stop_line(sum(is.na(rows$site)), " rows have no site")
  for (name in plan$covariates) if (is.character(rows[[name]])) rows[[name]] <- factor(rows[[name]])
  attr(rows, "left") <- left
  rows
}

# --- one row a number --------------------------------------------------------------------------------------------------------
results <- list()
put <- function(outcome, method, gated, model, term, figure, value)
  results[[length(results) + 1]] <<- data.frame(outcome, method, gated, model, term, figure, value = as.numeric(value))

formula_of <- function(...) as.formula(paste("value ~", paste(c(...), collapse = " + ")))

# --- the models ------------------------------------------------------------------------------------------------------------------
# HC3: the variance of residuals that differ from row to row (MacKinnon & White 1985).
hc3 <- function(fit) {
  x <- model.matrix(fit)
  bread <- solve(crossprod(x))
  scaled <- residuals(fit) / (1 - hatvalues(fit))
  bread %*% crossprod(x * scaled) %*% bread
}

one_way <- function(d, say) {
  fit <- lm(value ~ group, d)
  a <- anova(fit)
  say("anova", "group", "F", a$`F value`[1]); say("anova", "group", "p", a$`Pr(>F)`[1])
  w <- oneway.test(value ~ group, d)
  say("welch", "group", "F", w$statistic); say("welch", "group", "p", w$p.value)
  k <- kruskal.test(value ~ group, d)
  say("kruskal", "group", "H", k$statistic); say("kruskal", "group", "p", k$p.value)
}

ancova <- function(d, plan, say) {
  fit <- lm(formula_of("group", plan$covariates), d)
  a <- car::Anova(fit, type = 2)
  residual <- a["Residuals", "Sum Sq"]
  for (term in setdiff(rownames(a), "Residuals")) {
    say("ancova", term, "F", a[term, "F value"]); say("ancova", term, "p", a[term, "Pr(>F)"])
    say("ancova", term, "partial_eta2", a[term, "Sum Sq"] / (a[term, "Sum Sq"] + residual))
  }
  means <- emmeans(fit, "group")
  for (adjust in c("tukey", "bonferroni", "holm")) {
    pairs <- as.data.frame(pairs(means, adjust = adjust))
    for (i in seq_len(nrow(pairs))) {
      say(paste0("emmeans_", adjust), pairs$contrast[i], "estimate", pairs$estimate[i])
      say(paste0("emmeans_", adjust), pairs$contrast[i], "se", pairs$SE[i])
      say(paste0("emmeans_", adjust), pairs$contrast[i], "p", pairs$p.value[i])
    }
  }
  # What shares of patients that differ between sites do to it, is why the site stands in the models below.
  effect(fit, "ancova_no_site", say)
  a$`Pr(>F)`[1]
}

# The effect of each group against the reference, as a row of the sensitivity table.
effect <- function(fit, model, say, variance = vcov(fit)) {
  for (term in grep("^group", names(coef(fit)), value = TRUE)) {
    estimate <- coef(fit)[[term]]; se <- sqrt(variance[term, term]); df <- df.residual(fit)
    name <- sub("^group", "", term)
    say(model, name, "estimate", estimate); say(model, name, "se", se); say(model, name, "df", df)
    say(model, name, "p", 2 * pt(-abs(estimate / se), df))
    say(model, name, "low", estimate - qt(.975, df) * se); say(model, name, "high", estimate + qt(.975, df) * se)
  }
}

site_fixed <- function(d, plan, say) {
  fit <- lm(formula_of("group", if (length(unique(d$site)) > 1) "site", plan$covariates), d)
  effect(fit, "site_fixed", say)
  effect(fit, "site_fixed_hc3", say, hc3(fit))
}

site_random <- function(d, plan, say) {
  if (length(unique(d$site)) < 3) return(warn_line("fewer than three sites: no random site"))
  # With the site's share of each group beside it the effect is the one within sites.
  shares <- sapply(levels(d$group)[-1], function(g) ave(as.numeric(d$group == g), d$site))
  names <- paste0("share_", make.names(colnames(shares)))
  d[names] <- shares
  for (model in c("site_random_share", "site_random")) {
    terms <- c("group", if (model == "site_random_share") names, plan$covariates, "(1 | site)")
    fit <- suppressMessages(lmer(formula_of(terms), d))
    table <- coef(summary(fit))
    for (term in grep("^group", rownames(table), value = TRUE)) {
      name <- sub("^group", "", term); of <- table[term, ]; q <- qt(.975, of[["df"]])
      say(model, name, "estimate", of[["Estimate"]]); say(model, name, "se", of[["Std. Error"]])
      say(model, name, "df", of[["df"]]); say(model, name, "p", of[["Pr(>|t|)"]])
      say(model, name, "low", of[["Estimate"]] - q * of[["Std. Error"]])
      say(model, name, "high", of[["Estimate"]] + q * of[["Std. Error"]])
    }
    if (isSingular(fit)) warn_line(model, ": no variance between sites is left")
  }
}

# Two-stage: a number a site, then its mean over the sites by REML with the interval of Hartung and Knapp.
two_stage <- function(d, plan, say) {
  for (g in levels(d$group)[-1]) {
    cells <- lapply(split(d, d$site), function(s) {
      x <- s$value[s$group == g]; y <- s$value[s$group == levels(d$group)[1]]
      if (min(length(x), length(y)) < plan$meta_least) return(NULL)
      data.frame(site = s$site[1], m1 = mean(x), sd1 = sd(x), n1 = length(x), m2 = mean(y), sd2 = sd(y), n2 = length(y))
    })
    cells <- do.call(rbind, cells)
    if (is.null(cells) || nrow(cells) < 2) { warn_line(g, ": fewer than two sites have both groups: no meta-analysis"); next }
    left <- setdiff(unique(d$site), cells$site)
    if (length(left) > 0) warn_line(g, ": sites without ", plan$meta_least, " people of both groups are not in the meta-analysis: ", paste(left, collapse = ", "))
    for (kind in c(hedges_g = "SMD", cvr = "CVR", rom = "ROM")) {
      name <- c(SMD = "meta_hedges_g", CVR = "meta_cvr", ROM = "meta_rom")[[kind]]
      each <- escalc(kind, m1i = m1, sd1i = sd1, n1i = n1, m2i = m2, sd2i = sd2, n2i = n2, data = cells, vtype = "LS")
      if (kind == "SMD") {
        # Exact small-sample factor, and the variance that goes with it.
        m <- cells$n1 + cells$n2 - 2
        j <- exp(lgamma(m / 2) - log(sqrt(m / 2)) - lgamma((m - 1) / 2))
        each$vi <- 1 / cells$n1 + 1 / cells$n2 + each$yi^2 / (2 * (cells$n1 + cells$n2))
        for (i in seq_len(nrow(cells))) { say(name, paste(g, cells$site[i]), "g", each$yi[i]); say(name, paste(g, cells$site[i]), "v", each$vi[i]) }
      }
      fit <- rma(yi, vi, data = each, method = "REML", test = "knha", control = list(threshold = 1e-12, maxiter = 1000))
      prediction <- predict(fit)
      say(name, g, "estimate", fit$beta[1]); say(name, g, "se", fit$se); say(name, g, "p", fit$pval)
      say(name, g, "low", fit$ci.lb); say(name, g, "high", fit$ci.ub); say(name, g, "tau2", fit$tau2); say(name, g, "I2", fit$I2)
      say(name, g, "PI_low", prediction$pi.lb); say(name, g, "PI_high", prediction$pi.ub); say(name, g, "k", fit$k)
      if (kind == "SMD") forests[[paste(g)]] <<- list(fit = fit, sites = cells$site)
    }
  }
}

warn_cells <- function(d, outcome) {
  counts <- table(d$site, d$group)
  one <- rownames(counts)[rowSums(counts > 0) == 1]
  if (length(one) > 0) warn_line(outcome, ": sites of one group say nothing of a difference: ", paste(one, collapse = ", "))
  small <- which(counts > 0 & counts < 5)
  if (length(small) > 0) warn_line(outcome, ": ", length(small), " cells of fewer than five people")
  if (nrow(counts) > 1 && suppressWarnings(chisq.test(counts)$p.value) < .001)
    warn_line(outcome, ": groups have other shares from site to site: a model without site takes sites for groups")
}

# --- all of it --------------------------------------------------------------------------------------------------------------------
arguments <- commandArgs(trailingOnly = TRUE)
if (length(arguments) != 2) stop_line("give a plan and a folder for the results")
plan <- read_plan(arguments[1])
out <- arguments[2]
dir.create(out, showWarnings = FALSE, recursive = TRUE)
table <- read_table(plan)
methods <- if ("method" %in% names(table)) unique(table$method) else "all"
main <- if (length(plan$method) > 0) plan$method else methods[1]
if (length(plan$method) == 0 && length(methods) > 1)
  stop_line("the table has ", length(methods), " methods (", paste(methods, collapse = ", "), "): name one in the plan; the others are in the sensitivity table")
if (!main %in% methods) stop_line("no rows of the method ", main, "; there are ", paste(methods, collapse = ", "))

forests <- list()
ancova_p <- c()
for (method in c(main, setdiff(methods, main))) {
  rows <- rows_of(table, plan, method)
  if (length(attr(rows, "left")) > 0) warn_line("groups that the plan does not compare: ", paste(attr(rows, "left"), collapse = ", "))
  for (outcome in plan$outcomes) for (gated in c(TRUE, FALSE)) {
    keep <- sub("_[^_]+$", "_keep", outcome)
    if (gated && !keep %in% names(rows)) next
    d <- rows
    d$value <- d[[outcome]]
    d <- d[!is.na(d$value) & (!gated | d[[keep]] == 1), ]
    if (min(table(d$group)) < 3) { warn_line(outcome, ", ", method, ": a group has fewer than three values"); next }
    say <- function(model, term, figure, value) put(outcome, method, gated, model, term, figure, value)
    is_main <- method == main && gated
    if (is_main) warn_cells(d, outcome)
    complete <- d[complete.cases(d[c("value", plan$covariates)]), ]
    if (nrow(complete) < nrow(d) && is_main) warn_line(outcome, ": ", nrow(d) - nrow(complete), " rows lack a covariate and are not in the models with covariates")
    if (is_main) one_way(d, say)
    p <- ancova(complete, plan, say)
    if (is_main) ancova_p[outcome] <- p
    site_fixed(complete, plan, say)
    site_random(complete, plan, say)
    if (!is_main) { kept <- forests; two_stage(d, plan, say); forests <- kept } else two_stage(d, plan, say)
    if (is_main && length(forests) > 0) {
      svg(file.path(out, paste0("forest_", outcome, ".svg")), width = 7, height = 2 + .25 * nrow(d[!duplicated(d$site), ]))
      for (g in names(forests)) forest(forests[[g]]$fit, slab = forests[[g]]$sites, addpred = TRUE, xlab = paste0(outcome, ": Hedges g, ", g, " less ", plan$order[1]))
      invisible(dev.off())
      forests <- list()
    }
  }
}
if (length(ancova_p) > 0)
  for (outcome in names(ancova_p))
    put(outcome, main, TRUE, "ancova", "group", paste0("p_", plan$correction), p.adjust(ancova_p, plan$correction)[[outcome]])

results <- do.call(rbind, results)
results$value <- sprintf("%.17g", results$value)
write.csv(results, file.path(out, "results.csv"), row.names = FALSE, quote = TRUE)

effects <- c("ancova_no_site", "site_fixed", "site_fixed_hc3", "site_random", "site_random_share", "meta_hedges_g", "meta_rom", "meta_cvr")
is_effect <- results$model %in% effects & results$figure %in% c("estimate", "low", "high", "p")
sensitivity <- reshape(results[is_effect, ], direction = "wide", timevar = "figure", v.names = "value",
                       idvar = c("outcome", "method", "gated", "model", "term"))
names(sensitivity) <- sub("^value\\.", "", names(sensitivity))
sensitivity$is_default <- sensitivity$method == main & sensitivity$gated & sensitivity$model %in% c("site_fixed", "site_random_share", "meta_hedges_g")
write.csv(sensitivity, file.path(out, "sensitivity.csv"), row.names = FALSE)
shown <- sensitivity
for (name in c("estimate", "low", "high", "p")) shown[[name]] <- signif(as.numeric(shown[[name]]), 3)
print(shown, row.names = FALSE)
