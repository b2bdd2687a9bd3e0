#include "tests/unit/plan/show_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static uint64_t frame_of(const frame_rate *rate, const char *text)
{
    uint64_t frame = 0;
    assert_int_equal(timecode_parse(text, rate, &frame, NULL), STATUS_OK);
    return frame;
}

static show_reel reel_of(const frame_rate *rate, const char *name, const char *start, const char *ffoa,
                         const char *lfoa)
{
    return (show_reel){.name = name,
                       .start_frame = frame_of(rate, start),
                       .has_start = true,
                       .ffoa_frame = frame_of(rate, ffoa),
                       .has_ffoa = true,
                       .lfoa_frame = frame_of(rate, lfoa),
                       .has_lfoa = true,
                       .line = 20};
}

static show_stem stem_of(const char *name, stem_role role, const char *role_name, channel_layout_id layout,
                         const char *file)
{
    show_stem stem = {.name = name,
                      .role = role,
                      .role_name = role_name,
                      .layout = layout,
                      .file = file,
                      .per_reel = strstr(file, "{reel}") != NULL,
                      .multi_mono = strstr(file, "{ch}") != NULL,
                      .language = "",
                      .line = 10};
    channel_order_of(layout, ORDER_SMPTE, &stem.order);
    return stem;
}

static void recipes_init(show_fixture *self)
{
    static const double half_power = 0.70710678118654752440; /* sqrt(1/2) */
    self->printmaster = (recipe){.name = "printmaster-5.1",
                                 .layout = LAYOUT_5_1,
                                 .role_count = 3,
                                 .roles = {"dialogue", "music", "effects"},
                                 .encoding = ENCODING_PCM_24,
                                 .joined = true};
    self->music_and_effects = self->printmaster;
    self->music_and_effects.name = "me-5.1";
    self->music_and_effects.role_count = 2;
    self->music_and_effects.roles[0] = "music";
    self->music_and_effects.roles[1] = "effects";
    self->stereo = self->printmaster;
    self->stereo.name = "stereo-loro";
    self->stereo.layout = LAYOUT_STEREO;
    self->stereo.via = LAYOUT_5_1;
    const fold_term folds[] = {{CHANNEL_L, CHANNEL_L, 1.0, false},         {CHANNEL_C, CHANNEL_L, half_power, false},
                               {CHANNEL_LS, CHANNEL_L, half_power, false}, {CHANNEL_R, CHANNEL_R, 1.0, false},
                               {CHANNEL_C, CHANNEL_R, half_power, false},  {CHANNEL_RS, CHANNEL_R, half_power, false}};
    memcpy(self->stereo.folds, folds, sizeof folds);
    self->stereo.fold_count = sizeof folds / sizeof folds[0];
    self->single = (recipe){.name = "stem", .takes_stem = true, .encoding = ENCODING_PCM_24, .reels = true};
}

void show_fixture_init(show_fixture *self, const char *rate_name, uint32_t sample_rate)
{
    *self = (show_fixture){.media = {.root = "media", .prefix = "stems"}};
    arena_init(&self->memory);
    frame_rate rate = {0};
    assert_int_equal(frame_rate_parse(rate_name, &rate), STATUS_OK);
    self->film = (show){.file_name = "show.yaml",
                        .title = "Night Train",
                        .slug = "NIGHT_TRAIN",
                        .version = "v03",
                        .date = "",
                        .time = "",
                        .rate = rate,
                        .sample_rate = sample_rate,
                        .media = "stems",
                        .stem_count = FIXTURE_STEMS,
                        .stems = self->stems,
                        .reel_count = 2,
                        .reels = self->reels,
                        .deliverables = self->deliverables,
                        .output = "out"};
    self->stems[STEM_DX] = stem_of("DX", ROLE_DIALOGUE, "dialogue", LAYOUT_5_1, "{reel}_DX_51.wav");
    self->stems[STEM_DX].language = "en";
    self->stems[STEM_MX] = stem_of("MX", ROLE_MUSIC, "music", LAYOUT_5_1, "{reel}_MX.{ch}.wav");
    self->stems[STEM_FX] = stem_of("FX", ROLE_EFFECTS, "effects", LAYOUT_5_1, "{reel}_FX.wav");
    self->stems[STEM_AD] = stem_of("AD", ROLE_NARRATION, "narration", LAYOUT_MONO, "AD_LONGPLAY.wav");
    self->stems[STEM_AD].align_bext = true;
    self->stems[STEM_AD].language = "en";
    /* design.md section 9 */
    self->reels[0] = reel_of(&rate, "R1", "01:00:00:00", "01:00:08:00", "01:19:12:10");
    self->reels[1] = reel_of(&rate, "R2", "02:00:00:00", "02:00:08:00", "02:18:40:02");
    recipes_init(self);
    self->options = (plan_options){.slot_count = 4, .out = {.root = "out", .prefix = "delivery"}};
}

