# The models of a plan over the table of `requant export`, and one table of how the effect hangs on them.
#
#   Rscript examples/group/analysis.R plan.toml OUT
#
# Debian: apt-get install r-base-core r-cran-metafor r-cran-lme4 r-cran-lmertest r-cran-emmeans r-cran-car
#
# Writes OUT/results.csv (a row a number), OUT/sensitivity.csv (the effect under every model, with and without gates, with every
# method) and forest_, raincloud_ and sites_….svg. Sites differ in their means and in their share of patients: every default
# model holds the site fixed, or works within sites. The models stand in models.R, the figures in figures.R.

stop_line <- function(...) {
  message("analysis: ", ...)
  quit(status = 1)
}
told <- character()
warn_line <- function(...) {
  line <- gsub("\n", " ", paste0("warning: ", ...))
  if (!line %in% told) message(line)
  told <<- c(told, line)
}
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1]))
source(file.path(here, "models.R"))
source(file.path(here, "figures.R"))
listed <- function(names, most = 5) paste0(paste(head(names, most), collapse = ", "), if (length(names) > most) " …")

# --- the plan: lines `key = value`, values being texts, numbers and lists of texts -----------------------------------------
read_plan <- function(path) {
  known <- c("table", "outcomes", "group", "order", "covariates", "scales", "site", "subject", "correction", "stages", "meta_least",
             "method", "voi", "subspec", "session_id")
  if (!file.exists(path)) stop_line(path, ": no such file")
  # Comments begin at a # outside of texts.
  lines <- readLines(path, warn = FALSE)
  lines <- trimws(regmatches(lines, regexpr("^([^\"#]|\"[^\"]*\")*", lines)))
  plan <- list(correction = "holm", meta_least = 3, stages = c("mega", "meta"))
  for (line in lines[nzchar(lines)]) {
    parts <- regmatches(line, regexec("^([A-Za-z_]+) *= *(.+)$", line))[[1]]
    if (length(parts) != 3) stop_line(path, ": cannot read `", line, "`; each key and its value stand on one line")
    if (!parts[2] %in% known) stop_line(path, ": unknown key `", parts[2], "`; there are ", paste(known, collapse = ", "))
    texts <- gsub("\"", "", regmatches(parts[3], gregexpr("\"[^\"]*\"", parts[3]))[[1]])
    plan[[parts[2]]] <- if (parts[3] == "[]") NULL else if (grepl("^[0-9.]+$", parts[3])) as.numeric(parts[3]) else texts
  }
  for (key in c("table", "outcomes", "group", "order", "site", "subject"))
    if (length(plan[[key]]) == 0) stop_line(path, ": `", key, "` is missing")
  if (length(plan$order) < 2) stop_line(path, ": `order` names one group; the first is the reference, at least one more is compared")
  if (!all(plan$correction %in% p.adjust.methods)) stop_line(path, ": no correction `", plan$correction, "`; there are ", paste(p.adjust.methods, collapse = ", "))
  if (length(plan$stages) == 0 || !all(plan$stages %in% c("mega", "meta"))) stop_line(path, ": `stages` are mega, meta or both")
  if (!file.exists(plan$table)) plan$table <- file.path(dirname(path), plan$table)
  plan
}

# --- the rows ----------------------------------------------------------------------------------------------------------------
read_table <- function(plan) {
  if (!file.exists(plan$table)) stop_line(plan$table, ": no such file; requant export writes it")
  # Labels stay labels, whatever they look like.
  head <- tryCatch(names(read.delim(plan$table, nrows = 1, na.strings = "n/a")), error = function(e) stop_line(plan$table, ": no table with columns"))
  labels <- intersect(head, c(plan$subject, plan$site, plan$group, "session_id", "voi", "subspec", "method", "spectrum_id", "sex"))
  table <- read.delim(plan$table, na.strings = c("n/a", "NA", ""), colClasses = setNames(rep("character", length(labels)), labels))
  needed <- c(plan$outcomes, plan$group, plan$site, plan$subject, plan$covariates, plan$scales)
  missing <- setdiff(needed, names(table))
  if (length(missing) > 0) {
    near <- names(table)[agrep(missing[1], names(table), ignore.case = TRUE)]
    stop_line("no column ", paste(missing, collapse = ", "), " in ", plan$table,
              if (length(near) > 0) paste0("; is one of these meant: ", listed(near), "?"))
  }
  for (name in c(plan$outcomes, plan$scales))
    if (!is.numeric(table[[name]]) && !all(is.na(table[[name]]))) stop_line("column ", name, " has texts (", listed(unique(na.omit(table[[name]])), 3), "): it must be numbers")
  for (name in plan$covariates)
    if (all(is.na(table[[name]])))
      stop_line("covariate ", name, " has no value in any row: take it out of the plan, or join a table that has it (requant export --join)")
  for (name in plan$covariates)
    if (is.character(table[[name]]) && length(unique(na.omit(table[[name]]))) > 10)
      stop_line("covariate ", name, " has ", length(unique(table[[name]])), " different texts (", listed(unique(na.omit(table[[name]])), 3), "): is it a number?")
  unknown <- setdiff(plan$order, table[[plan$group]])
  if (length(unknown) > 0)
    stop_line("no group ", paste(unknown, collapse = ", "), "; there are ", paste(sort(unique(na.omit(table[[plan$group]]))), collapse = ", "))
  for (key in c("voi", "subspec", "session_id")) {
    there <- unique(na.omit(if (key %in% names(table)) table[[key]] else character()))
    absent <- setdiff(plan[[key]], there)
    if (length(absent) > 0) stop_line("no ", key, " ", paste(absent, collapse = ", "), "; there are ", paste(there, collapse = ", "))
    if (!is.null(plan[[key]])) table <- table[which(table[[key]] %in% plan[[key]]), ]
    else if (length(there) > 1) stop_line("the table has ", length(there), " of ", key, " (", paste(there, collapse = ", "), "): name one in the plan",
                                          if (key == "voi") ", or several, and people become a random effect")
  }
  table
}

