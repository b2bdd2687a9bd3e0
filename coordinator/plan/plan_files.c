/* The files that will be delivered: names, headers, sizes. Nothing here knows a clock or a machine. */
#include "coordinator/plan/plan_parts.h"

#include "common/base/ensure.h"
#include "coordinator/show/output_name.h"
#include "proto/message_types.h" /* ROOT_IDENTITY_FILE */

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
    STAGING_SUFFIX_MAX = 14, /**< ".reelmill.part" of the folder */
    PART_SUFFIX_MAX = 48,    /**< ".<16 hex>-<10 digits>-<10 digits>.part" */
    FOLDER_ENTRY_MAX = 255 /**< bytes of one name in a folder (NAME_MAX of Linux) */
};
static const int16_t loudness_not_set = 0x7FFF; /* EBU Tech 3285 v2 */

bool plan_is_joined(const show *film, uint32_t deliverable_index)
{
    const show_deliverable *deliverable = &film->deliverables[deliverable_index];
    if (!plan_is_by_reel(film, deliverable_index))
        return true; /* a show without named reels has the whole programme only */
    if (deliverable->assembly == ASSEMBLY_RECIPE)
        return deliverable->recipe->joined;
    return deliverable->assembly != ASSEMBLY_REELS;
}

bool plan_is_by_reel(const show *film, uint32_t deliverable_index)
{
    const show_deliverable *deliverable = &film->deliverables[deliverable_index];
    if (film->reel_count == 1 && film->reels[0].name[0] == '\0')
        return false;
    if (deliverable->assembly == ASSEMBLY_RECIPE)
        return deliverable->recipe->reels;
    return deliverable->assembly != ASSEMBLY_JOINED;
}

bool plan_has_control(const show *film, uint32_t deliverable_index)
{
    const recipe *rule = film->deliverables[deliverable_index].recipe;
    return rule != NULL && rule->duck_role != NULL && rule->role_count == 1;
}

/* yyyy-mm-dd from a date of a bext chunk, whatever its separators (Tech 3285 allows - _ : space .); false if it is
 * none. */
static bool date_normalise(const char *date, char out[11])
{
    if (strlen(date) != 10)
        return false;
    for (int i = 0; i < 10; i++) {
        bool separator = i == 4 || i == 7;
        if (separator ? strchr("-_: ./", date[i]) == NULL : (date[i] < '0' || date[i] > '9'))
            return false;
        out[i] = separator ? '-' : date[i];
    }
    out[10] = '\0';
    return strcmp(out, "0000-00-00") != 0;
}

/* hh:mm:ss likewise; empty if it is none. */
static void time_normalise(const char *time, char out[9])
{
    bool good = strlen(time) == 8;
    for (int i = 0; good && i < 8; i++) {
        good = i % 3 == 2 ? strchr("-_: ./", time[i]) != NULL : time[i] >= '0' && time[i] <= '9';
        out[i] = i % 3 == 2 ? ':' : time[i];
    }
    out[good ? 8 : 0] = '\0';
}

/* The show's date and time, else the latest origination in the stems' bext, else empty. */
static void plan_date(const plan *self, char out_date[11], char out_time[9])
{
    snprintf(out_date, 11, "%.10s", self->show->date);
    snprintf(out_time, 9, "%.8s", self->show->time);
    for (uint32_t i = 0; i < self->inputs.count && self->show->date[0] == '\0'; i++) {
        char date[11];
        char time[9];
        const media_bext *bext = &self->facts[i].bext;
        if (self->inputs.items[i].stem < 0 || self->facts[i].outcome != STATUS_OK || !bext->present ||
            !date_normalise(bext->origination_date, date))
            continue;
        time_normalise(bext->origination_time, time);
        int later = strcmp(date, out_date);
        if (later > 0 || (later == 0 && strcmp(time, out_time) > 0)) {
            memcpy(out_date, date, sizeof date);
            memcpy(out_time, time, sizeof time);
        }
    }
}

