# How often the models of examples/group/ find what is not there, and what they make of what is: benches/GROUP.md.
#
#   Rscript scripts/group-rates.R OUT.md [DRAWS] [CORES] [CASES] [analysis.tsv OUTCOME]
#
# CASES: permuted, confounded, effect, or one cell of them (permuted/14-35/2: people a site, voxels), with commas; all by default.
#
# Twelve sites with means (sd 8 %), spreads (8 to 14 %) and skewed, heavy-tailed values of their own; age, sex and GM ratio act,
# and differ between people. With a table, sites and people's values are drawn from it instead.
suppressPackageStartupMessages({ library(metafor); library(lme4); library(lmerTest); library(emmeans); library(parallel) })
warn_line <- function(...) NULL
source("examples/group/models.R")
arguments <- commandArgs(trailingOnly = TRUE)
draws <- if (length(arguments) > 1) as.integer(arguments[2]) else 2000L
cores <- if (length(arguments) > 2) as.integer(arguments[3]) else 2L
RNGkind("L'Ecuyer-CMRG")
covariates <- c("age", "sex", "gm_ratio")
share_of <- .42; n_sites <- 12

pool <- NULL
if (length(arguments) > 5) {
  table <- read.delim(arguments[5], na.strings = "n/a")
  table$value <- table[[arguments[6]]]
  table <- table[!is.na(table$value) & table$value > 0, ]
  pool <- Filter(function(values) length(values) >= 8, split(table$value, table$site))
}

# Values of a site's people without any group: relative to 1 at an ordinary site.
site_values <- function(n, site) {
  if (!is.null(pool)) return(sample(site$values, n, replace = TRUE))
  noise <- rgamma(n, 9, 3) - 3 + .5 * rt(n, 5)
  site$mean * (1 + site$spread * noise / 1.2)
}

draw <- function(small, voxels, confounding, effect_share) {
  offsets <- rnorm(n_sites, 0, .08)
  shares <- pmin(pmax(share_of + confounding * (2 * rank(offsets) - n_sites - 1) / (n_sites - 1), .05), .95)
  chosen <- if (!is.null(pool)) sample(pool, n_sites, replace = TRUE)
  d <- do.call(rbind, lapply(seq_len(n_sites), function(s) {
    n <- if (small) 14 else sample(14:35, 1)
    site <- list(mean = exp(offsets[s]), spread = runif(1, .08, .14))
    if (!is.null(pool)) site$values <- chosen[[s]] / mean(chosen[[s]]) * exp(offsets[s])
    is_patient <- if (confounding > 0) runif(n) < shares[s] else seq_len(n) <= (if (small) 5 else round(share_of * n))
    age <- round(runif(n, 18, 65)); sex <- sample(c("F", "M"), n, replace = TRUE)
    own <- site_values(n, site)
    do.call(rbind, lapply(seq_len(voxels), function(v) {
      gm <- rnorm(n, .6, .05)
      # Voxels of a person are alike (.7), and differ in their mean.
      value <- if (v == 1) own else .9 * (site$mean + .7 * (own - site$mean) + sqrt(1 - .49) * (site_values(n, site) - site$mean))
      data.frame(site = sprintf("s%02d", s), person = paste(s, seq_len(n)), voi = paste0("v", v), patient = is_patient, age, sex,
                 gm_ratio = gm, value = value * (1 - .002 * (age - 40) + .02 * (sex == "M") + .3 * (gm - .6)))
    }))
  }))
  # Labels permuted over all people: nothing that differs between people can be of the group.
  if (confounding == 0) {
    people <- unique(d$person)
    labels <- setNames(sample(d$patient[match(people, d$person)]), people)
    d$patient <- as.logical(labels[d$person])
  }
  d$value <- d$value * (1 + effect_share * d$patient)
  d$group <- factor(ifelse(d$patient, "patient", "control"), c("control", "patient"))
  d$score <- rnorm(nrow(d))[match(d$person, d$person)]
  if (voxels == 1) d$voi <- NULL
  d
}

