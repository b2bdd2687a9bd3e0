"""
More sound to learn from, on which nothing is judged: recordings in packages of Debian 12 (main), and music that is made here.

The packages lie unpacked (`dpkg -x`) under one folder, each in a folder of its name. Nothing of them is part of the product.
"""
import glob
import os
import struct
import subprocess
import tempfile

import numpy

from speech_corpus import RATE, decode

SECONDS = 100  # of a source at most
FILES = 12     # of those whose every file is a source
ASTERISK = 'usr/share/asterisk/sounds/%s/*.%s'
FISH = 'usr/share/games/fillets-ng/sound/*/%s/*-%s-*.ogg'
SPEECH = {  # name: (package, files)
    'Allison': ('asterisk-core-sounds-en-g722', ASTERISK % ('en_US_f_Allison', 'g722')),
    'Allison, Spanish': ('asterisk-core-sounds-es-g722', ASTERISK % ('es_MX_f_Allison', 'g722')),
    'June': ('asterisk-core-sounds-fr-g722', ASTERISK % ('fr_CA_f_June', 'g722')),
    'Carlo': ('asterisk-core-sounds-it-g722', ASTERISK % ('it_IT_m_Carlo', 'g722')),
    'Russian': ('asterisk-core-sounds-ru-g722', ASTERISK % ('ru_RU_f_IvrvoiceRU', 'g722')),
    'Menardi': ('asterisk-prompt-it-menardi-wav', ASTERISK % ('it_IT_f_Menardi', 'wav')),
    'small fish, Czech': ('fillets-ng-data-cs', FISH % ('cs', 'm')),
    'big fish, Czech': ('fillets-ng-data-cs', FISH % ('cs', 'v')),
    'small fish, Dutch': ('fillets-ng-data-nl', FISH % ('nl', 'm')),
    'big fish, Dutch': ('fillets-ng-data-nl', FISH % ('nl', 'v')),
}
SONIC = 'usr/share/sonic-pi/samples/%s*.flac'
LMMS = 'usr/share/lmms/samples/%s/*.ogg'
NOISE = {  # name: (package, files, whether each file is a source)
    'warzone': ('warzone2100-music', 'usr/share/games/warzone2100/music/albums/*/*.opus', True),
    'asc': ('asc-music', 'usr/share/games/asc/music/*.mp3', True),
    'xmoto': ('xmoto-data', 'usr/share/games/xmoto/Textures/Musics/*.ogg', True),
    'pingus': ('pingus-data', 'usr/share/games/pingus/data/music/*.it', True),
    'on hold': ('asterisk-moh-opsound-g722', 'usr/share/asterisk/moh/*.g722', True),
    'rock': ('fretsonfire-songs-muldjord', 'usr/share/games/fretsonfire/data/songs/muldjord/*/*.ogg', True),
    'metal': ('fretsonfire-songs-sectoid', 'usr/share/games/fretsonfire/data/songs/sectoid/*/*.ogg', True),
    'fish music': ('fillets-ng-data', 'usr/share/games/fillets-ng/music/*.ogg', True),
    'fish effects': ('fillets-ng-data', 'usr/share/games/fillets-ng/sound/*/en/*-x-*.ogg', False),
    'drums': ('sonic-pi-samples', SONIC % 'drum_', False),
    'loops': ('sonic-pi-samples', SONIC % 'loop_', False),
    'ambiences': ('sonic-pi-samples', SONIC % 'ambi_', False),
    'basses': ('sonic-pi-samples', SONIC % 'bass_', False),
    'electronic': ('sonic-pi-samples', SONIC % 'elec_', False),
    'guitar': ('sonic-pi-samples', SONIC % 'guit_', False),
    'percussion': ('sonic-pi-samples', SONIC % 'perc_', False),
    'tabla': ('sonic-pi-samples', SONIC % 'tabla_', False),
    'beats': ('lmms-common', LMMS % 'beats', False),
    'bass loops': ('lmms-common', LMMS % 'bassloops', False),
    'latin': ('lmms-common', LMMS % 'latin', False),
}
FONT = 'timgm6mb-soundfont/usr/share/sounds/sf2/TimGM6mb.sf2'
PIECES, TONES = 32, 48
SINGERS = (52, 53, 54, 40, 41, 42, 56, 57, 60, 64, 65, 66, 67, 68, 71, 73, 75, 78, 85)  # voices, bows, winds: one tone at a time


