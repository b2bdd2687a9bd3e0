#define _GNU_SOURCE
#include "coordinator/cli/cli.h"

#include "coordinator/cli/demo_synth.h"

#include <errno.h>
#include <limits.h>
#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { LEADER_SECONDS = 8, POP_SECONDS = 2, TAIL_SECONDS = 4, REELS = 2 };

/* One reel: files begin at start (hour:00:00:00), FFOA 8 s later, LFOA after action_seconds; tail pop 2 s after that. */
typedef struct demo_reel {
    const char *name;
    uint32_t hour;
    uint32_t action_seconds;
    const char *lines[8];    /* dialogue */
    const char *narration[4];
} demo_reel;

static const demo_reel reels[REELS] = {
    {"R1", 1, 66,
     {"Is this seat taken?", "No. Please, sit down.", "You are going all the way to the coast?",
      "To the end of the line. They say the sea is frozen there.", "Then we have time. Tell me how it began.",
      "It began on a train. On this train, in fact.", NULL},
     {"Night. A train crosses a snow covered plain.", "A man in a grey coat enters the compartment.", NULL}},
    {"R2", 2, 64,
     {"Wake up. We have stopped.", "There is nobody on the platform.", "Look again. By the signal box.",
      "That lamp. Somebody is calling us.", "Do not open the door.", "I have to know who it is.", NULL},
     {"The train stands still. Steam drifts past the window.", "He opens the door and steps out into the dark.", NULL}},
};

static const char show_text[] =
    "reelmill: 1\n"
    "title: Night Train\n"
    "slug: NIGHT_TRAIN\n"
    "version: v01\n"
    "date: 2026-11-20\n"
    "frame_rate: 24\n"
    "sample_rate: 48000\n"
    "media: stems\n"
    "stems:\n"
    "  DX: {role: dialogue,  layout: \"5.1\", file: \"{reel}_DX_51.wav\", language: en}\n"
    "  MX: {role: music,     layout: \"5.1\", file: \"{reel}_MX.{ch}.wav\"}   # one mono file per channel\n"
    "  FX: {role: effects,   layout: \"5.1\", file: \"{reel}_FX_51.wav\"}\n"
    "  AD: {role: narration, layout: mono,  file: \"{reel}_AD.wav\", language: en}\n"
    "reels:\n"
    "  - {name: R1, start: \"01:00:00:00\", ffoa: \"01:00:08:00\", lfoa: \"01:01:13:23\"}\n"
    "  - {name: R2, start: \"02:00:00:00\", ffoa: \"02:00:08:00\", lfoa: \"02:01:11:23\"}\n"
    "pops: {head: 2s, tail: 2s}\n"
    "deliverables:\n"
    "  - {name: PM_51, recipe: printmaster-5.1, spec: none}\n"
    "  - {name: PM_20, recipe: stereo-loro,     spec: none}\n"
    "  - {name: ME_51, recipe: me-5.1,          spec: none}\n"
    "  - {name: ME_20, recipe: me-stereo,       spec: none}\n"
    "  - {name: DX_51, recipe: stem, stem: DX,  spec: none}\n"
    "output: out\n";

static bool bed_create(demo_bed *bed, size_t frame_count)
{
    *bed = (demo_bed){.frame_count = frame_count};
    for (int c = 0; c < DEMO_CHANNELS; c++) {
        bed->channels[c] = calloc(frame_count, sizeof(float));
        if (bed->channels[c] == NULL)
            return false;
    }
    return true;
}

static void bed_destroy(demo_bed *bed)
{
    for (int c = 0; c < DEMO_CHANNELS; c++)
        free(bed->channels[c]);
    *bed = (demo_bed){0};
}

