# Reads the text tables of `requant export` as anybody does in R, and writes down what came of them: each value with all its digits.
folder <- commandArgs(trailingOnly = TRUE)[1]
shown <- function(x) {
  text <- if (is.numeric(x)) sprintf("%.17g", x) else as.character(x)
  ifelse(is.na(x) | (!is.numeric(x) & text %in% ""), "<missing>", text)
}
for (path in list.files(folder, pattern = "\\.tsv$", full.names = TRUE)) {
  stem <- sub("\\.tsv$", "", path)
  tables <- list(tsv = read.delim(path, na.strings = "n/a"), csv = read.csv(paste0(stem, ".csv")))
  for (form in names(tables)) write.csv(as.data.frame(lapply(tables[[form]], shown), check.names = FALSE), paste0(stem, ".", form, ".R"), row.names = FALSE)
  classes <- vapply(tables$tsv, function(x) class(x)[1], "")
  cat("{", paste0("\"", names(classes), "\": \"", classes, "\"", collapse = ", "), "}\n", file = paste0(stem, ".classes.json"))
}
