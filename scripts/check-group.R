# Makes tables as `requant export` writes them out of the reference's, and holds the results to its numbers.
suppressPackageStartupMessages(library(jsonlite))
arguments <- commandArgs(trailingOnly = TRUE)
reference <- arguments[1]; out <- arguments[2]

if (arguments[3] == "prepare") {
  d <- read.csv(file.path(reference, "reference.csv"))
  names <- c(glu = "Glu", gln = "Gln", tnaa = "tNAA", tcho = "tCho", ins = "Ins", gsh = "GSH", gaba = "GABA")
  t <- data.frame(participant_id = paste0("sub-", d$subject), site = d$site, method = "map", d[c("group2", "group4", "age", "sex", "gm_ratio")])
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
  plan <- function(name, group, order, outcomes, correction) writeLines(c(
    'table = "analysis.tsv"', paste0("outcomes = [", paste0('"', outcomes, '_tcr"', collapse = ", "), "]"), paste0('group = "', group, '"'),
    paste0("order = [", paste0('"', order, '"', collapse = ", "), "]"), 'covariates = ["age", "sex", "gm_ratio"]', 'site = "site"',
    'subject = "participant_id"', paste0('correction = "', correction, '"'), "meta_least = 3", 'method = "map"'), file.path(out, paste0(name, ".toml")))
  plan("two", "group2", c("control", "patient"), "Glu", "none")
  plan("four", "group4", c("control", "first_episode", "responsive", "resistant"), unname(names), "holm")
  quit()
}

r <- fromJSON(file.path(reference, "reference_R.json")); r2 <- fromJSON(file.path(reference, "reference2_R.json"))
read <- function(name) {
  d <- read.csv(file.path(out, name, "results.csv"))
  d[d$gated == "TRUE" | d$gated == TRUE, ]
}
two <- read("two"); four <- read("four")
n <- 0; worst <- 0
same <- function(table, model, term, figure, expected, tolerance = 1e-8, outcome = "Glu_tcr") {
  found <- table$value[table$outcome == outcome & table$model == model & table$term == term & table$figure == figure]
  off <- abs(found - expected) / max(1e-3, abs(expected))
  if (length(found) != 1 || !is.finite(off) || off > tolerance)
    stop(sprintf("%s %s %s: %s, expected %.15g", model, term, figure, paste(sprintf("%.15g", found), collapse = ","), expected))
  n <<- n + 1; worst <<- max(worst, off)
}
same(four, "anova", "group", "F", r$anova$F); same(four, "anova", "group", "p", r$anova$p)
same(four, "welch", "group", "F", r$welch_anova$F); same(four, "kruskal", "group", "H", r$kruskal$H)
for (term in c("age", "sex", "gm_ratio", "group")) {
  expected <- r$ancova_typeII[[if (term == "group") "group4" else term]]
  same(four, "ancova", term, "F", expected$F); same(four, "ancova", term, "p", expected$p)
  same(four, "ancova", term, "partial_eta2", expected$partial_eta2)
}
for (group in c("first_episode", "responsive", "resistant")) {
  same(four, "ancova_no_site", group, "estimate", r$ancova_coef[[paste0("group4", group)]])
  same(four, "ancova_no_site", group, "se", r$ancova_se[[paste0("group4", group)]])
}
# Tukey's distribution is integrated numerically in R itself.
for (adjust in c("tukey", "bonferroni", "holm")) for (pair in names(r$emmeans_pairs_tukey)) {
  expected <- r[[paste0("emmeans_pairs_", adjust)]][[pair]]
  same(four, paste0("emmeans_", adjust), pair, "estimate", expected$estimate)
  same(four, paste0("emmeans_", adjust), pair, "se", expected$se)
  same(four, paste0("emmeans_", adjust), pair, "p", expected$p)
}
names <- c(glu = "Glu", gln = "Gln", tnaa = "tNAA", tcho = "tCho", ins = "Ins", gsh = "GSH", gaba = "GABA")
for (own in names(names)) {
  outcome <- paste0(names[[own]], "_tcr")
  same(four, "ancova", "group", "p", r$p_by_metabolite$raw[[own]], outcome = outcome)
  same(four, "ancova", "group", "p_holm", r$p_by_metabolite$holm[[own]], outcome = outcome)
}
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
lmm <- r$lmm$coef$group2patient
for (pair in list(c("estimate", "estimate"), c("se", "se"), c("df", "df_satterthwaite"), c("p", "p"))) same(two, "site_random", "patient", pair[1], lmm[[pair[2]]], 1e-6)
for (pair in list(c("estimate", "within"), c("se", "se"), c("df", "df"), c("p", "p"))) same(two, "site_random_share", "patient", pair[1], r2$lmm_within_between[[pair[2]]], 1e-6)
cat(sprintf("%d numbers, the worst off by %.1e\n", n, worst))