/* 24-bit BWF. Samples go over as integers: libsndfile's own float conversion is not exact. */
static status write_wave(const char *path, float *const *channels, int channel_count, size_t frame_count,
                         uint64_t time_reference, const char *description, error_detail *detail)
{
    enum { BLOCK = 4096 };
    SF_INFO info = {.samplerate = DEMO_RATE, .channels = channel_count};
    info.format = (channel_count > 2 ? SF_FORMAT_WAVEX : SF_FORMAT_WAV) | SF_FORMAT_PCM_24;
    SNDFILE *file = sf_open(path, SFM_WRITE, &info);
    if (file == NULL)
        return error_detail_set(detail, STATUS_STORAGE_IO, "cannot write '%s': %s", path, sf_strerror(NULL));
    SF_BROADCAST_INFO bext = {.time_reference_low = (uint32_t)time_reference,
                              .time_reference_high = (uint32_t)(time_reference >> 32),
                              .version = 1};
    snprintf(bext.description, sizeof bext.description, "%s", description);
    memcpy(bext.originator, "reelmill demo", 13);
    memcpy(bext.origination_date, "2026-11-20", 10);
    memcpy(bext.origination_time, "12:00:00", 8);
    sf_command(file, SFC_SET_BROADCAST_INFO, &bext, sizeof bext);
    if (channel_count == 6) {
        int map[6] = {SF_CHANNEL_MAP_LEFT, SF_CHANNEL_MAP_RIGHT,     SF_CHANNEL_MAP_CENTER,
                      SF_CHANNEL_MAP_LFE,  SF_CHANNEL_MAP_REAR_LEFT, SF_CHANNEL_MAP_REAR_RIGHT};
        sf_command(file, SFC_SET_CHANNEL_MAP_INFO, map, sizeof map);
    }
    static int block[BLOCK * DEMO_CHANNELS];
    bool good = true;
    for (size_t first = 0; good && first < frame_count; first += BLOCK) {
        size_t count = frame_count - first < BLOCK ? frame_count - first : BLOCK;
        for (size_t i = 0; i < count; i++)
            for (int c = 0; c < channel_count; c++) {
                double sample = (double)channels[c][first + i];
                sample = sample > 0.99 ? 0.99 : sample < -0.99 ? -0.99 : sample;
                block[i * (size_t)channel_count + (size_t)c] = (int)(sample * 8388608.0) * 256;
            }
        good = sf_writef_int(file, block, (sf_count_t)count) == (sf_count_t)count;
    }
    if (sf_close(file) != 0)
        good = false;
    return good ? STATUS_OK : error_detail_set(detail, STATUS_STORAGE_IO, "cannot write '%s' to its end", path);
}

typedef struct demo_place {
    const char *folder;
    const demo_reel *reel;
    size_t frame_count, ffoa, end;
    uint64_t time_reference;
} demo_place;

static void add_pops(const demo_place *place, float *channel)
{
    demo_pop(channel, place->frame_count, place->ffoa - POP_SECONDS * DEMO_RATE);
    /* Two seconds after the last frame of action, counted as the head pop is: from the frame after it. */
    demo_pop(channel, place->frame_count, place->end + POP_SECONDS * DEMO_RATE - DEMO_RATE / 24);
}

static status write_bed(const demo_place *place, const char *stem, demo_bed *bed, bool multi_mono, error_detail *detail)
{
    static const char *const names[DEMO_CHANNELS] = {"L", "R", "C", "LFE", "Ls", "Rs"};
    char path[PATH_MAX];
    char description[64];
    status code = STATUS_OK;
    add_pops(place, bed->channels[2]);
    snprintf(description, sizeof description, "Night Train %s %s", place->reel->name, stem);
    for (int c = 0; multi_mono && code == STATUS_OK && c < DEMO_CHANNELS; c++) {
        snprintf(path, sizeof path, "%.3000s/stems/%s_%s.%s.wav", place->folder, place->reel->name, stem, names[c]);
        code = write_wave(path, &bed->channels[c], 1, bed->frame_count, place->time_reference, description, detail);
    }
    if (!multi_mono) {
        snprintf(path, sizeof path, "%.3000s/stems/%s_%s_51.wav", place->folder, place->reel->name, stem);
        code = write_wave(path, bed->channels, DEMO_CHANNELS, bed->frame_count, place->time_reference, description, detail);
    }
    return code;
}

static status make_dialogue(const demo_place *place, error_detail *detail)
{
    demo_bed bed;
    status code = bed_create(&bed, place->frame_count) ? STATUS_OK : STATUS_NODE_MEMORY;
    size_t at = place->ffoa + 6 * DEMO_RATE;
    if (code == STATUS_OK)
        demo_room(bed.channels[2], place->ffoa, place->end, place->reel->hour);
    for (int i = 0; code == STATUS_OK && place->reel->lines[i] != NULL; i++)
        at += demo_speak(bed.channels[2], place->end, at, place->reel->lines[i], i % 2 == 0 ? 110.0 : 190.0, 0.55f) +
              5 * DEMO_RATE;
    /* A little room in the other channels. */
    for (size_t i = 2400; code == STATUS_OK && i < place->end; i++)
        for (int c = 0; c < DEMO_CHANNELS; c++)
            if (c != 2 && c != 3)
                bed.channels[c][i] += 0.06f * bed.channels[2][i - (c < 2 ? 900 : 2100) - 8 * (size_t)(c % 2)];
    /* A microphone hears no digital silence: with some voices a word ends as hard as a drop-out does. */
    for (int c = 0; code == STATUS_OK && c < DEMO_CHANNELS; c++)
        if (c != 2 && c != 3)
            demo_room(bed.channels[c], place->ffoa, place->end, place->reel->hour + 31u * (uint32_t)c);
    if (code == STATUS_OK)
        code = write_bed(place, "DX", &bed, false, detail);
    bed_destroy(&bed);
    return code;
}

