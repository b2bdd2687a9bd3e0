"""
Music that was made up from a seed, to learn from beside the pieces: notes of random instruments, rhythms and drums, so that what
plays notes is not taken for what speaks. Never judged on.
"""
import numpy

from speech_corpus import voice_powers

RATE = 16000


def instrument(random):
    return {'partials': random.integers(1, 14), 'fall': random.uniform(0.3, 2.5), 'odd': random.random() < 0.2,
            'attack': 10 ** random.uniform(-2.7, -1.0), 'decay': 10 ** random.uniform(-1.2, 0.6), 'sustains': random.random() < 0.4,
            'dulls': random.uniform(0, 3), 'vibrato': random.random() < 0.4 and random.uniform(0.002, 0.015),
            'rate': random.uniform(4, 7), 'slides': random.random() < 0.25, 'tremolo': random.random() < 0.2,
            'breath': random.random() < 0.3 and random.uniform(0.01, 0.1), 'formants': random.uniform(200, 3500, 2) if random.random() < 0.5 else ()}


def note(random, sound, hz, seconds):
    count = int(seconds * RATE)
    time = numpy.arange(count) / RATE
    pitch = numpy.full(count, hz)
    if sound['vibrato']:
        pitch = pitch * (1 + sound['vibrato'] * numpy.sin(2 * numpy.pi * sound['rate'] * time + random.uniform(0, 6)))
    if sound['slides'] and random.random() < 0.5:
        pitch = pitch * 2 ** (random.uniform(-4, 4) / 12 * numpy.exp(-time / random.uniform(0.02, 0.3)))
    phase = 2 * numpy.pi * numpy.cumsum(pitch) / RATE
    out = numpy.zeros(count)
    for k in range(1, sound['partials'] + 1):
        if hz * k > 7500 or (sound['odd'] and k % 2 == 0):
            continue
        gain = k ** -sound['fall']
        for centre in sound['formants']:
            gain *= 0.2 + 1 / (1 + ((hz * k - centre) / 300) ** 2)
        out += gain * numpy.sin(k * phase) * numpy.exp(-time * k * sound['dulls'] / 4)
    envelope = 1 - numpy.exp(-time / sound['attack'])
    if not sound['sustains']:
        envelope = envelope * numpy.exp(-time / sound['decay'])
    if sound['tremolo']:
        envelope = envelope * (1 + 0.6 * numpy.sin(2 * numpy.pi * sound['rate'] * time))
    if sound['breath']:
        out = out + sound['breath'] * random.standard_normal(count)
    return out * envelope * numpy.minimum(1, (count - numpy.arange(count)) / (0.01 * RATE))


def drum(random, kind):
    count = int(RATE * 0.25)
    time = numpy.arange(count) / RATE
    noise = random.standard_normal(count)
    if kind == 0:
        return 2 * numpy.sin(2 * numpy.pi * (50 * time + 6 * (1 - numpy.exp(-time * 25)))) * numpy.exp(-time * 14)
    if kind == 1:
        return (noise * 0.6 + numpy.sin(2 * numpy.pi * 190 * time)) * numpy.exp(-time * random.uniform(12, 30))
    if kind == 2:
        return numpy.diff(noise, prepend=0) * 0.5 * numpy.exp(-time * random.uniform(15, 80))
    return numpy.sin(2 * numpy.pi * random.uniform(150, 900) * time * (1 - 0.3 * time)) * numpy.exp(-time * random.uniform(8, 40))


def piece(random, seconds=14):
    """Powers of the bands of one piece, with everything about it by chance."""
    out = numpy.zeros(int(seconds * RATE) + 4 * RATE)
    beat = 60 / random.uniform(65, 185)
    scale = numpy.array(((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 4, 7, 9, 12, 14))[random.integers(3)])
    root = 55 * 2 ** (random.integers(12) / 12)
    kinds = random.random()
    for _ in range(0 if kinds < 0.1 else random.integers(1, 4)):
        sound, gain = instrument(random), 10 ** random.uniform(-1, 0)
        octave, at, degree = random.integers(0, 4), 0.0, random.integers(7)
        lengths = random.choice((0.25, 0.5, 1, 2), 3)
        rests, legato, chord = random.uniform(0, 0.4), random.uniform(0.4, 1.1), random.integers(1, 4) if random.random() < 0.4 else 1
        while at < seconds:
            length = lengths[random.integers(3)] * beat
            if random.random() > rests:
                degree = (degree + random.integers(-3, 4)) % 14
                for k in range(chord):
                    step = degree + 2 * k
                    hz = root * 2 ** (octave + (scale[step % 7] + 12 * (step // 7)) / 12)
                    heard = note(random, sound, hz, min(length * legato, 3.0)) * gain * random.uniform(0.5, 1)
                    begin = int((at + random.normal(0, 0.006)) * RATE)
                    if begin >= 0:
                        out[begin:begin + len(heard)] += heard[:len(out) - begin]
            at += length
    if kinds < 0.1 or random.random() < 0.5:
        gain = 10 ** random.uniform(-0.8, 0.4)
        for kind in range(4):
            pattern = random.random(16) < random.uniform(0.05, 0.5)
            hit = drum(random, kind)
            for i in range(int(seconds / (beat / 4))):
                begin = int((i * beat / 4 + (i % 2) * random.uniform(0, 0.01)) * RATE)
                if pattern[i % 16]:
                    out[begin:begin + len(hit)] += hit[:len(out) - begin] * gain * random.uniform(0.4, 1)
    return voice_powers(out[:int(seconds * RATE)] * 0.1, int(seconds * 100))
