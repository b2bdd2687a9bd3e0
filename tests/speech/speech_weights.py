"""The network's weights as common/measure/speech_weights.c and speech_weights_far.c."""
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


def write(folder, net):
    """Two files, for neither shall be too long."""
    whole = Whole(net)
    with open(os.path.join(folder, 'speech_weights.c'), 'w') as file:
        file.write(HEAD + layers_text(whole, 'speech_near_layers', 0, NEAR))
        file.write('\nconst float speech_out[] = {\n%s};\n\n' % wrapped([single(i) for i in whole.out]))
        file.write('const float speech_bias = %s;\n' % single(whole.bias))
    with open(os.path.join(folder, 'speech_weights_far.c'), 'w') as file:
        file.write(HEAD + layers_text(whole, 'speech_far_layers', NEAR, len(LAYERS)))