rows_of <- function(table, plan, method) {
  rows <- if ("method" %in% names(table)) table[which(table$method == method), ] else table
  nobody <- sum(is.na(rows[[plan$group]]))
  if (nobody > 0) warn_line(nobody, " rows have no ", plan$group, " and are not compared")
  left <- setdiff(unique(na.omit(rows[[plan$group]])), plan$order)
  if (length(left) > 0) warn_line("groups that the plan does not compare: ", paste(left, collapse = ", "))
  rows <- rows[rows[[plan$group]] %in% plan$order, ]
  for (name in c("site", "subject")) {
    absent <- sum(is.na(rows[[plan[[name]]]]))
    if (absent > 0) stop_line(absent, " rows have no ", plan[[name]])
  }
  several <- length(plan$voi) > 1
  twice <- unique(rows[[plan$subject]][duplicated(rows[c(plan$site, plan$subject, if (several) "voi")])])
  if (length(twice) > 0)
    stop_line(length(twice), " people have several rows (", listed(twice, 3), "): rows are not people; name voi, session_id or subspec")
  places <- tapply(rows[[plan$site]], rows[[plan$subject]], function(sites) length(unique(sites)))
  if (any(places > 1)) warn_line(sum(places > 1), " people are at several sites (", listed(names(places)[places > 1], 3), ") and are taken for others there")
  rows$group <- factor(rows[[plan$group]], plan$order)
  rows$site <- rows[[plan$site]]
  rows$person <- paste(rows[[plan$site]], rows[[plan$subject]])
  if (several) rows$voi <- factor(rows$voi, plan$voi) else rows$voi <- NULL
  for (name in plan$covariates) if (is.character(rows[[name]])) rows[[name]] <- factor(rows[[name]])
  rows
}

warn_cells <- function(d, outcome) {
  d <- d[!duplicated(d$person), ]
  counts <- table(d$site, d$group)
  one <- rownames(counts)[rowSums(counts > 0) == 1]
  if (length(one) > 0) warn_line(outcome, ": sites of one group say nothing of a difference: ", listed(one, 20))
  small <- which(counts > 0 & counts < 5)
  if (length(small) > 0) warn_line(outcome, ": ", length(small), " cells of fewer than five people")
  if (nrow(counts) > 1 && suppressWarnings(chisq.test(counts)$p.value) < .001)
    warn_line(outcome, ": groups have other shares from site to site: a model without site takes sites for groups")
}

