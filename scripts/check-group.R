# Makes tables as `requant export` writes them out of the reference's, and holds the results to its numbers.
suppressPackageStartupMessages(library(jsonlite))
arguments <- commandArgs(trailingOnly = TRUE)
reference <- arguments[1]; out <- arguments[2]

if (arguments[3] == "prepare") {
  d <- read.csv(file.path(reference, "reference.csv"))
  names <- c(glu = "Glu", gln = "Gln", tnaa = "tNAA", tcho = "tCho", ins = "Ins", gsh = "GSH", gaba = "GABA")
  t <- data.frame(participant_id = paste0("sub-", d$subject), site = d$site, method = "map", d[c("group2", "group4", "age", "sex", "gm_ratio")])
  # The score of those who have one; a person's voxels; names that look like numbers; people whom nobody put into a group.
  t$panss <- d$panss
  for (own in names(names)) {
    t[[paste0(names[[own]], "_tcr")]] <- d[[own]]
    # The reference keeps by glutamate alone.
    t[[paste0(names[[own]], "_keep")]] <- as.integer(!is.na(d$glu) & d$glu_crlb <= 20)
  }
  write <- function(t, name) write.table(t, file.path(out, name), sep = "\t", na = "n/a", row.names = FALSE, quote = FALSE)
  write(t, "analysis.tsv")
  write(rbind(t, transform(t, method = "lcmodel")), "methods.tsv")
  write(rbind(cbind(t, voi = "acc"), cbind(t, voi = "dlpfc")), "voxels.tsv")
  write(rbind(t, t[1:3, ]), "twice.tsv")
  write(transform(t, participant_id = sprintf("%04d", seq_len(nrow(t)))), "numbers.tsv")
  write(transform(t, group2 = replace(group2, 1:7, NA)), "nobody.tsv")
  write(transform(t, Glu_tcr = replace(as.character(Glu_tcr), 3, "< 0.5")), "texts.tsv")
  write(transform(t, site = ifelse(group2 == "control", "a", "b")), "apart.tsv")
  names(t)[names(t) == "group2"] <- "diagnosis.1"
  write(t, "named.tsv")
  names(t)[names(t) == "diagnosis.1"] <- "group2"
  v <- read.csv(file.path(reference, "reference_voxels.csv"))
  both <- data.frame(participant_id = paste0("sub-", v$subject), v[c("site", "voi", "group2", "group4", "age", "sex", "gm_ratio")], method = "map", Glu_tcr = v$glu, Glu_keep = as.integer(!is.na(v$glu)))
  write(both, "both.tsv")
  plan <- function(name, group, order, outcomes, correction, table = "analysis.tsv", more = NULL) writeLines(c(
    paste0('table = "', table, '"'), more, paste0("outcomes = [", paste0('"', outcomes, '_tcr"', collapse = ", "), "]"), paste0('group = "', group, '"'),
    paste0("order = [", paste0('"', order, '"', collapse = ", "), "]"), 'covariates = ["age", "sex", "gm_ratio"]', 'site = "site"',
    'subject = "participant_id"', paste0('correction = "', correction, '"'), "meta_least = 3", 'method = "map"'), file.path(out, paste0(name, ".toml")))
  plan("two", "group2", c("control", "patient"), "Glu", "none", more = 'scales = ["panss"]')
  plan("both", "group4", c("control", "first_episode", "responsive", "resistant"), "Glu", "none", "both.tsv", 'voi = ["acc", "dlpfc"]')
  plan("four", "group4", c("control", "first_episode", "responsive", "resistant"), unname(names), "holm")
  quit()
}

