/* Two seconds of audio of one finding, cut from the files that its report is about, as `run --audition` would have written them. */
#define _GNU_SOURCE
#include "coordinator/cli/cli.h"
#include "coordinator/cli/executor_once.h"
#include "coordinator/cli/farm_ask.h"
#include "coordinator/cli/farm_job.h"
#include "coordinator/cli/report_read.h"
#include "coordinator/shell/job_measures.h"
#include "coordinator/verdict/finding_places.h"
#include "proto/task_body.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is to be heard, and what is known of it. */
typedef struct audition {
    const cli_arguments *arguments;
    const char *report;     /* path of report.json */
    json_t *document;
    const json_t *programme, *item;
    job_measures measures;
    bool opened;
    uint32_t deliverable;
    task_excerpt wanted;    /* as it goes to the executor */
    private_farm_root roots[2];
} audition;

static const char folder_name[] = "audition";

static status find_item(audition *self, arena *memory, error_detail *detail)
{
    const char *id = self->arguments->words[1];
    size_t index, place;
    const json_t *programme, *item;
    status code = report_read_finding(self->report, id, memory, &self->document, &self->item, detail);
    json_array_foreach (json_object_get(self->document, "programmes"), index, programme)
        json_array_foreach (json_object_get(programme, "findings"), place, item)
            if (item == self->item)
                self->programme = programme;
    if (code == STATUS_OK && self->programme == NULL)
        return error_detail_set(detail, STATUS_INPUT_INVALID,
                                "finding '%s' is about a stem; only places of programmes are cut out: listen to the stem's own file",
                                id);
    if (code == STATUS_OK && !json_is_integer(json_object_get(self->item, "start_sample")))
        return error_detail_set(detail, STATUS_INPUT_INVALID, "finding '%s' is about the whole of %s and has no place to listen to", id,
                                farm_text_of(self->programme, "deliverable"));
    return code;
}

static status find_deliverable(audition *self, error_detail *detail)
{
    const char *name = farm_text_of(self->programme, "deliverable");
    const show *title = &self->measures.source->show;
    const plan_deliverable *planned = self->measures.plan->deliverables;
    while (self->deliverable < title->deliverable_count && strcmp(title->deliverables[self->deliverable].name, name) != 0)
        self->deliverable++;
    if (self->deliverable == title->deliverable_count || planned[self->deliverable].excerpt_task == UINT32_MAX)
        return error_detail_set(detail, STATUS_INPUT_INVALID, "the measures beside the report know no programme '%s'; make the report again",
                                name);
    return STATUS_OK;
}

/* The finding as the verdict had it, as far as its place goes. */
static status find_place(const audition *self, task_place *out_place, error_detail *detail)
{
    const plan *made = self->measures.plan;
    const plan_deliverable *deliverable = &made->deliverables[self->deliverable];
    const plan_timeline *timeline = &made->timelines[deliverable->timeline];
    finding item = {.id = farm_text_of(self->item, "id"), .check = farm_text_of(self->item, "check"), .severity = FINDING_WARN, .has_range = true};
    item.start_sample = (uint64_t)json_integer_value(json_object_get(self->item, "start_sample"));
    item.end_sample = (uint64_t)json_integer_value(json_object_get(self->item, "end_sample"));
    size_t index;
    const json_t *channel;
    json_array_foreach (json_object_get(self->item, "channels"), index, channel)
        if (json_is_string(channel) && item.channel_count < LAYOUT_CHANNELS_MAX)
            item.channels[item.channel_count++] = json_string_value(channel);
    finding_list list = {.items = &item, .count = 1};
    task_place places[TASK_PLACES_MAX];
    if (strspn(item.id, "0123456789abcdef-") != strlen(item.id) || strlen(item.id) >= sizeof places->name ||
        finding_places(&list, deliverable->layout, timeline->frame_count, timeline->sample_rate,
                       &(read_share){.channels = 1, .always = 1}, places) != 1)
        return error_detail_set(detail, STATUS_INPUT_INVALID, "finding '%s' names no place within %s", item.id,
                                farm_text_of(self->programme, "deliverable"));
    *out_place = places[0];
    return STATUS_OK;
}

/* ---- where the folders of the job's roots lie on this machine ---- */

/* `path` without "/<tail>" behind it; NULL where it does not end so. An empty tail ends everything. */
static const char *without(const char *path, const char *tail, arena *memory)
{
    size_t length = strlen(path), size = strlen(tail);
    if (size == 0)
        return path;
    if (length <= size || strcmp(path + length - size, tail) != 0 || path[length - size - 1] != '/')
        return NULL;
    return length == size + 1 ? "/" : arena_copy_bytes(memory, path, length - size - 1);
}

