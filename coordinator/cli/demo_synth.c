#define _GNU_SOURCE
#include "coordinator/cli/demo_synth.h"

#include <fcntl.h>
#include <math.h>
#include <sndfile.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
static const double tau = 6.283185307179586;

/* A small generator of our own, so that the demo is the same on every machine. */
static float noise(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (float)(int32_t)*state / 2147483648.0f;
}

void demo_pop(float *out, size_t frame_count, size_t at)
{
    const double amplitude = 0.1 * sqrt(2.0); /* a sine of -20 dBFS RMS has this peak */
    for (size_t i = 0; i < DEMO_RATE / 24 && at + i < frame_count; i++)
        out[at + i] += (float)(amplitude * sin(tau * 1000.0 * (double)i / DEMO_RATE));
}

/* ---- voice ---- */

/* Straight lines between samples are good enough for speech of 22 kHz. */
static size_t mix_file(float *out, size_t frame_count, size_t at, const char *path, float gain)
{
    SF_INFO info = {0};
    SNDFILE *file = sf_open(path, SFM_READ, &info);
    if (file == NULL || info.channels != 1 || info.samplerate < 8000 || info.frames < 100 || info.frames > 10 * 1000 * 1000) {
        if (file != NULL)
            sf_close(file);
        return 0;
    }
    float *speech = calloc((size_t)info.frames + 2, sizeof *speech);
    sf_count_t got = speech == NULL ? 0 : sf_readf_float(file, speech, info.frames);
    sf_close(file);
    size_t length = (size_t)((double)got * DEMO_RATE / info.samplerate);
    for (size_t i = 0; i < length && at + i < frame_count; i++) {
        double place = (double)i * info.samplerate / DEMO_RATE;
        size_t whole = (size_t)place;
        double part = place - (double)whole;
        out[at + i] += gain * (float)((1.0 - part) * (double)speech[whole] + part * (double)speech[whole + 1]);
    }
    free(speech);
    return length;
}

static bool synthesise(const char *text, double pitch, const char *path)
{
    char pitch_text[16];
    snprintf(pitch_text, sizeof pitch_text, "%d", (int)(pitch / 4.0));
    char *arguments[] = {"espeak-ng", "-s", "150", "-p", pitch_text, "-w", (char *)(uintptr_t)path, (char *)(uintptr_t)text,
                         NULL};
    pid_t child;
    int ended = 1;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    if (posix_spawnp(&child, "espeak-ng", &actions, NULL, arguments, environ) == 0)
        while (waitpid(child, &ended, 0) != child)
            ;
    posix_spawn_file_actions_destroy(&actions);
    return ended == 0;
}

/* One two-pole resonator of a vocal tract. */
typedef struct formant {
    double a1, a2, gain, y1, y2;
} formant;

static void formant_set(formant *self, double hertz, double bandwidth)
{
    double radius = exp(-tau / 2.0 * bandwidth / DEMO_RATE);
    self->a1 = 2.0 * radius * cos(tau * hertz / DEMO_RATE);
    self->a2 = -radius * radius;
    self->gain = 1.0 - radius;
}

static double formant_step(formant *self, double x)
{
    double y = self->gain * x + self->a1 * self->y1 + self->a2 * self->y2;
    self->y2 = self->y1;
    self->y1 = y;
    return y;
}

