"""The weights as common/measure/speech_weights.c, speech_weights_far.c and speech_weights_pace.c."""
import os

import numpy

from speech_net import LAYERS, Whole, taps

NEAR = 2  # layers in the first of the two files

HEAD = '''/* Written by tests/speech/train.py: not to be edited. */
#include "common/measure/speech_weights.h"

'''


def wrapped(words):
    lines, line = [], '   '
    for word in words:
        if len(line) + len(word) + 2 > 118:
            lines.append(line)
            line = '   '
        line += ' ' + word + ','
    return '\n'.join(lines + [line]) + '\n'


def single(value):
    return float(numpy.float32(value)).hex() + 'f'


def array(kind, name, words):
    return 'static const %s %s[] = {\n%s};\n\n' % (kind, name, wrapped(words))


def layers_text(whole, name, first, end):
    """The layers first .. end as a table of that name."""
    text, rows = '', []
    for layer in range(first, end):
        dilation, width, out = LAYERS[layer]
        weights, scale, bias = whole.layers[layer]
        text += array('int8_t', 'weights_%d' % layer, [str(i) for i in weights.T.reshape(-1)])
        text += array('float', 'scale_%d' % layer, [single(i) for i in scale])
        text += array('float', 'bias_%d' % layer, [single(i) for i in bias])
        rows.append('    {%d, %d, %d, %d, weights_%d, scale_%d, bias_%d},\n' % (taps(layer), dilation, width, out, layer, layer, layer))
    return text + 'const speech_layer %s[] = {\n%s};\n' % (name, ''.join(rows))


def pace_text(pace):
    """A row for each feature: mean, scale, weight, weight of its square."""
    count = len(pace.mean)
    columns = pace.mean, pace.scale, pace.weights[:count], pace.weights[count:2 * count]
    rows = ['    {%s},\n' % ', '.join(single(i) for i in row) for row in zip(*columns)]
    return 'const speech_pace_weight speech_pace_weights[SPEECH_PACE_FEATURES] = {\n%s};\n\nconst float speech_pace_bias = %s;\n' % (
        ''.join(rows), single(pace.weights[-1]))


def write(folder, net, pace):
    """Three files, for none shall be too long."""
    whole = Whole(net)
    with open(os.path.join(folder, 'speech_weights.c'), 'w') as file:
        file.write(HEAD + layers_text(whole, 'speech_near_layers', 0, NEAR))
        file.write('\nconst float speech_out[] = {\n%s};\n\n' % wrapped([single(i) for i in whole.out]))
        file.write('const float speech_bias = %s;\n' % single(whole.bias))
    with open(os.path.join(folder, 'speech_weights_far.c'), 'w') as file:
        file.write(HEAD + layers_text(whole, 'speech_far_layers', NEAR, len(LAYERS)))
    with open(os.path.join(folder, 'speech_weights_pace.c'), 'w') as file:
        file.write(HEAD + pace_text(pace))