r <- fromJSON(file.path(reference, "reference_R.json")); r2 <- fromJSON(file.path(reference, "reference2_R.json"))
read <- function(name) {
  d <- read.csv(file.path(out, name, "results.csv"))
  d[d$gated %in% c(TRUE, "True"), ]
}
n <- 0; worst <- 0
same <- function(table, model, term, figure, expected, tolerance = 1e-8, outcome = "Glu_tcr", size = 1e-3) {
  if (length(expected) != 1) stop("the reference has no ", model, " ", term, " ", figure)
  found <- table$value[table$outcome == outcome & table$model == model & table$term == term & table$figure == figure]
  off <- abs(found - expected) / max(size, abs(expected))
  if (length(found) != 1 || !is.finite(off) || off > tolerance)
    stop(sprintf("%s %s %s: %s, expected %.15g", model, term, figure, paste(sprintf("%.15g", found), collapse = ","), expected))
  n <<- n + 1; worst <<- max(worst, off)
}
names <- c(glu = "Glu", gln = "Gln", tnaa = "tNAA", tcho = "tCho", ins = "Ins", gsh = "GSH", gaba = "GABA")
groups <- c("first_episode", "responsive", "resistant")

# What R and Python both have.
check_both <- function(two, four) {
  same(four, "anova", "group", "F", r$anova$F); same(four, "anova", "group", "p", r$anova$p)
  same(four, "kruskal", "group", "H", r$kruskal$H); same(four, "kruskal", "group", "p", r$kruskal$p)
  for (term in c("age", "sex", "gm_ratio", "group")) {
    expected <- r$ancova_typeII[[if (term == "group") "group4" else term]]
    for (figure in c("F", "p", "partial_eta2")) same(four, "ancova", term, figure, expected[[figure]])
  }
  for (group in groups) {
    same(four, "ancova_no_site", group, "estimate", r$ancova_coef[[paste0("group4", group)]])
    same(four, "ancova_no_site", group, "se", r$ancova_se[[paste0("group4", group)]])
  }
  for (own in names(names)) same(four, "ancova", "group", "p", r$p_by_metabolite$raw[[own]], outcome = paste0(names[[own]], "_tcr"))
  for (figure in c("estimate", "se", "p")) same(two, "site_fixed", "patient", figure, r$fixed_site[[figure]])
  same(two, "site_fixed_hc3", "patient", "se", r$fixed_site_HC3_se)
  same(two, "ancova_no_site", "patient", "estimate", r$ignoring_site$estimate); same(two, "ancova_no_site", "patient", "se", r$ignoring_site$se)
  for (site in names(r$hedges)) {
    same(two, "meta_hedges_g", paste("patient", site), "g", r$hedges[[site]]$g)
    same(two, "meta_hedges_g", paste("patient", site), "v", r$hedges[[site]]$v)
  }
  for (pair in list(c("estimate", "mu"), c("se", "se"), c("p", "p"), c("low", "low"), c("high", "high"), c("tau2", "tau2"), c("I2", "I2"), c("PI_low", "PI_low"), c("PI_high", "PI_high"), c("k", "k")))
    same(two, "meta_hedges_g", "patient", pair[1], r$meta_REML_HK[[pair[2]]])
  for (of in list(c("meta_cvr", "cvr_REML"), c("meta_rom", "rom_REML"))) {
    same(two, of[1], "patient", "estimate", r[[of[2]]]$mu); same(two, of[1], "patient", "tau2", r[[of[2]]]$tau2)
  }
  for (pair in list(c("estimate", "r"), c("p", "p"), c("low", "low"), c("high", "high"))) same(two, "pearson", "panss", pair[1], r$pearson[[pair[2]]])
  same(two, "spearman", "panss", "estimate", r$spearman$rho)
  for (pair in list(c("estimate", "r"), c("df", "df"), c("p", "p"))) {
    same(two, "partial", "panss", pair[1], r$partial[[pair[2]]])
    same(two, "partial_within_site", "panss", pair[1], r2$partial_within_site[[pair[2]]])
  }
  meta <- r2$correlation_meta_REML_HK
  for (pair in list(c("estimate", "z"), c("se", "se"), c("low", "low"), c("high", "high"), c("tau2", "tau2"), c("I2", "I2"))) same(two, "correlation_meta_z", "panss", pair[1], meta[[pair[2]]])
  same(two, "correlation_meta", "panss", "estimate", meta$r)
}

