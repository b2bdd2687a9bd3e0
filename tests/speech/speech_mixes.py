"""What the speech detector learns from: six seconds at a time of speech, music and effects, alone and mixed, by powers of bands."""
import numpy

from speech_corpus import BANDS, STEP_FRAMES, levels, speaks
from speech_net import REACH, normalised

STEPS = 60 + 2 * REACH


def cut(random, powers, frames):
    """A stretch of a source, which begins anew at its end."""
    at = random.integers(len(powers))
    return powers[(at + numpy.arange(frames)) % len(powers)].copy()


def tilt(random):
    """Another microphone, another room: a smooth response, sometimes that of a telephone."""
    places = numpy.linspace(0, 1, BANDS)
    db = random.normal(0, 4) * (places - 0.5) * 2 + random.normal(0, 3) * numpy.cos(numpy.pi * random.integers(2, 5) * places)
    if random.random() < 0.15:
        db[:random.integers(3, 7)] -= random.uniform(10, 50)
        db[random.integers(17, 21):] -= random.uniform(10, 50)
    return 10 ** (db / 10)


def reverberate(random, powers):
    if random.random() < 0.6:
        return powers
    keep = 10 ** (-6 * 0.02 / random.uniform(0.2, 1.2))
    wet = 10 ** random.uniform(-2.0, -0.3) * (1 - keep)
    tail = keep * powers
    late = 1
    while late < len(tail):
        tail[late:] += keep ** late * tail[:-late].copy()
        late *= 2
    return powers + wet * tail


def hiss(random, frames):
    """What an old recording has beneath it."""
    return random.gamma(2.0, 0.5, (frames, BANDS)) * tilt(random)


def swell(random, frames):
    """Music and effects fade, and begin and end hard, as speech does."""
    gain = numpy.ones(frames)
    if random.random() < 0.4:
        gain *= 10 ** (numpy.interp(numpy.arange(frames), numpy.sort(random.integers(0, frames, 4)), random.uniform(-2.5, 0, 4)))
    if random.random() < 0.3:
        for _ in range(random.integers(1, 8)):
            at = random.integers(frames)
            gain[at:at + random.integers(5, 100)] *= 10 ** random.uniform(-5, -1)
    return gain[:, None]


def other(random, powers, marks, frames):
    """A stretch of speech as another person might say it: up to a sixth faster or slower, formants up to a band and a half away."""
    pace = random.uniform(0.86, 1.16) if random.random() < 0.7 else 1.0
    at = (random.integers(len(powers)) + (numpy.arange(frames) * pace).astype(int)) % len(powers)
    part = powers[at]
    if random.random() < 0.6:
        place = numpy.clip(numpy.arange(BANDS) + random.uniform(-1.5, 1.5), 0, BANDS - 1)
        low = numpy.minimum(place.astype(int), BANDS - 2)
        share = place - low
        part = part[:, low] * (1 - share) + part[:, low + 1] * share
    return part.copy(), marks[at].copy()


def crowd(random, voices, frames):
    """So many at once that nobody is understood."""
    total = numpy.zeros((frames, BANDS))
    for _ in range(random.integers(7, 16)):
        powers, marks = voices[random.integers(len(voices))]
        part, on = other(random, powers, marks, frames)
        if on.any():
            total += part * (10 ** random.uniform(-0.3, 0.3) / part[on].mean())
    return total


def backdrop(random, voices, noises, frames):
    if random.random() < 0.03:
        return crowd(random, voices, frames)
    return cut(random, noises[random.integers(len(noises))], frames)


def sequence(random, voices, noises):
    """(levels, labels, weights): levels of STEPS steps, the others of those that have REACH on both sides. voices: (powers, speaks
    per frame); noises: powers."""
    frames = STEPS * STEP_FRAMES
    kind = random.random()
    total = numpy.full((frames, BANDS), 10.0 ** random.uniform(-12, -9))
    on = numpy.zeros(frames, bool)
    trust = 1.0
    reference = 1e-4
    if kind < 0.6:
        powers, marks = voices[random.integers(len(voices))]
        part, on = other(random, powers, marks, frames)
        if random.random() < 0.5:
            for _ in range(random.integers(1, 4)):
                begin = random.integers(frames)
                end = begin + random.integers(10, 150)
                part[begin:end] = 0
                on[begin + 15:end] = False
        part = reverberate(random, part * tilt(random))
        reference = part[on].mean() if on.any() else 1e-4
        total += part
        if random.random() < 0.3:
            total += hiss(random, frames) * (reference * 10 ** random.uniform(-4, -1))
    if kind > 0.2:
        gain = 1.0
        if kind < 0.6:
            snr = random.uniform(-2, 30)
            gain = 10 ** (-snr / 10)
            trust = 1.0 if snr > 3 else 0.5
        for _ in range(1 if random.random() < 0.7 else 2):
            noise = backdrop(random, voices, noises, frames) * tilt(random) * swell(random, frames)
            if kind >= 0.6:
                noise = reverberate(random, noise)
            mean = noise.mean()
            if mean > 0:
                total += noise * (gain * reference / mean) * 10 ** random.uniform(-0.6, 0)
    total *= 10 ** random.uniform(-2.5, 1.5)
    label = on.reshape(STEPS, STEP_FRAMES).mean(axis=1) >= 0.5
    weight = numpy.full(STEPS, trust)
    edge = label[1:] != label[:-1]
    weight[1:][edge] *= 0.3
    weight[:-1][edge] *= 0.3
    inner = slice(REACH, STEPS - REACH)
    return levels(total), label[inner].astype(numpy.float32), weight[inner].astype(numpy.float32)


def sequences(random, voices, noises, count):
    made = [sequence(random, voices, noises) for _ in range(count)]
    return [numpy.stack(part) for part in zip(*((normalised(heard), label, weight) for heard, label, weight in made))]


def marked(powers):
    return powers, numpy.repeat(speaks(powers), STEP_FRAMES)
