# Open the tables of a run, join participants.tsv, test a group difference and draw it.
#
#   install.packages(c("arrow", "dplyr"))
#   Rscript examples/r/group_difference.R results demo/participants.tsv Glu

suppressPackageStartupMessages({
  library(arrow)
  library(dplyr)
})

arguments <- commandArgs(trailingOnly = TRUE)
results <- arguments[1]
participants <- arguments[2]
wanted <- if (length(arguments) > 2) arguments[3] else "Glu"

# Fitted spectra alone have rows here; `spectra` has what to leave spectra out by (snr, fwhm_hz, qc_flags).
metabolites <- open_dataset(file.path(results, "metabolites")) |>
  filter(metabolite == wanted) |>
  select(spectrum_id, method, subject, site, ratio_tcr, ratio_tcr_sd) |>
  collect()
people <- read.delim(participants, colClasses = c(participant_id = "character")) |>
  mutate(subject = sub("^sub-", "", participant_id)) |>
  select(subject, group)

table <- metabolites |>
  inner_join(people, by = "subject") |>
  filter(!is.na(ratio_tcr))

# The group's effect within sites; the site is a fixed effect.
table$site <- ifelse(is.na(table$site), "all", table$site)
formula <- if (length(unique(table$site)) > 1) ratio_tcr ~ group + site else ratio_tcr ~ group
print(summary(lm(formula, data = table))$coefficients)

svg("group_difference.svg", width = 5, height = 4)
boxplot(ratio_tcr ~ group, data = table, ylab = paste0(wanted, " / tCr"), xlab = "")
invisible(dev.off())