static const char *root_of_farm(const audition *self, const char *name, arena *memory, error_detail *detail)
{
    farm_client *client = NULL;
    json_t *answer = NULL;
    const char *found = NULL;
    size_t index;
    const json_t *root;
    status code = farm_job_connect(self->arguments, &client, detail);
    if (code == STATUS_OK)
        code = farm_ask_json(client, "roots", 0, &answer, detail);
    json_array_foreach (json_object_get(answer, "roots"), index, root)
        if (strcmp(farm_text_of(root, "name"), name) == 0)
            found = arena_copy_text(memory, farm_text_of(root, "path"));
    json_decref(answer);
    farm_client_destroy(&client);
    if (code == STATUS_OK && found == NULL)
        error_detail_set(detail, STATUS_INPUT_MISSING, "the farm has no media root '%s' any more", name);
    return found;
}

/* Of a report on disk: made files lie where it lies, received ones where the show file or the report says. */
static const char *root_of_report(const audition *self, const task_path *file, arena *memory)
{
    const job_document *job = &self->measures.source->document;
    const show *title = &self->measures.source->show;
    const char *given = NULL;
    if (self->measures.plan->deliverables[self->deliverable].rendered) {
        given = arena_format(memory, "%s%s%s/%s/report/report.json", job->out.prefix, job->out.prefix[0] == '\0' ? "" : "/", title->slug,
                             title->version);
        char *report = realpath(self->report, NULL);
        const char *root = report == NULL ? NULL : without(arena_copy_text(memory, report), given, memory);
        free(report);
        return root;
    }
    error_detail ignored = {0};
    loaded_show loaded;
    size_t length = strlen(self->arguments->words[0]);
    if (length < 5 || strcmp(self->arguments->words[0] + length - 5, ".json") != 0)
        return loaded_show_read(&loaded, self->arguments->words[0], NULL, memory, &ignored) == STATUS_OK
                   ? without(loaded.media_folder, job->media.prefix, memory)
                   : NULL;
    size_t index;
    const json_t *path;
    json_array_foreach (json_object_get(self->programme, "files"), index, path) {
        char *resolved = realpath(json_string_value(path), NULL);
        const char *root = resolved == NULL ? NULL : without(arena_copy_text(memory, resolved), file->path, memory);
        free(resolved);
        if (root != NULL)
            return root;
    }
    return NULL;
}

static status find_roots(audition *self, arena *memory, error_detail *detail)
{
    const task_path *file = &self->wanted.parts[0].inputs[0].file;
    bool of_job = strncmp(self->report, "/proc/self/fd/", 14) == 0;
    const char *directory = of_job ? root_of_farm(self, file->root, memory, detail) : root_of_report(self, file, memory);
    if (directory == NULL)
        return of_job ? detail->code
                      : error_detail_set(detail, STATUS_INPUT_MISSING,
                                         "where '%.600s' lies is not known from here: name the show file or the job, or go to the folder in "
                                         "which `qc` was called", file->path);
    self->roots[0] = (private_farm_root){.name = file->root, .directory = directory};
    return STATUS_OK;
}

/* ---- whether these are the bytes that were measured ---- */

static status digest_file(const char *path, content_hash *out_digest, error_detail *detail)
{
    enum { BLOCK_BYTES = 1 << 20 };
    content_hash_stream stream;
    content_hash_stream_init(&stream);
    uint8_t *block = malloc(BLOCK_BYTES);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t taken = block == NULL || descriptor < 0 ? -1 : 1;
    while (taken > 0 && (taken = read(descriptor, block, BLOCK_BYTES)) > 0)
        content_hash_stream_add(&stream, block, (size_t)taken);
    status code = taken == 0 ? STATUS_OK
                             : error_detail_set(detail, STATUS_INPUT_MISSING, "cannot read '%.600s': %s", path, strerror(errno));
    if (descriptor >= 0)
        (void)close(descriptor);
    free(block);
    *out_digest = content_hash_stream_digest(&stream);
    return code;
}

/* A received file is known by its identity, which the executor looks at; a published one by its digest. A file that is not there
 * or has another size is for the executor to tell. */
