"""
The speech detector's network in numpy: five layers of dense weights, the later ones each over five steps of 100 ms of the layer
before, wider and wider apart. It learns in floating point; Whole is the same network in the whole numbers of
common/measure/speech_detector.c.
"""
import numpy

BANDS, STEP_FRAMES = 22, 5
REACH = 30                                    # steps that an output sees on each side
LAYERS = ((1, STEP_FRAMES * BANDS, 32), (1, 32, 32), (2, 32, 32), (4, 32, 32), (8, 32, 16))  # dilation, inputs of a step, outputs
SCALE, LOWEST, HIGHEST = 1 / 32, -3.0, 2.5


def taps(layer):
    return 1 if layer == 0 else 5


def normalised(levels):
    """[steps][110]: a step's levels against the mean of all within REACH of it."""
    steps = len(levels) // STEP_FRAMES
    level = levels[:steps * STEP_FRAMES].reshape(steps, STEP_FRAMES * BANDS)
    sums = numpy.concatenate([[0.0], numpy.cumsum(level.sum(axis=1))])
    first = numpy.maximum(numpy.arange(steps) - REACH, 0)
    end = numpy.minimum(numpy.arange(steps) + REACH + 1, steps)
    mean = (sums[end] - sums[first]) / ((end - first) * STEP_FRAMES * BANDS)
    return numpy.clip((level - mean[:, None]) * SCALE, LOWEST, HIGHEST).astype(numpy.float32)


class Net:
    def __init__(self, random):
        self.weights = []
        for layer, (_, width, out) in enumerate(LAYERS):
            size = taps(layer) * width
            self.weights.append((random.standard_normal((size, out)) * numpy.sqrt(2.0 / size)).astype(numpy.float32))
            self.weights.append(numpy.zeros(out, numpy.float32))
        self.weights.append((random.standard_normal((LAYERS[-1][2], 1)) * 0.3).astype(numpy.float32))
        self.weights.append(numpy.zeros(1, numpy.float32))

    def forward(self, x, keep=None):
        """[sequences][steps][110] to [sequences][steps - 2 REACH] logits."""
        for layer, (dilation, _, _) in enumerate(LAYERS):
            if taps(layer) > 1:
                steps = x.shape[1] - 4 * dilation
                x = numpy.concatenate([x[:, k * dilation:k * dilation + steps] for k in range(5)], axis=2)
            y = numpy.maximum(x @ self.weights[2 * layer] + self.weights[2 * layer + 1], 0)
            if keep is not None:
                keep.append((x, y))
            x = y
        return (x @ self.weights[-2] + self.weights[-1])[:, :, 0]

    def gradients(self, x, label, weight):
        keep = []
        logit = self.forward(x, keep)
        chance = 1 / (1 + numpy.exp(-logit))
        loss = float((weight * (numpy.logaddexp(0, logit) - label * logit)).sum() / weight.sum())
        d = (weight * (chance - label) / weight.sum())[:, :, None].astype(numpy.float32)
        out = [None] * len(self.weights)
        last = keep[-1][1]
        out[-2] = last.reshape(-1, last.shape[2]).T @ d.reshape(-1, 1)
        out[-1] = d.sum(axis=(0, 1))
        d = d @ self.weights[-2].T
        for layer in range(len(LAYERS) - 1, -1, -1):
            x, y = keep[layer]
            d = d * (y > 0)
            flat = d.reshape(-1, d.shape[2])
            out[2 * layer] = x.reshape(-1, x.shape[2]).T @ flat
            out[2 * layer + 1] = flat.sum(axis=0)
            if layer > 0:
                dilation, width, _ = LAYERS[layer]
                wide = d @ self.weights[2 * layer].T
                back = numpy.zeros((wide.shape[0], wide.shape[1] + 4 * dilation, width), numpy.float32)
                for k in range(5):
                    back[:, k * dilation:k * dilation + wide.shape[1]] += wide[:, :, k * width:(k + 1) * width]
                d = back
        return loss, out


def fit(net, make, rounds, random, batch=32, rate=2e-3, decay=1e-4):
    """Adam over what make() gives, new in each of the rounds; the rate falls to nothing."""
    first = [numpy.zeros_like(w) for w in net.weights]
    second = [numpy.zeros_like(w) for w in net.weights]
    done = 0
    for turn in range(rounds):
        losses = []
        x, label, weight = make()
        total = rounds * (len(x) // batch)
        order = random.permutation(len(x))
        for at in range(0, len(x) - batch + 1, batch):
            part = order[at:at + batch]
            loss, slopes = net.gradients(x[part], label[part], weight[part])
            losses.append(loss)
            done += 1
            pace = rate * 0.5 * (1 + numpy.cos(numpy.pi * done / (total + 1)))
            for i, slope in enumerate(slopes):
                first[i] += 0.1 * (slope - first[i])
                second[i] += 0.001 * (slope * slope - second[i])
                move = first[i] / (1 - 0.9 ** done) / (numpy.sqrt(second[i] / (1 - 0.999 ** done)) + 1e-8)
                net.weights[i] -= (pace * (move + decay * 100 * net.weights[i] * (net.weights[i].ndim > 1))).astype(numpy.float32)
        print('round %2d of %d: loss %.4f' % (turn + 1, rounds, sum(losses) / len(losses)), flush=True)


class Whole:
    """A network in whole numbers: weights of 8 bits with a scale for each output, values of 16 bits in 256ths."""

    def __init__(self, net):
        self.layers = []
        for layer in range(len(LAYERS)):
            weight = net.weights[2 * layer]
            scale = (numpy.maximum(numpy.abs(weight).max(axis=0), 1e-9) / 127).astype(numpy.float32)
            self.layers.append((numpy.rint(weight / scale).astype(int), scale, (256 * net.weights[2 * layer + 1]).astype(numpy.float32)))
        self.out = (net.weights[-2][:, 0] / 256).astype(numpy.float32)
        self.bias = numpy.float32(net.weights[-1][0])

    def hear(self, levels):
        """How sure it is of each step of 100 ms; beyond the ends is silence."""
        steps = len(levels) // STEP_FRAMES
        level = levels[:steps * STEP_FRAMES].reshape(steps, STEP_FRAMES * BANDS).astype(numpy.int64)
        sums = numpy.concatenate([[0], numpy.cumsum(level.sum(axis=1))])
        first = numpy.maximum(numpy.arange(steps) - REACH, 0)
        end = numpy.minimum(numpy.arange(steps) + REACH + 1, steps)
        count = (end - first) * STEP_FRAMES * BANDS
        mean = (8 * (sums[end] - sums[first]) + count // 2) // count
        x = numpy.zeros((steps + 2 * REACH, STEP_FRAMES * BANDS))
        x[REACH:REACH + steps] = numpy.clip(8 * level - mean[:, None], int(256 * LOWEST), int(256 * HIGHEST))
        for layer, (weight, scale, bias) in enumerate(self.layers):
            dilation = LAYERS[layer][0]
            if taps(layer) > 1:
                left = len(x) - 4 * dilation
                x = numpy.concatenate([x[k * dilation:k * dilation + left] for k in range(5)], axis=1)
            y = scale * (x @ weight.astype(float)).astype(numpy.float32) + bias
            x = numpy.floor(numpy.clip(y, 0, 32767) + numpy.float32(0.5)).astype(float)
        return x.astype(numpy.float32) @ self.out + self.bias
