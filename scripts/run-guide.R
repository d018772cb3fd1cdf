# Runs the R of a page as it is printed, in the folder where one is: a command must give 0, a table have rows, a text something.
# What needs a package that is not there is left out and said: Debian has arrow since 14 only. The rest must run where CI is set.
page <- readLines(commandArgs(trailingOnly = TRUE)[1])
blocks <- split(page, cumsum(grepl("^```", page)))
n_run <- 0
for (block in Filter(function(lines) identical(lines[1], "```r"), blocks)) {
  code <- paste(block[-1], collapse = "\n")
  packages <- sub("::", "", regmatches(code, gregexpr("[a-z]+::", code))[[1]])
  lacking <- Filter(function(package) !requireNamespace(package, quietly = TRUE), unique(packages))
  if (length(lacking) > 0) {
    message("left out: no R package ", lacking)
    next
  }
  for (line in as.list(parse(text = code))) {
    value <- eval(line, globalenv())
    good <- if (identical(line[[1]], quote(system2))) value == 0 else if (is.data.frame(value)) nrow(value) > 0 else length(value) > 0
    if (!good) stop("gives nothing: ", paste(deparse(line), collapse = " "))
    n_run <- n_run + 1
  }
}
if (n_run < 5 && nzchar(Sys.getenv("CI"))) stop("only ", n_run, " lines run")
cat(basename(commandArgs(trailingOnly = TRUE)[1]), ": ", n_run, " lines run\n", sep = "")
