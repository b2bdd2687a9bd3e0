#!/usr/bin/env python3
"""
Makes the speech detector: learns its weights from the sound under REELMILL_SHARED and from packages of Debian (speech_more.py), and
prints what it hears of what it had not learnt.

    REELMILL_SHARED=../shared python3 tests/speech/train.py --packages FOLDER            # what it hears, in half an hour of one core
    REELMILL_SHARED=../shared python3 tests/speech/train.py --packages FOLDER --write    # and common/measure/speech_weights*.c

Needs numpy (with a quick BLAS), ffmpeg, espeak-ng and fluidsynth. Every source under REELMILL_SHARED is judged by the network of its
fold, which learnt from the sources that are not in the fold: no voice, piece or effect of it. The network of the first fold is the one
that is written, so that what is said of that fold's sources is said of the detector itself. Seeds are fixed: the same sound and tools
give the same figures, and the same weights up to the rounding of numpy's sums.
"""
import argparse
import itertools
import os
import sys

import numpy

import speech_corpus as corpus
import speech_errors
import speech_figures as figures
import speech_mixes as mixes
import speech_more as more
import speech_net
import speech_pace
import speech_weights

FOLDS, SEQUENCES, ROUNDS = 5, 3000, 16
PACE_SEQUENCES, TONE_WEIGHT = 4000, 4
BABBLE = 'voices' # sources of which nobody can say whether they are speech


def whole(powers):
    return powers[:len(powers) // corpus.STEP_FRAMES * corpus.STEP_FRAMES].astype(numpy.float64)


def weight_of(powers):
    """How often a source is drawn: by the root of its length."""
    return max(1, int(round(numpy.sqrt(len(powers) / 500))))


def fold_of(bands):
    folds = {}
    for kind in ('speech', 'music', 'effects'):
        for i, key in enumerate([key for key in bands if key[0] == kind]):
            folds[key] = i % FOLDS
    return folds


def learn(bands, tones, folds, held):
    """A network and a pace that have not heard the fold `held`."""
    random = numpy.random.default_rng(100 + held)
    voices, noises = [], []
    for key, powers in bands.items():
        powers = whole(powers)
        if folds.get(key, -2) == held or BABBLE in key[1]:
            continue
        own = key in folds
        if 'speech' in key[0] or key[0] == 'espeak':
            voices += [mixes.marked(powers)] * (2 * weight_of(powers) if own else 1 if key[0] == 'espeak' else weight_of(powers))
        else:
            noises += [powers] * (weight_of(powers) * (3 if key[0] == 'music' else 2 if own else 1))
    net = speech_net.Net(random)
    speech_net.fit(net, lambda: mixes.sequences(random, voices, noises, SEQUENCES), ROUNDS, random)
    return net, learn_pace(numpy.random.default_rng(500 + held), voices, noises + tones * TONE_WEIGHT)


def learn_pace(random, voices, noises):
    """Of every second step of sequences like those of the network."""
    found, labels, weights = [], [], []
    for _ in range(PACE_SEQUENCES):
        heard, label, weight = mixes.sequence(random, voices, noises)
        found.append(speech_pace.features(heard)[speech_net.REACH:-speech_net.REACH:2])
        labels.append(label[::2])
        weights.append(weight[::2])
    return speech_pace.fit(numpy.concatenate(found), numpy.concatenate(labels), numpy.concatenate(weights))


class Detector:
    """A network, which is sure only where the pace is that of speech too."""

    def __init__(self, net, pace):
        self.net, self.pace = speech_net.Whole(net), pace

    def hear(self, levels):
        sure = self.net.hear(levels)
        return numpy.where(self.pace.hear(levels) > 0, sure, numpy.minimum(sure, speech_errors.MARGIN))


def judge(net, bands, folds, held, samples):
    """Prints the rows of a fold; returns those of its programmes."""
    part = {kind: [(key[1], samples(key)) for key in bands if key[0] == kind and folds.get(key) == held]
            for kind in ('speech', 'music', 'effects')}
    for name, sound in part['speech']:
        figures.speaker_row(net, name, sound)
    for name, sound in part['music'] + part['effects']:
        figures.noise_row(net, name, sound)
    quiet = [item for item in part['effects'] if BABBLE not in item[0]]
    return figures.programme_rows(net, part['speech'], part['music'], quiet)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument('--packages', required=True, help='the folder in which the packages of speech_more.py lie unpacked')
    arguments.add_argument('--write', action='store_true')
    wanted = arguments.parse_args()
    kinds = {'speech': corpus.SPEECH, 'music': corpus.MUSIC, 'effects': corpus.EFFECTS}
    sounds = {(kind, name): corpus.source(name, entries).astype(numpy.float32) for kind, group in kinds.items()
              for name, entries in group.items()}
    bands = {key: corpus.band_powers(sound.astype(numpy.float64)) for key, sound in sounds.items()}
    folds = fold_of(bands)
    for key, sound in itertools.chain(more.recordings(wanted.packages), more.pieces(wanted.packages)):
        bands[('more ' + key[0], key[1])] = corpus.band_powers(sound)
    for key, sound in corpus.espeak_voices():
        bands[('espeak', key)] = corpus.band_powers(sound)
    tones = [whole(corpus.band_powers(sound)) for _, sound in more.tones()] # for the pace alone
    rows = []
    for held in range(FOLDS):
        net, pace = learn(bands, tones, folds, held)
        if wanted.write and held == 0:
            root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
            speech_weights.write(os.path.join(root, 'common/measure'), net, pace)
        rows += judge(Detector(net, pace), bands, folds, held, lambda key: sounds[key][:figures.SECONDS * corpus.RATE].astype(numpy.float64))
    speech_errors.print_errors(rows)


if __name__ == '__main__':
    if 'REELMILL_SHARED' not in os.environ:
        sys.exit('REELMILL_SHARED is not set: it names the folder whose audio/ the detector learns from')
    main()