/* ASCII, as EBU Tech 3285 asks of a bext chunk: Latin letters without accents, '?' for the rest. iXML has the title whole. */
static void field_copy(char *out, size_t out_size, const char *text)
{
    static const char plain[] = "AAAAAAACEEEEIIIIDNOOOOOxOUUUUYTsaaaaaaaceeeeiiiidnooooo/ouuuuyty"  /* U+00C0 */
                                "AaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGgHhHhIiIiIiIiIiIiJjKkkLlLlLlL"  /* U+0100 */
                                "lLlNnNnNnnNnOoOoOoOoRrRrRrSsSsSsSsTtTtTtUuUuUuUuUuUuWwYyYZzZzZzs"; /* U+0140 */
    size_t length = 0;
    for (const uint8_t *at = (const uint8_t *)text; *at != 0 && length + 1 < out_size;) {
        uint32_t letter = (at[0] & 0xE0) == 0xC0 ? (at[0] & 0x1Fu) << 6 | (at[1] & 0x3Fu) : 0;
        out[length++] = at[0] < 0x80 ? (char)at[0] : letter >= 0xC0 && letter < 0x180 ? plain[letter - 0xC0] : '?';
        for (at++; (*at & 0xC0) == 0x80;)
            at++;
    }
    out[length] = '\0';
}

typedef struct file_builder {
    plan *plan;
    const plan_options *options;
    plan_notes *notes;
    char date[11];
    char time[9];
} file_builder;

/* Sample since midnight of a file's first sample. */
static uint64_t file_time_reference(const file_builder *self, const plan_timeline *timeline, int32_t reel_index)
{
    const show *film = plan_timeline_show(self->plan->show, timeline);
    uint64_t joined = timecode_sample_of_frame(plan_joined_start(film), &film->rate, film->sample_rate);
    if (reel_index < 0)
        return joined;
    const show_reel *reel = &film->reels[reel_index];
    if (reel->has_ffoa || reel->has_start)
        return timecode_sample_of_frame(reel->has_ffoa ? reel->ffoa_frame : reel->start_frame, &film->rate,
                                        film->sample_rate);
    return joined + timeline->pieces[reel_index].programme_frame;
}

/* As dbmd counts them. */
static uint8_t dolby_frame_rate(const frame_rate *rate)
{
    static const char *const names[] = {"23.976", "24", "25", "29.97df", "29.97", "30"};
    for (uint8_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(frame_rate_name(rate), names[i]) == 0)
            return (uint8_t)(i + 1);
    return 0;
}

/* The chunks beside bext: iXML, and chna and axml of a bed. They stand before the audio, so its first byte moves back by whole
 * pages. BW64 is the container of BS.2088; Dolby's tools write RIFF, and RF64 where that is too small. */
