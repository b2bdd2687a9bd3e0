"""The network's weights as whole numbers of 8 bits with a scale for each output, and as common/measure/speech_weights.c."""
import numpy

from speech_net import LAYERS, Net, taps

HEAD = '''/* Written by tests/speech/train.py: not to be edited. */
#include "common/measure/speech_weights.h"

'''


def rounded(net):
    """The same network with the weights that are written: (network, whole numbers, scales)."""
    same = Net(numpy.random.default_rng(0))
    whole, scales = [], []
    for layer in range(len(LAYERS)):
        weight = net.weights[2 * layer]
        scale = (numpy.maximum(numpy.abs(weight).max(axis=0), 1e-9) / 127).astype(numpy.float32)
        number = numpy.rint(weight / scale).astype(int)
        whole.append(number)
        scales.append(scale)
        same.weights[2 * layer] = (number * scale).astype(numpy.float32)
        same.weights[2 * layer + 1] = net.weights[2 * layer + 1].astype(numpy.float32)
    same.weights[-2] = net.weights[-2].astype(numpy.float32)
    same.weights[-1] = net.weights[-1].astype(numpy.float32)
    return same, whole, scales


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


def write(path, net, shift):
    """shift: what is added to every logit, so that 0 is where speech begins."""
    same, whole, scales = rounded(net)
    text = HEAD
    rows = []
    for layer, (dilation, width, out) in enumerate(LAYERS):
        text += array('int8_t', 'weights_%d' % layer, [str(i) for i in whole[layer].reshape(-1)])
        text += array('float', 'scale_%d' % layer, [single(i) for i in scales[layer]])
        text += array('float', 'bias_%d' % layer, [single(i) for i in same.weights[2 * layer + 1]])
        rows.append('    {%d, %d, %d, %d, weights_%d, scale_%d, bias_%d},\n' % (taps(layer), dilation, width, out, layer, layer, layer))
    text += 'const speech_layer speech_layers[SPEECH_LAYERS] = {\n%s};\n\n' % ''.join(rows)
    text += 'const float speech_out[SPEECH_WIDTH_MAX] = {\n%s};\n\n' % wrapped([single(i) for i in same.weights[-2][:, 0]])
    text += 'const float speech_bias = %s;\n' % single(same.weights[-1][0] + shift)
    with open(path, 'w') as file:
        file.write(text)