/* Every letter becomes a vowel or a burst of noise: not words, but it has the rhythm and spectrum of somebody talking. */
static size_t formant_voice(float *out, size_t frame_count, size_t at, const char *text, double pitch, float gain)
{
    static const double vowels[5][3] = {
        {730, 1090, 2440}, {530, 1840, 2480}, {270, 2290, 3010}, {570, 840, 2410}, {300, 870, 2240}};
    formant tract[3] = {0};
    uint32_t state = 7;
    double phase = 0.0;
    size_t frame = at;
    for (const char *letter = text; *letter != '\0'; letter++) {
        const char *vowel = strchr("aeiou", *letter | 0x20);
        bool pause = *letter == ' ' || *letter == '.' || *letter == ',';
        size_t length = *letter == '.' ? DEMO_RATE / 3 : vowel != NULL ? DEMO_RATE / 9 : DEMO_RATE / 18;
        for (int k = 0; k < 3; k++)
            formant_set(&tract[k], vowels[vowel != NULL ? vowel - "aeiou" : *letter % 5][k], 60.0 + 40.0 * k);
        for (size_t i = 0; i < length && frame < frame_count; i++, frame++) {
            double envelope = pause ? 0.0 : sin(tau / 2.0 * (double)i / (double)length);
            phase += pitch * (1.0 + 0.05 * sin((double)frame / 9000.0)) / DEMO_RATE;
            phase -= floor(phase);
            double source = vowel != NULL ? (phase < 0.1 ? 1.0 : -0.11) : 0.25 * (double)noise(&state);
            double y = 0.0;
            for (int k = 0; k < 3; k++)
                y += formant_step(&tract[k], source) * (k == 0 ? 1.0 : 0.6);
            out[frame] += gain * (float)(3.0 * envelope * y);
        }
    }
    return frame - at;
}

/* Whoever speaks, a line has the same peak, so that the mix fits the same room with either voice. */
size_t demo_speak(float *out, size_t frame_count, size_t at, const char *text, double pitch, float gain)
{
    static const float line_peak = 0.7f;
    char path[] = "/tmp/reelmill-voice-XXXXXX";
    int file = mkstemp(path);
    size_t length = 0;
    size_t room = at < frame_count ? frame_count - at : 0;
    float *line = calloc(room + 1, sizeof *line);
    if (file >= 0) {
        close(file);
        if (line != NULL && synthesise(text, pitch, path))
            length = mix_file(line, room, 0, path, 1.0f);
        unlink(path);
    }
    if (line != NULL && length == 0)
        length = formant_voice(line, room, 0, text, pitch, 1.0f);
    float peak = 1e-9f;
    for (size_t i = 0; i < length && i < room; i++)
        peak = fmaxf(peak, fabsf(line[i]));
    for (size_t i = 0; i < length && i < room; i++)
        out[at + i] += gain * line_peak / peak * line[i];
    free(line);
    return length;
}

/* ---- music ---- */

static const double chords[4][4] = {{110.00, 220.00, 261.63, 329.63}, /* A minor */
                                    {87.31, 174.61, 220.00, 261.63},  /* F */
                                    {130.81, 196.00, 261.63, 329.63}, /* C */
                                    {98.00, 196.00, 246.94, 293.66}}; /* G */

static void pluck(demo_bed *bed, size_t at, size_t end, double hertz, int channel, uint32_t *state)
{
    enum { DELAY_MAX = 1024 };
    float line[DELAY_MAX];
    size_t delay = (size_t)(DEMO_RATE / hertz);
    for (size_t i = 0; i < delay; i++)
        line[i] = noise(state);
    for (size_t i = 0; at + i < end && i < DEMO_RATE * 2; i++) {
        size_t now = i % delay;
        float y = line[now];
        line[now] = 0.498f * (y + line[(now + 1) % delay]);
        bed->channels[channel][at + i] += 0.10f * y;
        if (at + i + 4800 < end)
            bed->channels[channel == 0 ? 4 : 5][at + i + 4800] += 0.04f * y;
    }
}

void demo_music(demo_bed *bed, size_t first, size_t end, uint32_t seed)
{
    static const float spread[DEMO_CHANNELS] = {0.9f, 0.9f, 0.25f, 0.0f, 0.6f, 0.6f};
    uint32_t state = seed;
    const size_t bar = DEMO_RATE * 4;
    for (size_t frame = first; frame < end; frame++) {
        const double *chord = chords[(frame - first) / bar % 4];
        double in_bar = (double)((frame - first) % bar) / (double)bar;
        double swell = sin(tau / 2.0 * in_bar);
        double fade = fmin(1.0, fmin((double)(frame - first), (double)(end - frame)) / (DEMO_RATE * 2.0));
        fade *= fmin(1.0, fmin(in_bar, 1.0 - in_bar) * (double)bar / 960.0); /* chords change without a click */
        double t = (double)frame / DEMO_RATE;
        for (int c = 0; c < DEMO_CHANNELS; c++) {
            double y = 0.0;
            for (int n = 1; n < 4 && spread[c] > 0.0f; n++)
                y += 0.75 * sin(tau * chord[n] * t) + 0.35 * sin(tau * chord[n] * (1.0 + 0.0007 * (c - 2)) * t + c) +
                     0.3 * sin(tau * 2.0 * chord[n] * t + 0.5 * c);
            bed->channels[c][frame] += spread[c] * (float)(0.016 * fade * (0.35 + swell) * y);
        }
        bed->channels[2][frame] += (float)(0.05 * fade * exp(-3.0 * in_bar) * sin(tau * chord[0] * t));
    }
    for (size_t at = first + bar, note = 0; at + DEMO_RATE < end; at += DEMO_RATE / 2, note++) {
        const double *chord = chords[(at - first) / bar % 4];
        pluck(bed, at, end, 2.0 * chord[1 + (note * 2 + note / 3) % 3], note % 2 == 0 ? 0 : 1, &state);
    }
}