# What R has beyond it: several tests at once, mixed models, ComBat, published comparisons.
check_more <- function(two, four, both) {
  same(four, "welch", "group", "F", r$welch_anova$F); same(four, "welch", "group", "p", r$welch_anova$p)
  # Tukey's distribution is integrated numerically in R itself.
  for (adjust in c("tukey", "bonferroni", "holm")) for (pair in names(r$emmeans_pairs_tukey))
    for (figure in c("estimate", "se", "p")) same(four, paste0("emmeans_", adjust), pair, figure, r[[paste0("emmeans_pairs_", adjust)]][[pair]][[figure]])
  for (own in names(names)) same(four, "ancova", "group", "p_holm", r$p_by_metabolite$holm[[own]], outcome = paste0(names[[own]], "_tcr"))
  lmm <- r$lmm$coef$group2patient
  for (pair in list(c("estimate", "estimate"), c("se", "se"), c("df", "df_satterthwaite"), c("p", "p"))) same(two, "site_random", "patient", pair[1], lmm[[pair[2]]], 1e-6)
  for (pair in list(c("estimate", "within"), c("se", "se"), c("df", "df"), c("p", "p"))) same(two, "site_random_share", "patient", pair[1], r2$lmm_within_between[[pair[2]]], 1e-6)
  # An estimate near 0 is known to a part of its error.
  for (name in names(r2$voxels_contrasts_holm)) for (figure in c("estimate", "se", "df", "p")) {
    expected <- r2$voxels_contrasts_holm[[name]]
    same(both, "voxels_holm", name, figure, expected[[figure]], 1e-6, size = expected$se)
  }
  for (pair in list(c("estimate", "estimate"), c("se", "se"), c("p", "p"))) same(two, "combat", "patient", pair[1], r$after_combat[[pair[2]]], 1e-7)
  warn_line <- stop
  source("examples/group/models.R", local = TRUE)
  d <- read.csv(file.path(reference, "reference.csv"))
  d <- d[!is.na(d$glu) & d$glu_crlb <= 20 & complete.cases(d[c("age", "gm_ratio")]), ]
  harmonised <- combat(as.matrix(d[names(names)]), d$site, d[c("group2", "age", "sex", "gm_ratio")])
  expected <- read.csv(file.path(reference, "combat_sva.csv"))
  off <- max(abs(harmonised[match(expected$subject, d$subject), ] - as.matrix(expected[names(names)])))
  if (!is.finite(off) || off > 1e-7) stop("ComBat is off by ", off)
  n <<- n + length(harmonised)
  p <- read.csv(file.path(out, "published.csv")); p$outcome <- "Glu_tcr"
  published <- fromJSON(file.path(reference, "mrs_database_reference_R.json"))
  for (name in names(published)) {
    of <- published[[name]]
    for (pair in list(c("estimate", "mu"), c("se", "se"), c("low", "low"), c("high", "high"), c("tau2", "tau2"), c("I2", "I2"), c("p", "p"))) same(p, "REML_HK", name, pair[1], of$REML_HK[[pair[2]]])
    for (pair in list(c("estimate", "mu"), c("tau2", "tau2"), c("p", "p"))) same(p, "CVR_REML", name, pair[1], of$CVR_REML[[pair[2]]])
    for (pair in list(c("estimate", "mu"), c("se", "se"))) same(p, "three_level", name, pair[1], of$three_level[[pair[2]]], 1e-6)
    same(p, "three_level", name, "publications", of$studies)
  }
}
check_both(read("two"), read("four"))
check_more(read("two"), read("four"), read("both"))
cat(sprintf("R: %d numbers, the worst off by %.1e\n", n, worst))
if (length(arguments) > 3) {
  n <- 0; worst <- 0
  check_both(read("python-two"), read("python-four"))
  cat(sprintf("Python: %d numbers, the worst off by %.1e\n", n, worst))
}