one <- function(seed, small, voxels, confounding, effect_share) {
  set.seed(seed)
  d <- draw(small, voxels, confounding, effect_share)
  rows <- two_stage(d, 3, c("SMD", "ROM"))$rows
  if (voxels == 1) {
    rows <- rbind(rows, site_fixed(d, covariates), site_random(d, covariates, models = "site_random_share"),
                  effect(lm(formula_of("group", covariates), d), "ancova_no_site"))
  } else {
    rows <- rbind(rows, mixed_effect(mixed(formula_of("group", "voi", "site", covariates, "(1 | person)"), d), "site_fixed_person"),
                  site_random(d, covariates, c("voi", "(1 | person)"), "_person", "site_random_share"))
  }
  if (effect_share == 0 && confounding == 0) rows <- rbind(rows, correlations(d, "score", covariates))
  rows <- rows[rows$term %in% c("patient", "score") & rows$model %in% names(shown), ]
  level <- level_of(d, rows[rows$model %in% c("site_fixed", "site_fixed_person"), ])
  wide <- reshape(rows[rows$figure %in% c("estimate", "low", "high", "p"), ], direction = "wide", idvar = c("model", "term"), timevar = "figure")
  names(wide) <- sub("value\\.", "", names(wide))
  # In % of the reference group; Hedges g by the spread within sites and groups.
  spread <- sd(residuals(lm(value ~ site + group, if (voxels == 1) d else person_means(d))))
  per <- ifelse(wide$model == "meta_rom", 100, ifelse(wide$model == "meta_hedges_g", 100 * spread / level, ifelse(grepl("corr|partial", wide$model), 1, 100 / level)))
  truth <- ifelse(wide$term == "score", 0, 100 * effect_share)
  if (any(wide$model == "meta_rom")) truth[wide$model == "meta_rom"] <- 100 * log1p(effect_share)
  data.frame(model = wide$model, p = wide$p, estimate = wide$estimate * per, truth,
             holds = wide$low * per <= truth & truth <= wide$high * per)
}

shown <- c(site_fixed = TRUE, site_fixed_hc3 = FALSE, site_fixed_person = TRUE, site_random_share = TRUE, site_random_share_person = TRUE,
           meta_hedges_g = TRUE, meta_rom = FALSE, partial_within_site = TRUE, correlation_meta = TRUE, ancova_no_site = FALSE)
cases <- expand.grid(voxels = 1:2, small = c(TRUE, FALSE), what = c("permuted", "confounded", "effect"), stringsAsFactors = FALSE)
cases <- cases[cases$what == "permuted" | !cases$small, ]
if (length(arguments) > 3) {
  wanted <- strsplit(arguments[4], ",")[[1]]
  cases <- cases[cases$what %in% wanted | paste(cases$what, ifelse(cases$small, "14", "14-35"), cases$voxels, sep = "/") %in% wanted, ]
}
lines <- c("| sites | voxels | case | model | default | p < .05 | mean % | 95 % hold | draws |", "|---|---|---|---|---|---|---|---|---|")
failed <- character()
for (i in seq_len(nrow(cases))) {
  case <- cases[i, ]
  made <- mclapply(seq_len(draws), function(k) one(1e5 * i + k, case$small, case$voxels, if (case$what == "permuted") 0 else .3,
                                                   if (case$what == "effect") .05 else 0), mc.cores = cores)
  wrong <- Filter(function(m) inherits(m, "try-error"), made)
  if (length(wrong) > 0) stop(length(wrong), " draws failed: ", wrong[[1]])
  all <- do.call(rbind, made)
  for (model in intersect(names(shown), unique(all$model))) {
    of <- all[all$model == model, ]
    rate <- mean(of$p < .05); estimate <- mean(of$estimate); holds <- mean(of$holds)
    lines <- c(lines, sprintf("| 12 × %s | %d | %s | `%s` | %s | %.3f | %+.2f | %.1f %% | %d |", if (case$small) "9 + 5" else "14–35", case$voxels, case$what,
                              model, if (shown[[model]]) "yes" else "", rate, estimate, 100 * holds, nrow(of)))
    is_effect <- !model %in% c("partial_within_site", "correlation_meta")
    held <- switch(case$what, permuted = rate >= .035 && rate <= .065, confounded = rate <= .07 && (!is_effect || abs(estimate) <= .3),
                   effect = !is_effect || (estimate >= 4.7 && estimate <= 5.3 && holds >= .93 && holds <= .97))
    if (shown[[model]] && !held) failed <- c(failed, tail(lines, 1))
  }
  writeLines(lines, arguments[1])
}
cat(lines, sep = "\n")
if (length(failed) > 0) { cat("\nnot as asked:\n", paste0(failed, "\n")); quit(status = 1) }