def files_of(folder, package, pattern):
    found = sorted(glob.glob(os.path.join(folder, package, pattern)))
    if not found:
        raise SystemExit('%s of package %s is not under %s' % (pattern, package, folder))
    return found


def some(paths, seconds):
    """The longest files one behind the other, until they last so long."""
    parts, count = [], 0
    for path in sorted(paths, key=lambda path: (-os.path.getsize(path), path)):
        if count >= seconds * RATE:
            break
        parts.append(decode(path)[:seconds * RATE])
        count += len(parts[-1])
    return numpy.concatenate(parts)[:seconds * RATE]


def recordings(folder):
    """((kind, name), samples)"""
    for name, (package, pattern) in SPEECH.items():
        yield ('speech', name), some(files_of(folder, package, pattern), SECONDS)
    for name, (package, pattern, each) in NOISE.items():
        paths = files_of(folder, package, pattern)
        if not each:
            yield ('music', name), some(paths, SECONDS)
        for path in paths[::-(-len(paths) // FILES)] if each else ():
            sound = decode(path, ['-ss', '15', '-t', str(SECONDS)])
            if len(sound) > 5 * RATE:
                yield ('music', '%s, %s' % (name, path[len(folder):])), sound


def number(value):
    """A length as a MIDI file has it."""
    out = bytes([value & 127])
    while value > 127:
        value >>= 7
        out = bytes([value & 127 | 128]) + out
    return out


def track(events):
    """events: (tick, bytes)"""
    data, at = b'', 0
    for tick, message in sorted(events, key=lambda event: event[0]):
        data += number(tick - at) + message
        at = tick
    return b'MTrk' + struct.pack('>I', len(data) + 4) + data + b'\0\xff\x2f\0'


def melody(random, channel, ticks, scale, low, high):
    """One tone behind the other, some of them bent and trembling, with rests: as syllables come."""
    events, tick, note = [], 0, int(random.integers(low, high))
    bend = random.random() < 0.7
    while tick < ticks:
        length = int(random.choice([30, 45, 60, 60, 120, 120, 180, 240]))
        note = int(numpy.clip(note + random.integers(-5, 6), low, high))
        while note % 12 not in scale:
            note += 1
        if random.random() < 0.82:
            events.append((tick, bytes([0x90 | channel, note, int(random.integers(60, 127))])))
            events.append((tick + length * 9 // 10, bytes([0x80 | channel, note, 0])))
            if bend:
                depth, pace = random.uniform(0, 1500), random.uniform(0.15, 0.45)
                for at in range(0, length, 6):
                    value = int(8192 + depth * numpy.sin(pace * at) - 3000 * numpy.exp(-at / 12) * (random.random() < 0.5))
                    events.append((tick + at, bytes([0xE0 | channel, value & 127, value >> 7 & 127])))
        tick += length
    return events


def chords(random, channel, ticks, scale):
    events, pattern = [], int(random.choice([60, 120, 240, 480]))
    for tick in range(0, ticks, pattern):
        root = int(random.integers(45, 60))
        for step in random.choice([0, 3, 4, 7, 12, 15], int(random.integers(1, 5)), replace=False):
            note = root + int(step)
            while note % 12 not in scale:
                note += 1
            events.append((tick, bytes([0x90 | channel, note, int(random.integers(40, 110))])))
            events.append((tick + pattern * 8 // 10, bytes([0x80 | channel, note, 0])))
    return events


def beat(random, ticks):
    events = []
    bar = [(int(at) * 30, int(random.integers(35, 82))) for at in random.integers(0, 16, int(random.integers(4, 14)))]
    for start in range(0, ticks, 480):
        for at, drum in bar:
            if random.random() < 0.9:
                events.append((start + at, bytes([0x99, drum, int(random.integers(50, 127))])))
                events.append((start + at + 20, bytes([0x89, drum, 0])))
    return events


def piece(folder, index):
    """A minute of music of random instruments: a single one, a beat alone, a band."""
    random = numpy.random.default_rng(7000 + index)
    ticks = 120 * 120
    scale = {int(i + random.integers(12)) % 12 for i in (0, 2, 4, 5, 7, 9, 11)}
    tempo = int(random.uniform(350000, 900000))
    tracks = [track([(0, b'\xff\x51\x03' + struct.pack('>I', tempo)[1:])])]
    kind = index % 4  # a melody, a beat, a melody with chords, all
    if kind != 1:
        program = int(random.choice(SINGERS)) if random.random() < 0.7 else int(random.integers(0, 120))
        low = int(random.integers(45, 65))
        tracks.append(track([(0, bytes([0xC0, program]))] + melody(random, 0, ticks, scale, low, low + 19)))
    if kind >= 2:
        tracks.append(track([(0, bytes([0xC1, int(random.integers(0, 104))]))] + chords(random, 1, ticks, scale)))
    if kind in (1, 3):
        tracks.append(track(beat(random, ticks)))
    midi = b'MThd' + struct.pack('>IHHH', 6, 1, len(tracks), 120) + b''.join(tracks)
    with tempfile.TemporaryDirectory() as scratch:
        score, sound = os.path.join(scratch, 'score.mid'), os.path.join(scratch, 'sound.wav')
        with open(score, 'wb') as file:
            file.write(midi)
        command = ['fluidsynth', '-q', '-n', '-i', '-R', str(index // 4 % 2), '-C', '0', '-r', str(RATE), '-F', sound,
                   os.path.join(folder, FONT), score]
        subprocess.run(command, capture_output=True, check=True)
        return decode(sound)[:60 * RATE]


def pieces(folder):
    for index in range(PIECES):
        yield ('music', 'made %d' % index), piece(folder, index)


def tone(index):
    """20 s of a voice's pitch and swells without its consonants: a tone that glides, trembles, is struck or comes and goes."""
    random = numpy.random.default_rng(8000 + index)
    time = numpy.arange(20 * RATE) / RATE
    low, width = random.uniform(70, 280), random.uniform(1.0, 4.5)
    if index % 2:
        pitch = low * width ** (0.5 - 0.5 * numpy.cos(2 * numpy.pi * time / random.uniform(0.5, 5)))
    else:
        every = random.uniform(0.1, 0.5)
        pitch = low * 2 ** (random.integers(0, 20, int(20 / every) + 1) / 12)[(time / every).astype(int)]
        pitch = pitch * (1 + random.uniform(0, 0.03) * numpy.sin(2 * numpy.pi * random.uniform(4, 7) * time))
    angle = 2 * numpy.pi * numpy.cumsum(pitch) / RATE
    slope, places = random.uniform(0.6, 2.0), random.uniform(0, 2 * numpy.pi, 3)
    total = numpy.zeros(len(time))
    for k in range(1, 40):
        gain = k ** -slope * (1 + 0.9 * sum(numpy.cos(place + 0.3 * k * (i + 1)) for i, place in enumerate(places)) / 3)
        total += gain * numpy.sin(k * angle) * (k * pitch < 8000)
    pace, swell = random.uniform(1.5, 8), index // 2 % 4
    if swell == 1:
        total *= 1 - random.uniform(0.5, 1) * (0.5 - 0.5 * numpy.cos(2 * numpy.pi * pace * time))
    elif swell == 2:
        total *= numpy.exp(-random.uniform(1, 8) * (time * pace % 1))
    elif swell == 3:
        turns = (random.random(200) < 0.75)[(time * pace).astype(int)]
        total *= turns * numpy.clip(numpy.minimum(time * pace % 1 * 20, (1 - time * pace % 1) * 5), 0, 1)
    return 0.1 * total


def tones():
    for index in range(TONES):
        yield ('music', 'tone %d' % index), tone(index)
