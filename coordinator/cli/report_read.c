#define _GNU_SOURCE
#include "coordinator/cli/report_read.h"

#include "coordinator/cli/farm_job.h"
#include "coordinator/cli/job_selector.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { REPORT_SIZE_MAX = 256 << 20, ASK_MS = 60000 };

/* The job that a word means, or 0. */
static status find_job(farm_client *client, const char *word, arena *memory, uint32_t *out_job, error_detail *detail)
{
    if (job_selector_is_number(word, out_job))
        return STATUS_OK;
    json_t *answer = NULL;
    status code = farm_client_jobs(client, ASK_MS, &answer, detail);
    if (code != STATUS_OK)
        return code;
    const json_t *jobs = json_object_get(answer, "jobs");
    bool *wanted = arena_take_array(memory, json_array_size(jobs) + 1, sizeof *wanted);
    code = job_selector_mark(word, jobs, wanted, detail);
    for (size_t i = json_array_size(jobs); i-- > 0 && code == STATUS_OK;)
        if (wanted[i])
            *out_job = (uint32_t)json_integer_value(json_object_get(json_array_get(jobs, i), "job"));
    json_decref(answer);
    return code;
}

/* A job's document, in memory under a name that can be opened. */
static status fetch(const cli_arguments *arguments, const char *document, arena *memory, const char **out_path,
                    error_detail *detail)
{
    farm_client *client = NULL;
    uint32_t job = 0;
    char *text = NULL;
    size_t size = 0;
    status code = farm_job_connect(arguments, &client, detail);
    if (code == STATUS_OK)
        code = find_job(client, arguments->words[0], memory, &job, detail);
    if (code == STATUS_OK)
        code = farm_client_query(client, document, job, ASK_MS, &text, &size, detail);
    farm_client_destroy(&client);
    int descriptor = code == STATUS_OK ? memfd_create(document, MFD_CLOEXEC) : -1;
    if (code == STATUS_OK) {
        size_t done = 0;
        for (ssize_t part = 1; descriptor >= 0 && part > 0 && done < size; done += part > 0 ? (size_t)part : 0)
            part = write(descriptor, text + done, size - done);
        if (done < size)
            code = error_detail_set(detail, STATUS_NODE_MEMORY, "no memory for '%s': %s", document, strerror(errno));
    }
    free(text);
    if (code == STATUS_OK)
        *out_path = arena_format(memory, "/proc/self/fd/%d", descriptor);
    return code;
}

static bool ends_in(const char *text, const char *ending)
{
    size_t length = strlen(text);
    return length >= strlen(ending) && strcmp(text + length - strlen(ending), ending) == 0;
}

status report_locate(const cli_arguments *arguments, const char *document, arena *memory, const char **out_path, show *title,
                     error_detail *detail)
{
    const char *word = arguments->words[0];
    uint32_t number = 0;
    if (ends_in(word, ".json")) {
        const char *slash = strrchr(word, '/');
        *out_path = strcmp(document, "report.json") == 0
                        ? word
                        : arena_format(memory, "%.*s%s", slash == NULL ? 0 : (int)(slash - word) + 1, word, document);
        return STATUS_OK;
    }
    if ((job_selector_is_number(word, &number) || strcmp(word, "last") == 0) && access(word, F_OK) != 0)
        return fetch(arguments, document, memory, out_path, detail);
    loaded_show loaded;
    status code = loaded_show_read(&loaded, word, NULL, memory, detail);
    if (code != STATUS_OK)
        return code;
    if (title != NULL) {
        title->waivers = loaded.show.waivers;
        title->waiver_count = loaded.show.waiver_count;
    }
    const char *report = report_of_show(&loaded, memory);
    *out_path = arena_format(memory, "%.*s%s", (int)(strrchr(report, '/') - report) + 1, report, document);
    return STATUS_OK;
}

const char *report_of_show(const loaded_show *loaded, arena *memory)
{
    return arena_format(memory, "%s/%s/%s/report/report.json", loaded->out_folder, loaded->show.slug, loaded->show.version);
}

/* The finding of that id in a list of entries that have findings. */
static const json_t *find_in(const json_t *entries, const char *id)
{
    size_t index;
    size_t place;
    const json_t *entry;
    const json_t *item;
    json_array_foreach (entries, index, entry) {
        json_array_foreach (json_object_get(entry, "findings"), place, item) {
            const char *found = json_string_value(json_object_get(item, "id"));
            if (found != NULL && strcmp(found, id) == 0)
                return item;
        }
    }
    return NULL;
}

status report_read(const char *path, arena *memory, json_t **out_document, error_detail *detail)
{
    const char *text = NULL;
    size_t size = 0;
    status code = read_text_file(path, REPORT_SIZE_MAX, memory, &text, &size, detail);
    if (code != STATUS_OK)
        return code;
    json_t *document = json_loadb(text, size, 0, NULL);
    if (!json_is_array(json_object_get(document, "programmes"))) {
        json_decref(document);
        return error_detail_set(detail, STATUS_INPUT_INVALID, "'%s' is no report of reelmill", path);
    }
    *out_document = document;
    return STATUS_OK;
}

status report_read_finding(const char *path, const char *id, arena *memory, json_t **out_document,
                           const json_t **out_finding, error_detail *detail)
{
    json_t *document = NULL;
    status code = report_read(path, memory, &document, detail);
    if (code != STATUS_OK)
        return code;
    const json_t *item = find_in(json_object_get(document, "programmes"), id);
    if (item == NULL)
        item = find_in(json_object_get(document, "stems"), id);
    if (item == NULL) {
        json_decref(document);
        return error_detail_set(detail, STATUS_INPUT_MISSING, "the report has no finding '%s'; its findings carry their ids", id);
    }
    *out_document = document;
    *out_finding = item;
    return STATUS_OK;
}