static status check_bytes(const audition *self, arena *memory, error_detail *detail)
{
    const plan *made = self->measures.plan;
    const plan_deliverable *planned = &made->deliverables[self->deliverable];
    for (uint32_t p = 0; planned->rendered && p < self->wanted.part_count; p++)
        for (uint32_t k = 0; k < self->wanted.parts[p].input_count; k++) {
            const task_path *file = &self->wanted.parts[p].inputs[k].file;
            const char *path = arena_format(memory, "%s/%s", self->roots[0].directory, file->path);
            for (uint32_t i = planned->first_file; i < planned->first_file + planned->file_count; i++) {
                const file_outcome *outcome = &self->measures.input.files[i];
                struct stat found;
                content_hash digest;
                if (!outcome->verified || without(path, made->files[i].display, memory) == NULL || stat(path, &found) != 0 ||
                    (uint64_t)found.st_size != made->files[i].file_size)
                    continue;
                status code = digest_file(path, &digest, detail);
                if (code != STATUS_OK)
                    return code;
                if (!content_hash_equal(&digest, &outcome->digests.file_digest))
                    return error_detail_set(detail, STATUS_INPUT_INVALID,
                                            "'%.600s' is not the file that was judged: its bytes are others since; put that one back, or run the "
                                            "job again and listen to what it finds", path);
            }
        }
    return STATUS_OK;
}

/* ---- the cut ---- */

static status make_task(audition *self, byte_writer *body, arena *memory, error_detail *detail)
{
    const plan *made = self->measures.plan;
    task_place place;
    task_body decoded;
    task_path folder = {.root = "audition"};
    memcpy(folder.path, folder_name, sizeof folder_name);
    status code = find_place(self, &place, detail);
    if (code != STATUS_OK)
        return code;
    plan_context context = {.place_count = 1, .places = &place, .audition = &folder, .published = true};
    code = plan_task_body(made, made->deliverables[self->deliverable].excerpt_task - made->first_task, &context, body);
    if (code == STATUS_OK)
        code = task_body_decode(&decoded, TASK_EXCERPT, body->bytes, body->size, memory);
    if (code != STATUS_OK || decoded.excerpt.part_count == 0)
        return error_detail_set(detail, code == STATUS_OK ? STATUS_INPUT_INVALID : code, "the place cannot be asked for: %s",
                                status_text(code));
    self->wanted = decoded.excerpt;
    return find_roots(self, memory, detail);
}

static status cut(audition *self, arena *memory, error_detail *detail)
{
    const char *out = cli_text(self->arguments, "out") == NULL ? "." : cli_text(self->arguments, "out");
    byte_writer body, payload;
    byte_writer_init(&body, FRAME_BYTES_MAX);
    byte_writer_init(&payload, FRAME_BYTES_MAX);
    status code = make_task(self, &body, memory, detail);
    if (code == STATUS_OK)
        code = check_bytes(self, memory, detail);
    if (code == STATUS_OK && mkdir(out, 0777) != 0 && errno != EEXIST)
        code = error_detail_set(detail, STATUS_STORAGE_DENIED, "cannot make '%s': %s", out, strerror(errno));
    self->roots[1] = (private_farm_root){.name = "audition", .directory = out, .writable = true};
    if (code == STATUS_OK)
        code = executor_once(TASK_EXCERPT, &body, 2, self->roots, &payload, detail);
    task_excerpt_result result = {0};
    if (code == STATUS_OK)
        code = task_excerpt_result_decode(&result, payload.bytes, payload.size, memory);
    if (code == STATUS_OK && (result.count == 0 || result.items[0].audition_size == 0))
        code = error_detail_set(detail, STATUS_INPUT_MISSING, "%s", result.failure);
    if (code == STATUS_OK)
        cli_print(stdout, "%s/%s/%s.wav\n", out, folder_name, farm_text_of(self->item, "id"));
    byte_writer_deinit(&body);
    byte_writer_deinit(&payload);
    return code;
}

int command_audition(const cli_arguments *arguments)
{
    arena memory;
    arena_init(&memory);
    error_detail detail = {0};
    audition *self = arena_take(&memory, sizeof *self);
    const char *measures = NULL;
    self->arguments = arguments;
    status code = report_locate(arguments, "report.json", &memory, &self->report, NULL, &detail);
    if (code == STATUS_OK)
        code = find_item(self, &memory, &detail);
    if (code == STATUS_OK)
        code = report_locate(arguments, "measures.bin", &memory, &measures, NULL, &detail);
    if (code == STATUS_OK)
        code = job_measures_open(&self->measures, measures, &detail);
    self->opened = code == STATUS_OK;
    if (code == STATUS_OK)
        code = find_deliverable(self, &detail);
    if (code == STATUS_OK)
        code = cut(self, &memory, &detail);
    if (self->opened)
        job_measures_close(&self->measures);
    json_decref(self->document);
    arena_deinit(&memory);
    return code == STATUS_OK ? EXIT_PASS : cli_fail_detail(&detail);
}
