"""How far programmes gated by the network are off those gated by their true stem, and whether its stated errors hold."""
import numpy

from speech_figures import SNRS, SPOKEN, dialogue

MARGIN, LUFS_ERROR, SHARE_ERROR = 1.5, 0.5, 0.2  # common/measure/speech_detector.h


def errors(row):
    """(LU off, share off, stated LU, stated share, faint): as common/measure/speech_measure.c and judge_levels.c have them."""
    speaks, powers = row['speaks'], row['powers'][:len(row['sure'])]
    gates = [row['sure'] > least for least in (-MARGIN, 0.0, MARGIN)]
    loud = [dialogue(powers, gate) for gate in gates]
    share = [gate.mean() for gate in gates]
    lufs = LUFS_ERROR / max(share[1], 1e-6) ** 2 + numpy.nanmax([0.0, abs(loud[0] - loud[1]), abs(loud[2] - loud[1])])
    shares = SHARE_ERROR + max(share[0] - share[1], share[1] - share[2])
    return loud[1] - dialogue(powers, speaks), share[1] - speaks.mean(), lufs, shares, share[1] <= shares


def print_errors(rows):
    print('\n| speech over the rest | speech of 40 s | programmes | loudness off by: median, of 90 %, at most | share off by | stated errors, '
          'median | loudness judged | off by more than stated: loudness judged, share |')
    print('| --- | --- | --- | --- | --- | --- | --- | --- |')
    for snr in SNRS:
        for spoken in SPOKEN:
            print_line('%d dB | %d s' % (snr, spoken), [errors(row) for row in rows if row['snr'] == snr and row['spoken'] == spoken])
    print_line('10 and 20 dB | all', [errors(row) for row in rows if row['snr'] >= 10])
    print_line('all | all', [errors(row) for row in rows])
    told = sorted(((abs(errors(row)[0]), row) for row in rows if not errors(row)[4]), key=lambda item: -item[0])
    for off, row in told[:12]:
        print('%d dB, %d s, %s: %.1f LU, stated %.1f; share %+.0f %%, stated %.0f %%' % (
            row['snr'], row['spoken'], row['name'], off, errors(row)[2], 100 * errors(row)[1], 100 * errors(row)[3]))


def print_line(what, part):
    if not part:
        return
    lufs, share, stated, stated_share, faint = (numpy.array(column) for column in zip(*part))
    off, share = numpy.abs(lufs), 100 * numpy.abs(share)
    judged = ~faint & ~numpy.isnan(off)
    print('| %s | %d | %.1f, %.1f, %.1f LU | %.0f, %.0f, %.0f %% | %.1f LU, %.0f %% | %d | %d, %d |' % (
        what, len(part), numpy.nanmedian(off), numpy.nanquantile(off, 0.9), numpy.nanmax(off), numpy.median(share),
        numpy.quantile(share, 0.9), share.max(), numpy.median(stated), 100 * numpy.median(stated_share), judged.sum(),
        (off[judged] > stated[judged]).sum(), (share > 100 * stated_share).sum()))
