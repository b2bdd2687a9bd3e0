"""
What a network hears of sources that it has not learnt from: per speaker, piece and effect, and in programmes made of them, where its
dialogue loudness and share of speech stand beside those of the true dialogue stem.
"""
import numpy

import speech_corpus as corpus
STEP = 4800
SECONDS = 40   # of a source are judged
SPOKEN, SNRS = (30, 15, 6), (20, 10, 0)


def k_weighted(samples):
    """Through both stages of BS.1770-5, Annex 1, tables 1 and 2, by their response."""
    size = 1 << int(numpy.ceil(numpy.log2(len(samples) + 4096)))
    z = numpy.exp(-2j * numpy.pi * numpy.arange(size // 2 + 1) / size)
    shelf = ((1.53512485958697 - 2.69169618940638 * z + 1.19839281085285 * z * z) /
             (1 - 1.69065929318241 * z + 0.73248077421585 * z * z))
    high = (1 - 2 * z + z * z) / (1 - 1.99004745483398 * z + 0.99007225036621 * z * z)
    return numpy.fft.irfft(numpy.fft.rfft(samples, size) * shelf * high, size)[:len(samples)]


def step_means(weighted):
    steps = len(weighted) // STEP
    return (weighted[:steps * STEP].reshape(steps, STEP) ** 2).mean(axis=1)


def step_powers(samples):
    return step_means(k_weighted(samples))


def blocks(steps):
    return (steps[:-3] + steps[1:-2] + steps[2:-1] + steps[3:]) / 4


def loudness(power):
    return -0.691 + 10 * numpy.log10(max(power, 1e-20))


def stem_speaks(powers):
    """common/measure/speech_measure.c, of a stem's steps."""
    loud = blocks(powers)
    gated = loud[loud > 10 ** ((-70 + 0.691) / 10)]
    if len(gated) == 0:
        return numpy.zeros(len(powers), bool)
    gated = loud[loud > max(0.1 * gated.mean(), 10 ** ((-70 + 0.691) / 10))]
    on = powers >= max(0.01 * gated.mean(), 10 ** ((-50 + 0.691) / 10))
    out = on.copy()
    for late in (1, 2, 3):
        out[late:] |= on[:-late]
    return out


def dialogue(powers, speaks):
    """BS.1770-1 of a programme's steps, over the blocks of which two steps of four speak."""
    loud = blocks(powers)
    speaks = speaks[:len(loud) + 3].astype(int)
    chosen = speaks[:-3] + speaks[1:-2] + speaks[2:-1] + speaks[3:] >= 2
    return loudness(loud[chosen].mean()) if chosen.any() else numpy.nan


def sureness(net, samples):
    return net.hear(corpus.levels(corpus.band_powers(samples)))


def heard(net, samples):
    return sureness(net, samples) > 0


def telephone(samples):
    spectrum = numpy.fft.rfft(samples)
    hz = numpy.arange(len(spectrum)) * corpus.RATE / len(samples)
    return numpy.fft.irfft(spectrum * ((hz > 300) & (hz < 3400)), len(samples))


def room(samples):
    """0.7 s of reverberation, 6 dB below the direct sound."""
    random = numpy.random.default_rng(1)
    time = numpy.arange(corpus.RATE) / corpus.RATE
    tail = random.standard_normal(corpus.RATE) * 10 ** (-3 * time / 0.7)
    tail[:960] = 0
    tail *= numpy.sqrt(0.25 / (tail ** 2).sum())
    size = len(samples) + len(tail)
    return samples + numpy.fft.irfft(numpy.fft.rfft(samples, size) * numpy.fft.rfft(tail, size), size)[:len(samples)]


def level(samples, lufs):
    """At that integrated loudness, roughly: of the steps within 20 dB of the loudest mean."""
    powers = step_powers(samples)
    active = powers[powers > 0.01 * powers.mean()]
    return samples * 10 ** ((lufs - loudness(active.mean() if len(active) else 1.0)) / 20)


def speaker_row(net, name, samples):
    """Of the steps that speak, those heard, in per cent: as it is, by telephone, in a room, at -50 LUFS."""
    samples = level(samples, -27.0)
    speaks = stem_speaks(step_powers(samples))
    row = []
    for changed in (samples, telephone(samples), room(samples), level(samples, -49.0)):
        on = heard(net, changed)
        count = min(len(on), len(speaks))
        row.append(100 * on[:count][speaks[:count]].mean())
    print('| %s | %s | %.0f / %.0f |' % (name, ' | '.join('%.0f' % i for i in row), 100 * heard(net, samples).mean(),
                                         100 * speaks.mean()), flush=True)
    return row


def noise_row(net, name, samples):
    on = heard(net, level(samples, -27.0))
    powers = step_powers(samples)
    sounds = powers > 1e-4 * powers.max()
    count = min(len(on), len(sounds))
    share = 100 * on[:count][sounds[:count]].mean()
    print('| %s | %.1f |' % (name, share), flush=True)
    return share


def looped(samples, seconds, at=0.0):
    count = int(seconds * corpus.RATE)
    return samples[(int(at * corpus.RATE) + numpy.arange(count)) % len(samples)]


def voice_stem(voice, spoken):
    """A dialogue stem of 40 s, of which `spoken` are given to speech, half in each half."""
    stem = numpy.zeros(40 * corpus.RATE)
    part = int(spoken / 2 * corpus.RATE)
    said = level(looped(voice, spoken), -27.0)
    stem[:part] = said[:part]
    stem[20 * corpus.RATE:20 * corpus.RATE + part] = said[part:2 * part]
    return stem, k_weighted(stem)


def programme_rows(net, voices, musics, effects):
    """
    Every voice with every piece of music, and an effect: speech over music, music alone, speech over effects, effects alone.
    How sure the network is of each step, where the stem speaks, and the programme's steps.
    """
    rows = []
    beds = [level(looped(samples, 20, 7), -27.0) for _, samples in musics], [level(looped(samples, 20), -27.0) for _, samples in effects]
    for i, (name, voice) in enumerate(voices):
        stems = {spoken: voice_stem(voice, spoken) for spoken in SPOKEN}
        for k, music in enumerate(musics):
            other = (i + k) % len(effects)
            bed = numpy.concatenate([beds[0][k], beds[1][other]])
            bed_weighted = k_weighted(bed)
            for spoken in SPOKEN:
                stem, weighted = stems[spoken]
                for snr in SNRS:
                    gain = 10 ** (-snr / 20)
                    sure = sureness(net, stem + gain * bed)
                    rows.append({'snr': snr, 'spoken': spoken, 'name': '%s, %s, %s' % (name, music[0], effects[other][0]),
                                 'sure': sure, 'speaks': stem_speaks(step_means(weighted))[:len(sure)],
                                 'powers': step_means(weighted + gain * bed_weighted)})
    return rows
