"""
What a network hears of sources that it has not learnt from: per speaker, piece and effect, and in programmes made of them, where its
dialogue loudness and share of speech stand beside those of the true dialogue stem.
"""
import numpy

import speech_corpus as corpus
from speech_net import hear

STEP = 4800
SECONDS = 40   # of a source are judged
SPOKEN, SNRS = (30, 6), (20, 10, 0)


def k_weighted(samples):
    """Through both stages of BS.1770-5, Annex 1, tables 1 and 2, by their response."""
    size = 1 << int(numpy.ceil(numpy.log2(len(samples) + 4096)))
    z = numpy.exp(-2j * numpy.pi * numpy.arange(size // 2 + 1) / size)
    shelf = ((1.53512485958697 - 2.69169618940638 * z + 1.19839281085285 * z * z) /
             (1 - 1.69065929318241 * z + 0.73248077421585 * z * z))
    high = (1 - 2 * z + z * z) / (1 - 1.99004745483398 * z + 0.99007225036621 * z * z)
    return numpy.fft.irfft(numpy.fft.rfft(samples, size) * shelf * high, size)[:len(samples)]


def step_powers(samples):
    steps = len(samples) // STEP
    return (k_weighted(samples)[:steps * STEP].reshape(steps, STEP) ** 2).mean(axis=1)


def blocks(steps):
    return (steps[:-3] + steps[1:-2] + steps[2:-1] + steps[3:]) / 4


def loudness(power):
    return -0.691 + 10 * numpy.log10(max(power, 1e-20))


def stem_speaks(stem):
    """common/measure/speech_measure.c"""
    powers = step_powers(stem)
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


def dialogue(mix, speaks):
    """BS.1770-1 over the blocks of which two steps of four speak."""
    loud = blocks(step_powers(mix))
    speaks = speaks[:len(loud) + 3].astype(int)
    chosen = speaks[:-3] + speaks[1:-2] + speaks[2:-1] + speaks[3:] >= 2
    return loudness(loud[chosen].mean()) if chosen.any() else numpy.nan


def heard(net, shift, samples):
    return hear(net, corpus.levels(corpus.band_powers(samples))) + shift > 0


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


def speaker_row(net, shift, name, samples):
    """Of the steps that speak, those heard, in per cent: as it is, by telephone, in a room, at -50 LUFS."""
    samples = level(samples, -27.0)
    speaks = stem_speaks(samples)
    row = []
    for changed in (samples, telephone(samples), room(samples), level(samples, -49.0)):
        on = heard(net, shift, changed)
        count = min(len(on), len(speaks))
        row.append(100 * on[:count][speaks[:count]].mean())
    print('| %s | %s | %.0f / %.0f |' % (name, ' | '.join('%.0f' % i for i in row), 100 * heard(net, shift, samples).mean(),
                                         100 * speaks.mean()), flush=True)
    return row


def noise_row(net, shift, name, samples):
    on = heard(net, shift, level(samples, -27.0))
    powers = step_powers(samples)
    sounds = powers > 1e-4 * powers.max()
    count = min(len(on), len(sounds))
    share = 100 * on[:count][sounds[:count]].mean()
    print('| %s | %.1f |' % (name, share), flush=True)
    return share


def looped(samples, seconds, at=0.0):
    count = int(seconds * corpus.RATE)
    return samples[(int(at * corpus.RATE) + numpy.arange(count)) % len(samples)]


def programme(voice, music, effects, snr, spoken):
    """(mix, stem): speech over music, music alone, speech over effects, effects alone; 40 s of which `spoken` are given to speech."""
    stem = numpy.zeros(40 * corpus.RATE)
    part = int(spoken / 2 * corpus.RATE)
    said = level(looped(voice, spoken), -27.0)
    stem[:part] = said[:part]
    stem[20 * corpus.RATE:20 * corpus.RATE + part] = said[part:2 * part]
    bed = numpy.concatenate([level(looped(music, 20, 7), -27.0 - snr), level(looped(effects, 20), -27.0 - snr)])
    return stem + bed, stem


def programme_rows(net, shift, voices, musics, effects):
    """Every voice with a piece and an effect: errors of loudness in LU and of the share, as (snr, spoken, name, lu, share)."""
    rows = []
    for i, (name, voice) in enumerate(voices):
        music, effect = musics[i % len(musics)], effects[i % len(effects)]
        for spoken in SPOKEN:
            for snr in SNRS:
                mix, stem = programme(voice, music[1], effect[1], snr, spoken)
                speaks, on = stem_speaks(stem), heard(net, shift, mix)
                lu = dialogue(mix, on) - dialogue(mix, speaks)
                rows.append((snr, spoken, '%s, %s, %s' % (name, music[0], effect[0]), lu, on.mean() - speaks[:len(on)].mean(), on.mean()))
    return rows


def print_programmes(rows):
    print('\n| speech over the rest | speech of 40 s | programmes | loudness off by, median | at most | share off by, median | at most |')
    print('| --- | --- | --- | --- | --- | --- | --- |')
    for snr in SNRS:
        for spoken in SPOKEN:
            part = [row for row in rows if row[0] == snr and row[1] == spoken]
            lu = numpy.array([abs(row[3]) for row in part])
            share = numpy.array([abs(row[4]) for row in part]) * 100
            print('| %d dB | %d s | %d | %.1f LU | %.1f LU | %.1f %% | %.1f %% |' %
                  (snr, spoken, len(part), numpy.nanmedian(lu), numpy.nanmax(lu), numpy.median(share), share.max()))
    worst = sorted(rows, key=lambda row: -(abs(row[3]) if row[3] == row[3] else 99))[:8]
    for row in worst:
        print('worst loudness: %d dB, %d s, %s: %+.1f LU, share %+.1f %%' % (row[0], row[1], row[2], row[3], 100 * row[4]))
    for row in sorted(rows, key=lambda row: -abs(row[4]))[:8]:
        print('worst share: %d dB, %d s, %s: %+.1f LU, share %+.1f %%' % (row[0], row[1], row[2], row[3], 100 * row[4]))