/* ---- effects ---- */

static void thump(demo_bed *bed, size_t at, size_t end, double hertz, float gain, int channel, uint32_t *state)
{
    for (size_t i = 0; i < DEMO_RATE / 4 && at + i < end; i++) {
        double fall = exp(-(double)i / (DEMO_RATE * 0.03));
        double y = fall * (sin(tau * hertz * (double)i / DEMO_RATE) + 0.6 * fall * (double)noise(state));
        bed->channels[channel][at + i] += gain * (float)y;
    }
}

void demo_room(float *out, size_t first, size_t end, uint32_t seed)
{
    for (size_t frame = first; frame < end; frame++)
        out[frame] += 1e-4f * noise(&seed);
}

void demo_train(demo_bed *bed, size_t first, size_t end, uint32_t seed)
{
    uint32_t states[DEMO_CHANNELS];
    double low[DEMO_CHANNELS] = {0};
    double lower[DEMO_CHANNELS] = {0};
    for (int c = 0; c < DEMO_CHANNELS; c++)
        states[c] = seed + 977u * (uint32_t)c;
    for (size_t frame = first; frame < end; frame++) {
        double gust = 0.6 + 0.4 * sin((double)frame / 190000.0 + seed);
        double edge = fmin(1.0, fmin((double)(frame - first), (double)(end - frame)) / 4800.0);
        for (int c = 0; c < DEMO_CHANNELS; c++) {
            double corner = c == 3 ? 0.004 : 0.05 * gust;
            low[c] += corner * ((double)noise(&states[c]) - low[c]);
            lower[c] += corner * (low[c] - lower[c]);
            bed->channels[c][frame] += (float)(edge * (c == 3 ? 0.9 : c == 2 ? 0.10 : 0.16) * lower[c]);
        }
    }
    /* Rail joints: two bogies over a joint, every 1.3 s; then doors and steps. */
    for (size_t at = first; at + DEMO_RATE < end; at += DEMO_RATE * 13 / 10)
        for (size_t k = 0; k < 2; k++) {
            thump(bed, at + k * 9000, end, 90.0, 0.16f, k == 0 ? 0 : 1, &states[0]);
            thump(bed, at + k * 9000 + 600, end, 90.0, 0.09f, k == 0 ? 4 : 5, &states[1]);
            thump(bed, at + k * 9000, end, 38.0, 0.22f, 3, &states[3]);
        }
    for (size_t at = first + DEMO_RATE * 7; at + DEMO_RATE < end; at += DEMO_RATE * 19)
        thump(bed, at, end, 60.0, 0.5f, 2, &states[2]);
    for (size_t at = first + DEMO_RATE * 9, step = 0; at + DEMO_RATE < end && step < 14; at += DEMO_RATE * 11 / 20, step++)
        thump(bed, at, end, 160.0, 0.12f, step % 2 == 0 ? 0 : 2, &states[2]);
    /* The LFE is delivered low-passed: four poles at 120 Hz. */
    double poles[4] = {0};
    for (size_t frame = first; frame < end; frame++) {
        double y = (double)bed->channels[3][frame];
        for (int pole = 0; pole < 4; pole++)
            y = poles[pole] += (1.0 - exp(-tau * 120.0 / DEMO_RATE)) * (y - poles[pole]);
        bed->channels[3][frame] = (float)y;
    }
}