void show_fixture_deinit(show_fixture *self)
{
    plan_destroy(&self->made);
    assert_null(self->made);
    arena_deinit(&self->memory);
}

void show_fixture_without_reels(show_fixture *self)
{
    self->film.reel_count = 1;
    self->reels[0] = (show_reel){.name = ""};
}

show_deliverable *show_fixture_render(show_fixture *self, const char *name, const recipe *recipe_used)
{
    show_deliverable *deliverable = &self->deliverables[self->film.deliverable_count++];
    *deliverable = (show_deliverable){.name = name,
                                      .recipe_name = recipe_used->name,
                                      .recipe = recipe_used,
                                      .spec_name = "none",
                                      .language = "",
                                      .line = 30};
    return deliverable;
}

show_deliverable *show_fixture_receive(show_fixture *self, const char *name, const char *file, channel_layout_id layout)
{
    show_deliverable *deliverable = &self->deliverables[self->film.deliverable_count++];
    *deliverable = (show_deliverable){
        .name = name, .file = file, .layout = layout, .spec_name = "none", .language = "", .line = 40};
    return deliverable;
}

/* A file that begins at the reel's start and ends two seconds behind its LFOA. */
static uint64_t reel_file_frames(const show_fixture *self, const show_reel *reel)
{
    const frame_rate *rate = &self->film.rate;
    if (!reel->has_lfoa)
        return 1000000;
    uint64_t pictures = reel->lfoa_frame + 1 + 2 * (uint64_t)rate->nominal - reel->start_frame;
    return timecode_sample_of_frame(pictures, rate, self->film.sample_rate);
}

static uint64_t programme_frames(const show_fixture *self)
{
    uint64_t pictures = 0;
    for (uint32_t i = 0; i < self->film.reel_count; i++)
        pictures += self->reels[i].lfoa_frame + 1 - self->reels[i].ffoa_frame;
    return self->reels[0].has_lfoa ? timecode_sample_of_frame(pictures, &self->film.rate, self->film.sample_rate)
                                   : 1000000;
}

void show_fixture_probe(show_fixture *self)
{
    assert_int_equal(plan_list_inputs(&self->inputs, &self->film, &self->media, &self->memory, &self->problems),
                     STATUS_OK);
    self->facts = arena_take_array(&self->memory, self->inputs.count, sizeof *self->facts);
    for (uint32_t i = 0; i < self->inputs.count; i++) {
        const plan_input *input = &self->inputs.items[i];
        media_facts *facts = &self->facts[i];
        channel_layout_id layout = input->stem >= 0          ? self->stems[input->stem].layout
                                   : input->deliverable >= 0 ? self->deliverables[input->deliverable].layout
                                                             : self->film.reference_layout;
        *facts = (media_facts){.container = CONTAINER_WAV,
                               .encoding = ENCODING_PCM_24,
                               .valid_bits = 24,
                               .sample_rate = self->film.sample_rate,
                               .channel_count =
                                   input->channel != CHANNEL_NONE ? 1 : channel_layout_get(layout)->channel_count,
                               .data_offset = 44,
                               .direct = true};
        facts->frame_count = input->reel >= 0             ? reel_file_frames(self, &self->reels[input->reel])
                             : self->film.reel_count == 1 ? reel_file_frames(self, &self->reels[0])
                                                          : programme_frames(self);
        facts->identity = (media_identity){.dev = 1, .ino = 100 + i};
        facts->identity.size = 44 + facts->frame_count * facts->channel_count * 3;
        if (input->stem >= 0 && self->stems[input->stem].align_bext) {
            facts->bext.present = true; /* the programme's first frame: 01:00:00:00 */
            facts->bext.time_reference = timecode_sample_of_frame(frame_of(&self->film.rate, "01:00:00:00"),
                                                                  &self->film.rate, self->film.sample_rate);
        }
    }
}

media_facts *show_fixture_facts(show_fixture *self, const char *display)
{
    for (uint32_t i = 0; i < self->inputs.count; i++)
        if (strcmp(self->inputs.items[i].display, display) == 0)
            return &self->facts[i];
    fail_msg("no input is called %s", display);
    return NULL;
}

status show_fixture_plan(show_fixture *self)
{
    plan_destroy(&self->made);
    self->problems = (problem_list){0};
    return plan_create(&self->made, &self->film, &self->inputs, self->facts, &self->options, 7, &self->memory,
                       &self->problems);
}

uint32_t show_fixture_said(const show_fixture *self, problem_severity severity, const char *first, const char *second)
{
    uint32_t count = 0;
    for (size_t i = 0; i < self->problems.count; i++) {
        const problem *said = &self->problems.items[i];
        count +=
            said->severity == severity && strstr(said->message, first) != NULL && strstr(said->message, second) != NULL;
    }
    return count;
}