static void file_chunks_fill(const file_builder *self, plan_file *file)
{
    const plan_deliverable *deliverable = &self->plan->deliverables[file->deliverable];
    const show *film = plan_timeline_show(self->plan->show, &self->plan->timelines[deliverable->timeline]);
    output_header *header = &file->header;
    plan_adm bed = {.flavour = film->deliverables[file->deliverable].recipe->adm,
                    .layout = deliverable->layout,
                    .title = film->title,
                    .frame_count = header->frame_count,
                    .sample_rate = header->sample_rate,
                    .bit_depth = sample_encoding_bits(header->encoding),
                    .dolby_frame_rate = dolby_frame_rate(&film->rate)};
    byte_writer chunks;
    byte_writer_init(&chunks, OUTPUT_HEADER_MAX - 2 * PLAN_DATA_OFFSET);
    if (bed.flavour != ADM_NONE)
        plan_adm_chunks(&bed, &chunks);
    plan_ixml_chunk(self->plan, file, &chunks);
    ENSURE(!chunks.failed); /* a bed of LAYOUT_CHANNELS_MAX channels takes a third of that, iXML some pages */
    header->chunks_size = (uint32_t)chunks.size;
    header->chunks = (const uint8_t *)arena_copy_bytes(&self->plan->arena, chunks.bytes, chunks.size);
    header->plain_format = bed.flavour != ADM_NONE;
    header->data_offset = (uint32_t)((chunks.size + PLAN_DATA_OFFSET / 2 + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES);
    byte_writer_deinit(&chunks);
}

/* Tells why a file cannot have the leader that its recipe asks for. */
static void leader_complain(const file_builder *self, const plan_file *file, const char *why)
{
    const show *film = self->plan->show;
    const show_deliverable *deliverable = &film->deliverables[file->deliverable];
    const recipe *rule = deliverable->recipe;
    problem_list_add(self->notes->list, self->notes->arena, PROBLEM_ERROR, film->file_name, deliverable->line, deliverable->column,
                     "deliverable %s cannot have the leader that recipe %s %s (`leader: %s`): %s, or write `leader: strip`",
                     deliverable->name, rule->name, rule->leader ? "makes" : "keeps", rule->leader ? "make" : "keep", why);
}

/* What neither a made leader nor a kept one goes with; NULL: nothing. */
static const char *leader_forbidden(const file_builder *self, const plan_file *file)
{
    const show *film = self->plan->show;
    channel_layout_id layout = self->plan->deliverables[file->deliverable].layout;
    if (film->rate.num == 0)
        return "the show has no frame rate, so the length of a pop is not known; state frame_rate";
    if (plan_has_control(film, file->deliverable))
        return "it has control data, which begins with the programme; take `duck` out of it";
    return layout == LAYOUT_DCP_5_1 || layout == LAYOUT_DCP_7_1 ? "it is a cinema package, which holds the programme alone" : NULL;
}

/* Frames behind LFOA in the longest of a reel's files that the deliverable takes. */
static uint64_t kept_tail(const file_builder *self, const plan_file *file, const plan_timeline *timeline, const plan_piece *piece)
{
    const plan *made = self->plan;
    const show *film = plan_timeline_show(made->show, timeline);
    uint64_t longest = 0;
    for (uint32_t i = 0; i < made->inputs.count; i++) {
        const plan_input *input = &made->inputs.items[i];
        const media_facts *facts = &timeline->placed[i];
        int64_t position = 0;
        if (input->stem < 0 || made->facts[i].outcome != STATUS_OK || !plan_input_of_reel(film, input) ||
            (input->reel >= 0 && input->reel != (int32_t)piece->reel) ||
            !plan_takes_stem(made->show, file->deliverable, (uint32_t)input->stem) ||
            !plan_stem_position(film, input, facts, piece->reel, piece->programme_frame, &position))
            continue;
        int64_t behind = (int64_t)facts->frame_count - position - (int64_t)piece->frame_count;
        if (behind > 0 && (uint64_t)behind > longest)
            longest = (uint64_t)behind;
    }
    return longest;
}

/* The stems' own leader and tail: from the reel's `start`, and to the end of its longest file. */
static void file_leader_keep(const file_builder *self, plan_file *file, const plan_timeline *timeline)
{
    const show *film = plan_timeline_show(self->plan->show, timeline);
    output_header *header = &file->header;
    const plan_piece *first = &timeline->pieces[file->reel < 0 ? 0 : (uint32_t)file->reel];
    const plan_piece *last = &timeline->pieces[file->reel < 0 ? timeline->piece_count - 1 : (uint32_t)file->reel];
    const show_reel *reel = &film->reels[first->reel];
    const char *why = leader_forbidden(self, file);
    bool begins = reel->has_start && reel->has_ffoa && reel->ffoa_frame >= reel->start_frame;
    uint64_t pictures = begins ? reel->ffoa_frame - reel->start_frame : 0;
    uint64_t head = timecode_sample_of_frame(pictures, &film->rate, film->sample_rate);
    uint64_t tail = kept_tail(self, file, timeline, last);
    uint64_t most = (uint64_t)PLAN_KEPT_SECONDS_MAX * film->sample_rate;
    if (why == NULL && !(reel->has_start && reel->has_ffoa && film->reels[last->reel].has_lfoa))
        why = "a reel has no start, ffoa or lfoa, so it is not known what of its files is leader; state them";
    if (why == NULL && (head > most || tail > most))
        why = "the stems have more than 120 s before ffoa or behind lfoa; deliver them cut, or correct the timecodes";
    if (why == NULL && header->bext.time_reference < head)
        why = "its leader would begin the day before; give later timecodes";
    if (why != NULL) {
        leader_complain(self, file, why);
        return;
    }
    header->leader = (output_leader){
        .head_frames = (uint32_t)head, .tail_frames = (uint32_t)tail, .silent_channel = header->channel_count};
    header->frame_count += head + tail;
    header->bext.time_reference -= head;
}

/*
 * A leader as recipes make it: silence of 8 s, and before it as much as the recipe leaves for a slate, with a pop of one
 * picture frame 2 s before FFOA, and a tail of 4 s with one 2 s after LFOA, the last frame of action; seconds as timecode
 * counts them. The file begins so much earlier.
 */
static void file_leader_make(const file_builder *self, plan_file *file, const plan_timeline *timeline)
{
    const show *film = plan_timeline_show(self->plan->show, timeline);
    const plan_deliverable *planned = &self->plan->deliverables[file->deliverable];
    output_header *header = &file->header;
    const char *why = leader_forbidden(self, file);
    uint32_t second = film->rate.nominal;
    uint32_t seconds = PLAN_LEADER_SECONDS + film->deliverables[file->deliverable].recipe->slate_seconds;
    uint32_t head = (uint32_t)timecode_sample_of_frame((uint64_t)seconds * second, &film->rate, film->sample_rate);
    if (why == NULL && header->bext.time_reference < head)
        why = arena_format(self->notes->arena,
                           "its programme begins earlier than %u s after midnight, so the leader would begin the day before; give "
                           "later timecodes", seconds);
    if (why != NULL) {
        leader_complain(self, file, why);
        return;
    }
    uint64_t pictures = timecode_frame_of_sample(header->frame_count, &film->rate, film->sample_rate);
    uint64_t rest = header->frame_count - timecode_sample_of_frame(pictures, &film->rate, film->sample_rate);
    uint64_t tail_picture = ((uint64_t)seconds + 2) * second + pictures - 1;
    uint64_t tail_pop = timecode_sample_of_frame(tail_picture, &film->rate, film->sample_rate);
    header->leader = (output_leader){
        .head_frames = head,
        .tail_frames = (uint32_t)timecode_sample_of_frame(4 * second, &film->rate, film->sample_rate),
        .head_pop = (uint32_t)timecode_sample_of_frame(((uint64_t)seconds - 2) * second, &film->rate, film->sample_rate),
        .tail_pop = (uint32_t)(tail_pop + rest - head - header->frame_count),
        .pop_frames = (uint32_t)timecode_sample_of_frame(1, &film->rate, film->sample_rate),
        .silent_channel = header->channel_count};
    for (uint32_t i = 0; i < header->channel_count - planned->object_count; i++)
        if ((file->channel != CHANNEL_NONE ? file->channel : planned->order.labels[i]) == CHANNEL_LFE)
            header->leader.silent_channel = i;
    header->frame_count += (uint64_t)header->leader.head_frames + header->leader.tail_frames;
    header->bext.time_reference -= head;
}

static void file_header_fill(const file_builder *self, plan_file *file)
{
    const show *film = self->plan->show;
    const plan_deliverable *deliverable = &self->plan->deliverables[file->deliverable];
    const plan_timeline *timeline = &self->plan->timelines[deliverable->timeline];
    const channel_layout *layout = channel_layout_get(deliverable->layout);
    output_header *header = &file->header;
    bool mono = file->channel != CHANNEL_NONE;

    header->encoding = deliverable->encoding;
    header->sample_rate = deliverable->sample_rate;
    header->channel_count = mono ? 1 : layout->channel_count + deliverable->object_count;
    header->frame_count = file->reel < 0 ? timeline->frame_count : timeline->pieces[file->reel].frame_count;
    /* A mask is only written where the file's order is the one that the mask means. */
    channel_order masked;
    if (header->channel_count > 2 && channel_order_from_mask(deliverable->layout, layout->wave_mask, &masked) &&
        channel_order_equal(&masked, &deliverable->order))
        header->channel_mask = layout->wave_mask;

    header->bext = (media_bext){.present = true,
                                .version = 2,
                                .time_reference = file_time_reference(self, timeline, file->reel),
                                .loudness_value = loudness_not_set,
                                .loudness_range = loudness_not_set,
                                .max_true_peak_level = loudness_not_set,
                                .max_momentary_loudness = loudness_not_set,
                                .max_short_term_loudness = loudness_not_set};
    if (film->deliverables[file->deliverable].recipe->leader)
        file_leader_make(self, file, timeline);
    if (film->deliverables[file->deliverable].recipe->keeps_leader)
        file_leader_keep(self, file, timeline);
    const char *language = film->deliverables[file->deliverable].language;
    const char *reel = file->reel < 0 ? "" : film->reels[file->reel].name;
    char text[TITLE_MAX_BYTES + 4 * NAME_MAX_BYTES];
    snprintf(text, sizeof text, "%s, %s%s%s%s%s%s%s", film->title, film->deliverables[file->deliverable].name,
             language[0] == '\0' ? "" : ", ", language, reel[0] == '\0' ? "" : ", reel ", reel, mono ? ", " : "",
             mono ? channel_label_name(file->channel) : "");
    field_copy(header->bext.description, sizeof header->bext.description, text);
    field_copy(header->bext.originator, sizeof header->bext.originator, "reelmill");
    memcpy(header->bext.origination_date, self->date, sizeof self->date);
    memcpy(header->bext.origination_time, self->time, sizeof self->time);
    /* EBU R 98: algorithm, sampling frequency, word length, mode, text. */
    const char *mode = header->channel_count == 1 ? "mono" : header->channel_count == 2 ? "stereo" : "multi";
    snprintf(header->coding_history, sizeof header->coding_history, "A=PCM,F=%u,W=%u,M=%s,T=reelmill\r\n",
             header->sample_rate, sample_encoding_bits(header->encoding), mode);
    file_chunks_fill(self, file);
    plan_object_sources(self->plan, file->deliverable, header);

    uint64_t data = header->frame_count * header->channel_count * sample_encoding_bytes(header->encoding);
    file->file_size = header->data_offset + data + data % 2;
    if (film->deliverables[file->deliverable].recipe->adm == ADM_EBU)
        header->container = CONTAINER_BW64;
    else
        header->container = file->file_size > UINT32_MAX ? CONTAINER_RF64 : CONTAINER_WAV;
}

/* A folder of that name would keep workers from telling what the root is. */
static bool leads_through_root_mark(const char *path)
{
    size_t size = sizeof ROOT_IDENTITY_FILE - 1;
    for (const char *at = strstr(path, ROOT_IDENTITY_FILE); at != NULL; at = strstr(at + 1, ROOT_IDENTITY_FILE))
        if ((at == path || at[-1] == '/') && at[size] == '/')
            return true;
    return false;
}

/* OUT/<SLUG>/<version>/<deliverable>/ and the name by the recipe's template; no two files of a deliverable have one name. */
static void file_name_fill(const file_builder *self, plan_file *file)
{
    const show *film = self->plan->show;
    const show_deliverable *deliverable = &film->deliverables[file->deliverable];
    const plan_place *out = &self->options->out;
    const char *reel = file->reel < 0 ? "" : film->reels[file->reel].name;
    const char *channel = file->channel == CHANNEL_NONE ? "" : channel_label_name(file->channel);
    const char *const values[OUTPUT_NAME_WORDS] = {film->slug, film->version, deliverable->name,
                                                   deliverable->language, reel, channel};
    const char *template = deliverable->recipe->file_name == NULL ? OUTPUT_NAME_DEFAULT : deliverable->recipe->file_name;
    const char *name = output_name_make(template, values, &self->plan->arena);
    file->display = arena_format(&self->plan->arena, "%s/%s/%s/%s", film->slug, film->version, deliverable->name, name);
    for (const plan_file *other = &self->plan->files[self->plan->deliverables[file->deliverable].first_file]; other < file; other++)
        if (strcasecmp(other->display, file->display) == 0) {
            problem_list_add(self->notes->list, self->notes->arena, PROBLEM_ERROR, film->file_name, deliverable->line,
                             deliverable->column,
                             "two files of deliverable %s would be called \"%s\" by the file_name of its recipe; add {_reel} or "
                             "{.channel} to it",
                             deliverable->name, name);
            return;
        }
    const char *path =
        arena_format(&self->plan->arena, "%s%s%s", out->prefix, out->prefix[0] == '\0' ? "" : "/", file->display);
    if (strlen(path) + STAGING_SUFFIX_MAX + PART_SUFFIX_MAX >= PATH_MAX_BYTES ||
        strlen(name) + PART_SUFFIX_MAX > FOLDER_ENTRY_MAX || name[0] == '.' || leads_through_root_mark(path) ||
        !task_path_valid(path)) {
        problem_list_add(
            self->notes->list, self->notes->arena, PROBLEM_ERROR, film->file_name, deliverable->line,
            deliverable->column,
            "deliverable %s would be written as \"%s\", which is too long, hidden or no valid path; shorten slug, names or "
            "the output folder",
            deliverable->name, path);
        return;
    }
    snprintf(file->final.root, sizeof file->final.root, "%s", out->root);
    snprintf(file->final.path, sizeof file->final.path, "%s", path);
}

/* One programme or reel of a deliverable: one file, or one per channel. */
static void file_set_add(const file_builder *self, uint32_t deliverable_index, int32_t reel)
{
    plan *target = self->plan;
    plan_deliverable *deliverable = &target->deliverables[deliverable_index];
    const channel_layout *layout = channel_layout_get(deliverable->layout);
    bool multi_mono = target->show->deliverables[deliverable_index].recipe->multi_mono;
    uint32_t count = multi_mono ? layout->channel_count : 1;
    for (uint32_t i = 0; i < count; i++) {
        plan_file *file = &target->files[target->file_count++];
        *file = (plan_file){.deliverable = (uint16_t)deliverable_index,
                            .reel = reel,
                            .channel = multi_mono ? layout->labels[i] : CHANNEL_NONE};
        file_header_fill(self, file);
        file_name_fill(self, file);
        deliverable->file_count++;
    }
}

/* What a cinema package takes: 48 or 96 kHz, a frame rate of DCI, and reels of whole picture frames. */
static void check_cinema(const file_builder *self, uint32_t index)
{
    const show_deliverable *deliverable = &self->plan->show->deliverables[index];
    const plan_deliverable *planned = &self->plan->deliverables[index];
    const plan_timeline *timeline = &self->plan->timelines[planned->timeline];
    const show *film = plan_timeline_show(self->plan->show, timeline);
    static const uint32_t rates[] = {24, 25, 30, 48, 50, 60};
    bool known = false;
    if (planned->layout != LAYOUT_DCP_5_1 && planned->layout != LAYOUT_DCP_7_1)
        return;
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++)
        known = known || (film->rate.den == 1 && film->rate.num == rates[i]);
    if (!known || (planned->sample_rate != 48000 && planned->sample_rate != 96000)) {
        problem_list_add(self->notes->list, self->notes->arena, PROBLEM_ERROR, film->file_name, deliverable->line,
                         deliverable->column,
                         "deliverable %s is a cinema package at %s frames per second and %u Hz; packages are made at 24, 25, 30, "
                         "48, 50 or 60 and at 48000 or 96000 Hz: convert the show first",
                         deliverable->name, frame_rate_name(&film->rate), planned->sample_rate);
        return;
    }
    uint32_t samples = planned->sample_rate / film->rate.num;
    for (uint32_t i = 0; i < timeline->piece_count; i++)
        if (timeline->pieces[i].frame_count % samples != 0)
            problem_list_add(self->notes->list, self->notes->arena, PROBLEM_ERROR, film->file_name, deliverable->line,
                             deliverable->column,
                             "deliverable %s is a cinema package, and reel %s has %llu samples, which are no whole number of "
                             "picture frames of %u; state ffoa and lfoa of the reel",
                             deliverable->name, film->reels[timeline->pieces[i].reel].name,
                             (unsigned long long)timeline->pieces[i].frame_count, samples);
}

