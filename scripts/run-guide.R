# Runs the R of a page as it is printed, in the folder where one is: a command must give 0, a table have rows, a text something.
# Where a line needs a package that is not there, it and the rest of its block are left out, and that is said (Debian has arrow
# since 14 only). Lines of base R always run.
path <- commandArgs(trailingOnly = TRUE)[1]
page <- readLines(path)
blocks <- split(page, cumsum(grepl("^```", page)))
n_run <- n_left_out <- 0
for (block in Filter(function(lines) identical(lines[1], "```r"), blocks)) {
  lines <- as.list(parse(text = block[-1]))
  for (i in seq_along(lines)) {
    line <- lines[[i]]
    code <- paste(deparse(line), collapse = " ")
    packages <- unique(sub("::", "", regmatches(code, gregexpr("[A-Za-z0-9.]+::", code))[[1]]))
    lacking <- Filter(function(package) !requireNamespace(package, quietly = TRUE), packages)
    if (length(lacking) > 0) {
      n_left_out <- n_left_out + length(lines) - i + 1
      message("left out, no R package ", paste(lacking, collapse = ", "), ": ", code)
      break
    }
    value <- eval(line, globalenv())
    good <- if (is.call(line) && identical(line[[1]], quote(system2))) value == 0 else if (is.data.frame(value)) nrow(value) > 0 else length(value) > 0
    if (!good) stop("gives nothing: ", code)
    n_run <- n_run + 1
  }
}
if (n_run == 0) stop("no line of ", path, " could run")
cat(basename(path), ": ", n_run, " lines run, ", n_left_out, " left out\n", sep = "")