# --- the models of one outcome: what cannot be computed costs its own rows ------------------------------------------------
models_of <- function(d, plan, outcome, is_main) {
  rows <- list(); forests <- list()
  try_model <- function(name, made) {
    rows[[name]] <<- tryCatch(made, error = function(e) { warn_line(outcome, ": ", name, " is left out: ", conditionMessage(e)); NULL })
  }
  complete <- d[complete.cases(d[plan$covariates]), ]
  lost <- nrow(d) - nrow(complete)
  if (lost > 0 && is_main) warn_line(outcome, ": ", lost, " rows lack a covariate and are not in the models with covariates")
  flat <- setdiff(c("site", plan$covariates), varying(complete, c("site", plan$covariates)))
  if (length(flat) > 0 && is_main) warn_line(outcome, ": the same for everybody, and left out: ", paste(flat, collapse = ", "))
  people <- person_means(complete)
  n_sites <- length(unique(complete$site))
  if ("mega" %in% plan$stages) {
    if (is_main) try_model("one-way", one_way(person_means(d)))
    try_model("ancova", ancova(people, plan$covariates))
    try_model("site_fixed", site_fixed(people, plan$covariates))
    if (is.null(d$voi)) {
      if (n_sites >= 3) try_model("site_random", site_random(complete, plan$covariates))
      else warn_line("fewer than three sites: no random site")
      if (n_sites > 1) try_model("combat", combat_effect(complete, outcome, plan$covariates))
    } else try_model("voxels", mega_of_voxels(complete, plan$covariates))
  }
  if ("meta" %in% plan$stages) {
    made <- tryCatch(two_stage(d, plan$meta_least), error = function(e) { warn_line(outcome, ": no meta-analysis: ", conditionMessage(e)); NULL })
    rows$meta <- made$rows; forests <- made$forests
    if (is_main) for (g in names(forests)) {
      left <- setdiff(unique(d$site), forests[[g]]$sites)
      if (length(left) > 0) warn_line(outcome, ", ", g, ": sites without ", plan$meta_least, " people of both groups are not in the meta-analysis: ", listed(left, 20))
    }
  }
  for (scale in plan$scales) try_model(scale, correlations(d, scale, plan$covariates))
  rows <- do.call(rbind, rows)
  found <- table(d$group[!duplicated(d$person)])
  rows <- rbind(rows, do.call(rbind, lapply(names(found), function(g) numbers("people", g, n = found[[g]]))))
  base <- rows[rows$model == "site_fixed", ]
  level <- if (nrow(base) > 0) level_of(people, base) else mean(d$value[d$group == levels(d$group)[1]])
  list(rows = rbind(rows, numbers("people", "all", level = level)), forests = forests, people = people)
}

figures_of <- function(made, plan, outcome, out) {
  for (g in names(made$forests)) {
    name <- paste0("forest_", outcome, if (length(made$forests) > 1) paste0("_", make.names(g)), ".svg")
    draw_forest(file.path(out, name), made$forests[[g]], paste0(outcome, ": Hedges g, ", g, " less ", plan$order[1]))
  }
  draw_raincloud(file.path(out, paste0("raincloud_", outcome, ".svg")), made$people, plan$covariates, outcome)
  draw_sites(file.path(out, paste0("sites_", outcome, ".svg")), made$people, outcome)
}

# --- one table of the effect under everything ------------------------------------------------------------------------------
effects <- c("ancova_no_site", "site_fixed", "site_fixed_hc3", "site_fixed_person", "site_random_share", "site_random_share_person",
             "site_random", "site_random_person", "combat", "meta_hedges_g", "meta_rom", "meta_cvr",
             "pearson", "spearman", "partial", "partial_within_site", "correlation_meta")
sensitivity_of <- function(results, plan, main, defaults) {
  is_effect <- results$model %in% effects & results$figure %in% c("estimate", "low", "high", "p", "PI_low", "PI_high") &
    results$term %in% c(plan$order, plan$scales)
  key <- c("outcome", "method", "gated", "model", "term")
  table <- reshape(results[is_effect, c(key, "figure", "value")], direction = "wide", timevar = "figure", v.names = "value", idvar = key)
  names(table) <- sub("^value\\.", "", names(table))
  for (name in c("estimate", "low", "high", "PI_low", "PI_high", "p")) if (is.null(table[[name]])) table[[name]] <- NA_real_
  level <- results[results$figure == "level", ]
  level <- level$value[match(paste(table$outcome, table$method, table$gated), paste(level$outcome, level$method, level$gated))]
  for (name in c("estimate", "low", "high")) table[[sub("estimate_", "", paste0(name, "_percent"))]] <-
    ifelse(table$model %in% c("meta_rom", "meta_cvr"), 100 * expm1(table[[name]]), ifelse(table$model == "meta_hedges_g" | table$term %in% plan$scales, NA, 100 * table[[name]] / level))
  names(table)[names(table) == "estimate_percent"] <- "percent"
  people <- results[results$model == "people" & results$figure == "n", ]
  total <- tapply(people$value, paste(people$outcome, people$method, people$gated), sum)
  table$n <- as.vector(total[paste(table$outcome, table$method, table$gated)])
  # Of a scale: those who have it.
  rated <- results[results$model == "pearson" & results$figure == "n", ]
  rated <- rated$value[match(do.call(paste, table[c("outcome", "method", "gated", "term")]), do.call(paste, rated[c("outcome", "method", "gated", "term")]))]
  table$n <- ifelse(is.na(rated), table$n, rated)
  is_main <- table$method == main & table$gated == defaults$gated[table$outcome] & table$model %in% defaults$models
  table$is_default <- is_main
  # Over the outcomes, for each default model and group.
  table$p_corrected <- NA_real_
  for (at in split(which(is_main), paste(table$model, table$term)[is_main])) table$p_corrected[at] <- p.adjust(table$p[at], plan$correction)
  table[order(match(table$outcome, plan$outcomes), !table$is_default, table$method != main, -table$gated, match(table$model, effects)),
        c(key, "n", "estimate", "low", "high", "p", "p_corrected", "percent", "low_percent", "high_percent", "PI_low", "PI_high", "is_default")]
}

