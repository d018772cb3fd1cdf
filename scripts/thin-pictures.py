#!/usr/bin/env python3
"""Takes points out of the pictures of the guide that nobody sees, so that the repository stays small.

    python3 scripts/thin-pictures.py PICTURE.svg …

Of each line it keeps the points that lie further than a twentieth of a pixel from the line without them (Douglas and Peucker 1973).
"""
import re
import sys

UNITS_PER_PX = 100
FURTHEST = UNITS_PER_PX / 20
NUMBER = re.compile(r"-?\d+")


def points_of(path):
    numbers = [int(number) for number in NUMBER.findall(path)]
    x = y = 0
    points = []
    for dx, dy in zip(numbers[::2], numbers[1::2]):
        x, y = x + dx, y + dy
        points.append((x, y))
    return points


def thinned(points):
    keep = [False] * len(points)
    keep[0] = keep[-1] = True
    open_parts = [(0, len(points) - 1)]
    while open_parts:
        first, last = open_parts.pop()
        (x0, y0), (x1, y1) = points[first], points[last]
        length = max(((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5, 1e-9)
        most, at = 0.0, None
        for n in range(first + 1, last):
            x, y = points[n]
            off = abs((x1 - x0) * (y0 - y) - (x0 - x) * (y1 - y0)) / length
            if off > most:
                most, at = off, n
        if most > FURTHEST:
            keep[at] = True
            open_parts += [(first, at), (at, last)]
    return [point for point, kept in zip(points, keep) if kept]


def path_of(points):
    steps = [(x1 - x0, y1 - y0) for (x0, y0), (x1, y1) in zip(points, points[1:])]
    told = " ".join(f"{dx}{'' if dy < 0 else ' '}{dy}" for dx, dy in steps)
    return f"M{points[0][0]} {points[0][1]}l{told}"


def main():
    for name in sys.argv[1:]:
        with open(name, encoding="utf-8") as file:
            svg = file.read()
        thin = re.sub(r' d="(M[^"]*l[^"]*)"', lambda found: f' d="{path_of(thinned(points_of(found[1])))}"', svg)
        with open(name, "w", encoding="utf-8") as file:
            file.write(thin)


if __name__ == "__main__":
    main()
