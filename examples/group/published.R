# A meta-analysis of published comparisons: a row a comparison, with the means, spreads and numbers of both groups.
#
#   Rscript examples/group/published.R comparisons.csv OUT.csv [FOREST.svg METABOLITE UNIT]
#
# Columns: metabolite, unit, reference (the publication), region, n_patient, m_patient, sd_patient, n_control, m_control, sd_control.
# Units are never mixed. Comparisons of one publication share people: `three_level` lets them (comparison within publication), and
# `robust` counts publications; `REML_HK` takes comparisons for independent ones, as most published tables do.

suppressPackageStartupMessages(library(metafor))
warn_line <- function(...) message("warning: ", ...)
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1]))
source(file.path(here, "models.R"))
source(file.path(here, "figures.R"))
arguments <- commandArgs(trailingOnly = TRUE)
d <- read.csv(arguments[1])
needed <- c("metabolite", "unit", "reference", "n_patient", "m_patient", "sd_patient", "n_control", "m_control", "sd_control")
if (length(setdiff(needed, names(d))) > 0) { message("published: no column ", paste(setdiff(needed, names(d)), collapse = ", ")); quit(status = 1) }
usable <- complete.cases(d[needed]) & d$n_patient > 1 & d$n_control > 1 & d$sd_patient > 0 & d$sd_control > 0
if (any(!usable)) warn_line(sum(!usable), " comparisons without mean, spread or number are left out")
d <- d[usable, ]
# The same controls against several groups of patients.
control <- paste(d$metabolite, d$unit, d$reference, d$region, d$n_control, d$m_control, d$sd_control)
shared <- control %in% control[duplicated(control)]
if (any(shared)) warn_line(sum(shared), " of ", nrow(d), " comparisons share a control sample with another one: intervals of REML_HK are too narrow")

rows <- list()
for (of in split(d, paste(d$metabolite, d$unit), drop = TRUE)) {
  name <- paste0(of$metabolite[1], "/", of$unit[1])
  publications <- length(unique(of$reference))
  if (nrow(of) < 3 || publications < 2) { warn_line(name, ": ", nrow(of), " comparisons of ", publications, " publications: left out"); next }
  as <- function(kind) escalc(kind, m1i = m_patient, sd1i = sd_patient, n1i = n_patient, m2i = m_control, sd2i = sd_control, n2i = n_control, data = of, vtype = "LS")
  g <- as("SMD")
  found <- over_sites(g$yi, g$vi, "REML_HK", name, make.unique(of$reference))
  ratio <- as("CVR")
  cvr <- pooled(ratio$yi, ratio$vi)
  of$row <- seq_len(nrow(of))
  levels3 <- rma.mv(g$yi, g$vi, random = ~ 1 | reference / row, data = of)
  wider <- robust(levels3, cluster = of$reference)
  rows[[name]] <- rbind(found$rows, numbers("CVR_REML", name, estimate = cvr$beta[1], se = cvr$se, p = cvr$pval, tau2 = cvr$tau2),
    numbers("three_level", name, estimate = levels3$beta[1], se = levels3$se, p = levels3$pval, low = levels3$ci.lb, high = levels3$ci.ub, publications = publications),
    numbers("robust", name, estimate = wider$beta[1], se = wider$se, p = wider$pval, low = wider$ci.lb, high = wider$ci.ub))
  if (length(arguments) == 5 && name == paste0(arguments[4], "/", arguments[5]))
    draw_forest(arguments[3], list(fit = found$fit, sites = of$reference), paste0(name, ": Hedges g, patients less controls"))
}
rows <- do.call(rbind, rows)
rows$value <- sprintf("%.17g", rows$value)
write.csv(rows, arguments[2], row.names = FALSE)
shown <- rows[rows$figure %in% c("estimate", "low", "high", "p", "k", "publications"), ]
shown <- reshape(shown, direction = "wide", idvar = c("model", "term"), timevar = "figure")
names(shown) <- sub("value\\.", "", names(shown))
for (name in setdiff(names(shown), c("model", "term"))) shown[[name]] <- signif(as.numeric(shown[[name]]), 3)
print(shown, row.names = FALSE, na.print = "")
