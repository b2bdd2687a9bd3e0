"""
The speech detector's second cue: how levels move within 3 s. Speech comes in syllables, with pauses, and its treble and bass take
turns; a tone that is held, bent or struck does not. Means of whole numbers over the window, each with a weight and one of its
square, as common/measure/speech_pace.c has them.
"""
import numpy

BANDS, STEP_FRAMES = 22, 5
REACH = 75                                    # frames on each side of a step's middle one
GROUPS = (0, 6, 10, 14, 18, 22)               # bands; levels of a group are twelfths of a level
CAP = 60                                      # what is farther apart counts as so far
LAGS = (1, 2, 4, 8, 16, 32)                   # frames between which levels of groups are compared
TILTS, TILT_LAGS = ((4, 1), (3, 1)), (1, 4, 16)
PEAKS = ((0, 9), (9, 18))                     # bands of which the loudest one stays or moves
EDGE = 4.0                                    # deviations beyond which nothing counts


def before(values, lag):
    return numpy.concatenate([numpy.repeat(values[:1], min(lag, len(values)), axis=0), values[:-lag]])[:len(values)]


def moves(levels):
    """[frames][features] whole numbers."""
    levels = levels.astype(numpy.int64)
    groups = [sum(levels[:, band] for band in range(a, b)) * (12 // (b - a)) for a, b in zip(GROUPS, GROUPS[1:])]
    out = []
    for group in groups:
        for lag in LAGS:
            out.append(numpy.minimum(abs(group - before(group, lag)), 12 * CAP))
        out.append(numpy.clip(group - before(group, 2), 0, 12 * CAP))
    for high, low in TILTS:
        tilt = groups[high] - groups[low]
        for lag in TILT_LAGS:
            out.append(numpy.minimum(abs(tilt - before(tilt, lag)), 12 * CAP))
    for lag in (1, 2):
        out.append(numpy.minimum(abs(levels - before(levels, lag)), CAP).sum(axis=1))
    for a, b in PEAKS:
        peak = levels[:, a:b].argmax(axis=1)
        out.append((peak != before(peak, 1)).astype(numpy.int64))
    total = sum(groups)
    out += [5 * group - total for group in groups]
    return numpy.stack(out, axis=1)


def features(levels):
    """[steps][features]: means over the window, of the frames that there are."""
    steps = len(levels) // STEP_FRAMES
    sums = numpy.concatenate([numpy.zeros((1, moves(levels[:1]).shape[1]), numpy.int64), numpy.cumsum(moves(levels), axis=0)])
    middle = numpy.arange(steps) * STEP_FRAMES + STEP_FRAMES // 2
    first = numpy.maximum(middle - REACH, 0)
    end = numpy.minimum(middle + REACH + 1, len(levels))
    return ((sums[end] - sums[first]) / (end - first)[:, None]).astype(numpy.float32)


class Pace:
    """Weights of each feature and of its square."""

    def __init__(self, mean, deviation, weights):
        self.mean, self.scale = mean.astype(numpy.float32), (1 / deviation).astype(numpy.float32)
        self.weights = weights.astype(numpy.float32)

    def parts(self, found):
        value = numpy.clip((found - self.mean) * self.scale, -EDGE, EDGE)
        return numpy.concatenate([value, value * value, numpy.ones((len(value), 1), numpy.float32)], axis=1)

    def hear(self, levels):
        return self.parts(features(levels)) @ self.weights


def fit(found, label, weight, rounds=12, hold=100.0):
    """Logistic regression by Newton's method."""
    pace = Pace(found.mean(axis=0), found.std(axis=0) + 1e-3, numpy.zeros(2 * found.shape[1] + 1))
    parts = pace.parts(found).astype(numpy.float64)
    sums = numpy.zeros(parts.shape[1])
    for _ in range(rounds):
        chance = 1 / (1 + numpy.exp(-numpy.clip(parts @ sums, -30, 30)))
        slope = parts.T @ (weight * (chance - label)) + hold * sums
        bend = (parts * (weight * chance * (1 - chance))[:, None]).T @ parts + hold * numpy.eye(len(sums))
        sums -= numpy.linalg.solve(bend, slope)
    pace.weights = sums.astype(numpy.float32)
    return pace