/* A receiver reads control data along with one file of the whole narration. */
static void check_control(const file_builder *self, uint32_t index)
{
    const show *film = self->plan->show;
    const show_deliverable *deliverable = &film->deliverables[index];
    if (plan_has_control(film, index) && (!plan_is_joined(film, index) || self->plan->deliverables[index].layout != LAYOUT_MONO))
        problem_list_add(self->notes->list, self->notes->arena, PROBLEM_ERROR, film->file_name, deliverable->line,
                         deliverable->column,
                         "deliverable %s is a narration with control data, which goes with one joined file in mono; let its "
                         "assembly be joined or both and its layout mono, or take `duck` out of recipe %s",
                         deliverable->name, deliverable->recipe->name);
}

void plan_make_files(plan *self, const plan_options *options, const bool *wanted, plan_notes *notes)
{
    const show *film = self->show;
    file_builder builder = {.plan = self, .options = options, .notes = notes};
    plan_date(self, builder.date, builder.time);
    size_t capacity = 0;
    for (uint32_t i = 0; i < film->deliverable_count; i++)
        if (wanted[i] && self->deliverables[i].rendered)
            capacity +=
                (size_t)(1 + film->reel_count) * channel_layout_get(self->deliverables[i].layout)->channel_count;
    self->files = arena_take_array(&self->arena, capacity, sizeof *self->files);
    for (uint32_t i = 0; i < film->deliverable_count; i++) {
        if (!wanted[i] || !self->deliverables[i].rendered)
            continue;
        check_cinema(&builder, i);
        check_control(&builder, i);
        self->deliverables[i].first_file = self->file_count;
        if (plan_is_joined(film, i))
            file_set_add(&builder, i, -1);
        for (uint32_t reel = 0; plan_is_by_reel(film, i) && reel < film->reel_count; reel++)
            file_set_add(&builder, i, (int32_t)reel);
    }
}
