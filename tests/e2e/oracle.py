"""Independent computations of what reelmill makes and measures, in double precision, from the standards alone."""
import functools
import os
import subprocess

import numpy as np

HALF = np.sqrt(0.5)

# ITU-R BS.1770-5 Annex 1, tables 1 and 2 (48 kHz).
STAGES = [([1.53512485958697, -2.69169618940638, 1.19839281085285], [1, -1.69065929318241, 0.73248077421585]),
          ([1.0, -2.0, 1.0], [1, -1.99004745483398, 0.99007225036621])]
# Annex 2: phases 0 and 1; 2 and 3 are these reversed.
PHASES = [[0.0017089843750, 0.0109863281250, -0.0196533203125, 0.0332031250000, -0.0594482421875, 0.1373291015625,
           0.9721679687500, -0.1022949218750, 0.0476074218750, -0.0266113281250, 0.0148925781250, -0.0083007812500],
          [-0.0291748046875, 0.0292968750000, -0.0517578125000, 0.0891113281250, -0.1665039062500, 0.4650878906250,
           0.7797851562500, -0.2003173828125, 0.1015625000000, -0.0582275390625, 0.0330810546875, -0.0189208984375]]
WEIGHTS = {1: [1.0], 2: [1.0, 1.0], 6: [1.0, 1.0, 1.0, 0.0, 1.41, 1.41]}


def stereo(bed):
    """Lo/Ro of a 5.1 bed: L + sqrt(1/2) C + sqrt(1/2) Ls, no LFE (ITU-R BS.775)."""
    return np.stack([bed[:, 0] + HALF * bed[:, 2] + HALF * bed[:, 4],
                     bed[:, 1] + HALF * bed[:, 2] + HALF * bed[:, 5]], axis=1)


def mixes(show):
    """What each deliverable of the kit's shows must be, before rounding."""
    dialogue, music, effects = (show.joined(stem) for stem in ("DX", "MX", "FX"))
    full, me = dialogue + music + effects, music + effects
    return {"PM_51": full, "PM_20": stereo(full), "ME_51": me, "ME_20": stereo(me), "DX_51": dialogue}


def impulse(count):
    """Impulse response of the K-weighting."""
    x = np.zeros(count)
    x[0] = 1.0
    for b, a in STAGES:
        y = np.zeros(count)
        for n in range(count):
            y[n] = b[0] * x[n] + (b[1] * x[n - 1] - a[1] * y[n - 1] if n > 0 else 0.0) + \
                (b[2] * x[n - 2] - a[2] * y[n - 2] if n > 1 else 0.0)
        x = y
    return x


RESPONSE = impulse(1 << 15)  # below 1e-15 of its peak well before the end


@functools.cache
def spectrum(size):
    return np.fft.rfft(RESPONSE, size)


def k_weighted(channel):
    size = 1 << int(np.ceil(np.log2(len(channel) + len(RESPONSE))))
    return np.fft.irfft(np.fft.rfft(channel, size) * spectrum(size), size)[:len(channel)]


def loudness_range(samples):
    """EBU Tech 3342: 3 s windows at 10 Hz, 1.5 s of silence appended, gates -70 LUFS and -20 LU, P95 - P10."""
    power = sum(weight * k_weighted(samples[:, c]) ** 2 for c, weight in enumerate(WEIGHTS[samples.shape[1]]) if weight)
    total = np.concatenate([[0.0], np.cumsum(np.concatenate([power, np.zeros(72000)]))])
    starts = np.arange(0, len(total) - 144000, 4800)
    mean = np.maximum((total[starts + 144000] - total[starts]) / 144000, 1e-30)
    loudness = -0.691 + 10 * np.log10(mean)
    above = loudness >= -70.0
    gate = -0.691 + 10 * np.log10(mean[above].mean()) - 20.0
    kept = np.sort(loudness[above & (loudness >= gate)])
    index = [int(np.floor((len(kept) - 1) * p / 100 + 0.5)) for p in (10, 95)]
    return kept[index[1]] - kept[index[0]]


def dialogue(samples, stem):
    """(LUFS, share of speech) by docs/qc-checks.md: the mix in the 400 ms blocks of which two 100 ms steps of the stem speak."""
    def sums(power):
        return power[:len(power) // 4800 * 4800].reshape(-1, 4800).sum(axis=1)
    mono = k_weighted(stem[:, [0, 1, 2, 4, 5]].sum(axis=1)) ** 2
    steps = sums(mono)
    blocks = np.convolve(steps, np.ones(4), "valid") / 19200
    with np.errstate(divide="ignore"):
        loudness = -0.691 + 10 * np.log10(blocks)
        level = -0.691 + 10 * np.log10(steps / 4800)
    above = loudness > -70.0
    gate = -0.691 + 10 * np.log10(blocks[above].mean()) - 10.0
    own = -0.691 + 10 * np.log10(blocks[above & (loudness > gate)].mean())
    active = level >= max(own - 20.0, -50.0)
    speaks = active.copy()
    for shift in (1, 2, 3):
        speaks[shift:] |= active[:-shift]
    power = sum(weight * k_weighted(samples[:, c]) ** 2 for c, weight in enumerate(WEIGHTS[samples.shape[1]]) if weight)
    mix = np.convolve(sums(power), np.ones(4), "valid") / 19200
    chosen = np.convolve(speaks, np.ones(4), "valid") >= 1.5
    return -0.691 + 10 * np.log10(mix[chosen].mean()), speaks.mean()


def true_peaks(samples):
    """Annex 2: 4x FIR, in dBTP for each channel; never below the sample peak."""
    peaks = np.abs(samples).max(axis=0)
    for c in range(samples.shape[1]):
        for phase in PHASES:
            for taps in (phase, phase[::-1]):
                peaks[c] = max(peaks[c], np.abs(np.convolve(samples[:, c], taps)).max())
    with np.errstate(divide="ignore"):
        return 20 * np.log10(peaks)


def leqm(samples, gains_db, rate=48000):
    """Leq(m) of samples that sound throughout: the BS.468 curve over the whole file by FFT, 0 dB at 2 kHz."""
    f = np.fft.rfftfreq(len(samples), 1.0 / rate)
    even = -4.737338981378384e-24 * f**6 + 2.043828333606125e-15 * f**4 - 1.363894795463638e-7 * f**2 + 1.0
    odd = 1.306612257412824e-19 * f**5 - 2.118150887518656e-11 * f**3 + 5.559488023498642e-4 * f
    curve = 10 ** (12.6 / 20) * 1.246332637532143e-4 * f / np.hypot(even, odd)
    weighted = np.fft.irfft(np.fft.rfft(samples * 10 ** (np.array(gains_db) / 20), axis=0) * curve[:, None], len(samples), axis=0)
    return 85 + 20 + 20 * np.log10(2 ** 0.5) + 10 * np.log10((weighted ** 2).sum(axis=1).mean())


def witness(samples, rate=48000):
    """libebur128: (integrated, momentary maximum, short-term maximum, true peak)."""
    done = subprocess.run([os.environ["REELMILL_WITNESS"], str(samples.shape[1]), str(rate)],
                          input=np.ascontiguousarray(samples, "<f8").tobytes(), capture_output=True, check=True)
    return tuple(map(float, done.stdout.split()))