# --- all of it -----------------------------------------------------------------------------------------------------------------
arguments <- commandArgs(trailingOnly = TRUE)
if (length(arguments) != 2) stop_line("give a plan and a folder for the results")
plan <- read_plan(arguments[1])
out <- arguments[2]
dir.create(out, showWarnings = FALSE, recursive = TRUE)
table <- read_table(plan)
for (package in c("metafor", "lme4", "lmerTest", "emmeans", "car"))
  if (!nzchar(system.file(package = package))) stop_line("the R package ", package, " is not installed; on Debian: apt-get install r-cran-", tolower(package))
methods <- if ("method" %in% names(table)) unique(na.omit(table$method)) else "all"
if (length(plan$method) == 0 && length(methods) > 1)
  stop_line("the table has ", length(methods), " methods (", paste(methods, collapse = ", "), "): name one in the plan; the others are in the sensitivity table")
main <- if (length(plan$method) > 0) plan$method else methods[1]
if (!main %in% methods) stop_line("no rows of the method ", main, "; there are ", paste(methods, collapse = ", "))
keep_of <- function(outcome) sub("_[^_]+$", "_keep", outcome)
gated_of <- vapply(plan$outcomes, function(outcome) keep_of(outcome) %in% names(table), TRUE)
defaults <- list(gated = gated_of, models = c(if (length(plan$voi) > 1) c("site_fixed_person", "site_random_share_person") else c("site_fixed", "site_random_share"),
                                             "meta_hedges_g", "partial_within_site", "correlation_meta"))
if (!all(gated_of)) warn_line("no gates, as there is no column ", listed(keep_of(plan$outcomes[!gated_of])))

# Only now, as they take their time.
suppressPackageStartupMessages({
  library(metafor)
  if ("mega" %in% plan$stages) {
    library(lme4); library(lmerTest); library(emmeans); library(car)
    # Degrees of freedom for any number of rows.
    emm_options(lmerTest.limit = 1e6)
  }
})
results <- list()
for (method in c(main, setdiff(methods, main))) {
  rows <- rows_of(table, plan, method)
  for (outcome in plan$outcomes) for (gated in c(TRUE, FALSE)) {
    if (gated && !gated_of[outcome]) next
    d <- rows
    d$value <- d[[outcome]]
    d <- d[!is.na(d$value) & (!gated | d[[keep_of(outcome)]] %in% 1), ]
    if (min(table(d$group)) < 3) { warn_line(outcome, ", ", method, if (gated) ", gated", ": a group has fewer than three values"); next }
    is_main <- method == main && gated == gated_of[outcome]
    if (is_main) warn_cells(d, outcome)
    made <- models_of(d, plan, outcome, is_main)
    results[[length(results) + 1]] <- data.frame(outcome, method, gated, made$rows)
    if (is_main) tryCatch(figures_of(made, plan, outcome, out), error = function(e) warn_line(outcome, ": no figures: ", conditionMessage(e)))
  }
}
results <- do.call(rbind, results)
if (is.null(results)) stop_line("no outcome has three values in every group")
ancova_p <- results[results$model == "ancova" & results$term == "group" & results$figure == "p" & results$method == main & results$gated == gated_of[results$outcome], ]
if (nrow(ancova_p) > 0)
  results <- rbind(results, transform(ancova_p, figure = paste0("p_", plan$correction), value = p.adjust(value, plan$correction)))
exact <- results
exact$value <- sprintf("%.17g", results$value)
write.csv(exact, file.path(out, "results.csv"), row.names = FALSE, quote = TRUE)
sensitivity <- sensitivity_of(results, plan, main, defaults)
write.csv(sensitivity, file.path(out, "sensitivity.csv"), row.names = FALSE, na = "")
shown <- sensitivity[c("outcome", "method", "gated", "model", "term", "n", "estimate", "low", "high", "p", "percent", "is_default")]
for (name in c("estimate", "low", "high", "p", "percent")) shown[[name]] <- signif(shown[[name]], 3)
names(shown)[names(shown) == "is_default"] <- "default"
options(width = 160)
cat("The models that the plan stands for; `term` is compared with ", plan$order[1], ", or is a scale:\n", sep = "")
print(shown[sensitivity$is_default, setdiff(names(shown), "default")], row.names = FALSE)
cat(sum(!sensitivity$is_default), " more rows (other models, without gates, other methods) are in ", file.path(out, "sensitivity.csv"), "\n", sep = "")