static status make_beds(const demo_place *place, error_detail *detail)
{
    demo_bed bed;
    status code = bed_create(&bed, place->frame_count) ? STATUS_OK : STATUS_NODE_MEMORY;
    if (code == STATUS_OK) {
        demo_music(&bed, place->ffoa, place->end, place->reel->hour * 31);
        code = write_bed(place, "MX", &bed, true, detail);
    }
    bed_destroy(&bed);
    if (code == STATUS_OK && !bed_create(&bed, place->frame_count))
        code = STATUS_NODE_MEMORY;
    if (code == STATUS_OK) {
        demo_train(&bed, place->ffoa, place->end, place->reel->hour * 17);
        code = write_bed(place, "FX", &bed, false, detail);
    }
    bed_destroy(&bed);
    return code;
}

static status make_narration(const demo_place *place, error_detail *detail)
{
    char path[PATH_MAX];
    float *voice = calloc(place->frame_count, sizeof *voice);
    if (voice == NULL)
        return STATUS_NODE_MEMORY;
    size_t at = place->ffoa + DEMO_RATE;
    for (int i = 0; place->reel->narration[i] != NULL; i++)
        at += demo_speak(voice, place->end, at, place->reel->narration[i], 150.0, 0.5f) + 40 * DEMO_RATE;
    add_pops(place, voice);
    snprintf(path, sizeof path, "%.3000s/stems/%s_AD.wav", place->folder, place->reel->name);
    status code = write_wave(path, &voice, 1, place->frame_count, place->time_reference, "Night Train narration", detail);
    free(voice);
    return code;
}

int command_demo(const cli_arguments *arguments)
{
    char path[PATH_MAX];
    error_detail detail = {.code = STATUS_NODE_MEMORY, .message = "out of memory"};
    const char *folder = arguments->words[0];
    struct stat facts;
    snprintf(path, sizeof path, "%.3000s/show.yaml", folder);
    if (stat(path, &facts) == 0)
        return cli_fail(STATUS_INPUT_CONFLICT, "'%s' exists; choose a folder without a show", path);
    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        return cli_fail(STATUS_STORAGE_DENIED, "cannot make '%s': %s", folder, strerror(errno));
    snprintf(path, sizeof path, "%.3000s/stems", folder);
    if (mkdir(path, 0777) != 0 && errno != EEXIST)
        return cli_fail(STATUS_STORAGE_DENIED, "cannot make '%s': %s", path, strerror(errno));
    for (size_t r = 0; r < REELS; r++) {
        demo_place place = {.folder = folder,
                            .reel = &reels[r],
                            .ffoa = LEADER_SECONDS * DEMO_RATE,
                            .end = (LEADER_SECONDS + reels[r].action_seconds) * (size_t)DEMO_RATE,
                            .time_reference = reels[r].hour * UINT64_C(3600) * DEMO_RATE};
        place.frame_count = place.end + TAIL_SECONDS * DEMO_RATE;
        fprintf(stderr, "writing reel %s\n", reels[r].name);
        status code = make_dialogue(&place, &detail);
        if (code == STATUS_OK)
            code = make_beds(&place, &detail);
        if (code == STATUS_OK)
            code = make_narration(&place, &detail);
        if (code != STATUS_OK)
            return cli_fail_detail(&detail);
    }
    snprintf(path, sizeof path, "%.3000s/show.yaml", folder);
    FILE *file = fopen(path, "we");
    bool good = file != NULL && fputs(show_text, file) >= 0;
    if (file != NULL && fclose(file) != 0)
        good = false;
    if (!good)
        return cli_fail(STATUS_STORAGE_IO, "cannot write '%s': %s", path, strerror(errno));
    fprintf(stderr, "The demo show is %s; render it with: reelmill run %s\n", path, path);
    return EXIT_PASS;
}
