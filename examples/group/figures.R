# Figures of a plan, as SVG.

colours <- c("#3b6ea5", "#c8553d", "#5b8c5a", "#8e6c9e", "#b8860b", "#555555")

# Every site's difference with the mean over sites, and the interval in which a further site would lie.
draw_forest <- function(path, found, label) {
  k <- length(found$sites)
  svg(path, width = 7.5, height = 1.8 + .22 * k)
  on.exit(invisible(dev.off()))
  par(mar = c(4, 0, 0, 0))
  further <- predict(found$fit)
  forest(found$fit, addpred = TRUE, xlab = label, psize = 1, cex = .75, ylim = c(-2.5, k + 3), header = c("Site", "g [95 % interval]"),
         mlab = "All sites (REML, Hartung-Knapp)")
  text(par("usr")[1], -2.2, pos = 4, cex = .75, sprintf("A further site would lie from %.2f to %.2f (95 %%)", further$pi.lb, further$pi.ub))
}

# Density, box and people of each group: values with what the site-fixed model gives to sites and covariates taken out.
draw_raincloud <- function(path, d, covariates, label) {
  fit <- site_fixed_fit(d, covariates)
  own <- coef(fit)[paste0("group", levels(d$group))]
  own[is.na(own)] <- 0
  adjusted <- residuals(fit) + own[as.integer(d$group)]
  adjusted <- adjusted - mean(adjusted) + mean(d$value)
  n <- nlevels(d$group)
  svg(path, width = 6.5, height = 1.3 + 1.1 * n)
  on.exit(invisible(dev.off()))
  par(mar = c(4, 8, .5, .5), las = 1)
  plot(NULL, xlim = range(adjusted), ylim = c(.4, n + .6), xlab = paste0(label, ", sites and covariates taken out"), ylab = "", yaxt = "n", bty = "n")
  axis(2, seq_len(n), paste0(levels(d$group), "\n", as.vector(table(d$group))), tick = FALSE, cex.axis = .85)
  # Places of the dots are drawn, but the same ones each time.
  set.seed(1)
  for (i in seq_len(n)) {
    x <- adjusted[as.integer(d$group) == i]
    colour <- colours[(i - 1) %% length(colours) + 1]
    shape <- density(x)
    polygon(c(shape$x, rev(shape$x)), i + .12 + c(.4 * shape$y / max(shape$y), rep(0, length(shape$x))), col = adjustcolor(colour, .5), border = NA)
    points(x, i - .2 + runif(length(x), -.14, .14), pch = 16, cex = if (length(x) > 300) .25 else .5, col = adjustcolor(colour, .5))
    five <- boxplot.stats(x)$stats
    segments(five[1], i + .03, five[5], i + .03, col = colour)
    rect(five[2], i - .02, five[4], i + .08, col = "white", border = colour)
    segments(five[3], i - .02, five[3], i + .08, lwd = 3, col = colour)
  }
}

# Each group's mean at each site with its 95 % interval, over the people: which sites differ, and who was measured where. The area of a
# mean's point goes with the number of people.
draw_sites <- function(path, d, label) {
  order <- names(sort(tapply(d$value, as.character(d$site), mean)))
  n <- nlevels(d$group)
  svg(path, width = 2.2 + max(4, .3 * length(order)), height = 4.6)
  on.exit(invisible(dev.off()))
  par(mar = c(4.5, 4.5, 2.2, .5), las = 2)
  plot(NULL, xlim = c(.5, length(order) + .5), ylim = range(d$value), xlab = "", ylab = label, xaxt = "n", bty = "n")
  axis(1, seq_along(order), order, tick = FALSE, cex.axis = .7, line = -.8)
  abline(h = mean(d$value), col = "grey85")
  most <- max(table(d$site, d$group))
  for (s in seq_along(order)) for (i in seq_len(n)) {
    x <- d$value[d$site == order[s] & as.integer(d$group) == i]
    if (length(x) == 0) next
    colour <- colours[(i - 1) %% length(colours) + 1]
    place <- s + .5 * (i - (n + 1) / 2) / n
    points(rep(place, length(x)), x, pch = 16, cex = .3, col = adjustcolor(colour, .35))
    half <- if (length(x) > 1) qt(.975, length(x) - 1) * sd(x) / sqrt(length(x)) else 0
    segments(place, mean(x) - half, place, mean(x) + half, col = colour, lwd = 1.5)
    points(place, mean(x), pch = 21, bg = colour, col = "white", cex = .4 + 1.2 * sqrt(length(x) / most))
  }
  par(las = 1)
  legend("top", levels(d$group), pch = 16, col = colours[seq_len(n)], horiz = TRUE, bty = "n", inset = -.1, xpd = TRUE, cex = .85)
}
