#define _GNU_SOURCE
#include "coordinator/cli/cli.h"

#include "coordinator/cli/audio_folder.h"
#include "coordinator/cli/farm_job.h"
#include "coordinator/cli/job_document_write.h"
#include "coordinator/show/show_init.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { SUBMIT_MS = 30000, ASK_MS = 30000, INIT_FILES_MAX = 4096 };

/* Workers open the files: a job that only probes them. */
static status probe_files(const cli_arguments *arguments, const char *folder, const audio_folder *names, arena *memory,
                          json_t **out_result, error_detail *detail)
{
    private_farm *farm = NULL;
    farm_client *client = NULL;
    json_t *job = NULL;
    char *text = NULL;
    size_t size = 0;
    private_farm_root roots[1] = {{.name = "media", .directory = folder}};
    qc_files request = {.file_count = names->count, .files = names->items, .spec_name = "none"};
    job_options options = {.kind = "check", .media = {.root = "media"}, .out = {.root = "media"}};
    farm_job_watch watch = {.quiet = true, .title = "init"};
    const char *document = job_document_of_files(&request, &options, memory);
    status code = document == NULL ? error_detail_set(detail, STATUS_LIMIT, "'%s' has too many files for one job", folder)
                                   : farm_job_start_private(arguments, roots, 1, &farm, &client, detail);
    if (code == STATUS_OK)
        code = farm_client_submit(client, document, strlen(document), 0, NULL, SUBMIT_MS, &watch.job, detail);
    watch.client = client;
    watch.farm = farm;
    if (code == STATUS_OK)
        code = farm_job_follow(&watch, &job, detail);
    if (code == STATUS_OK)
        code = farm_client_query(client, "result", watch.job, ASK_MS, &text, &size, detail);
    *out_result = text == NULL ? NULL : json_loadb(text, size, 0, NULL);
    if (code == STATUS_OK && *out_result == NULL)
        code = error_detail_set(detail, STATUS_PEER_MALFORMED, "the coordinator's answer is no JSON");
    free(text);
    json_decref(job);
    farm_client_destroy(&client);
    private_farm_stop(&farm);
    return code;
}

/* The inputs of the result in the form of the guesser, in order of their names. */
static size_t take_facts(const json_t *result, const audio_folder *names, init_file *files)
{
    for (uint32_t i = 0; i < names->count; i++)
        files[i] = (init_file){.path = names->items[i]};
    size_t index;
    const json_t *input;
    json_array_foreach (json_object_get(result, "inputs"), index, input) {
        const char *path = json_string_value(json_object_get(input, "path"));
        const char **found = NULL;
        if (path != NULL)
            found = bsearch(&path, names->items, names->count, sizeof *names->items, audio_folder_order);
        if (found == NULL)
            continue;
        init_file *file = &files[found - names->items];
        const json_t *reference = json_object_get(input, "time_reference");
        file->channel_count = (uint32_t)json_integer_value(json_object_get(input, "channels"));
        file->sample_rate = (uint32_t)json_integer_value(json_object_get(input, "sample_rate"));
        /* Zero is what programs write that know no time of day. */
        file->has_time_reference = json_number_value(reference) > 0.0;
        file->time_reference = (uint64_t)json_number_value(reference);
    }
    return names->count;
}

static status write_new_file(const char *path, const char *text, error_detail *detail)
{
    int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor < 0)
        return error_detail_set(detail, errno == EEXIST ? STATUS_INPUT_CONFLICT : STATUS_STORAGE_DENIED,
                                errno == EEXIST ? "'%s' exists already and is not touched; move it away first"
                                                : "cannot write '%s'", path);
    size_t size = strlen(text);
    bool good = write(descriptor, text, size) == (ssize_t)size;
    if (close(descriptor) == 0 && good)
        return STATUS_OK;
    unlink(path);
    return error_detail_set(detail, STATUS_STORAGE_IO, "cannot write '%s': %s", path, strerror(errno));
}

/* What a folder may say of the title: its own name, or its parent's where its own says what any show's folder may. */
static const char *title_of(const char *folder, arena *memory)
{
    static const char *const general[] = {"stems", "audio", "media", "wav", "wavs", "mix", "mixes", "delivery"};
    const char *name = strrchr(folder, '/') + 1;
    for (size_t i = 0; i < sizeof general / sizeof general[0]; i++) {
        if (strcasecmp(name, general[i]) != 0 || name - folder < 3)
            continue;
        const char *parent = arena_copy_bytes(memory, folder, (size_t)(name - folder) - 1);
        return strrchr(parent, '/') + 1;
    }
    return name;
}

static status make_show(const cli_arguments *arguments, arena *memory, error_detail *detail)
{
    const char *path = arena_format(memory, "%s/show.yaml", arguments->words[0]);
    char *folder = realpath(arguments->words[0], NULL);
    if (folder == NULL)
        return error_detail_set(detail, STATUS_INPUT_MISSING, "cannot read '%s': %s", arguments->words[0], strerror(errno));
    const char *name = title_of(folder, memory);
    audio_folder names;
    audio_folder_list(&names, folder, INIT_FILES_MAX, memory);
    fputs(audio_folder_left_out(&names, arguments->words[0], memory), stderr);
    json_t *result = NULL;
    const char *text = NULL;
    problem_list notes = {0};
    status code = STATUS_OK;
    if (access(path, F_OK) == 0)
        code = error_detail_set(detail, STATUS_INPUT_CONFLICT, "'%s' exists already and is not touched; move it away first",
                                path);
    else if (names.too_large)
        code = error_detail_set(detail, STATUS_LIMIT, "'%s' holds more than %d entries; run init on the folder of one show",
                                arguments->words[0], INIT_FILES_MAX * AUDIO_FOLDER_ENTRIES);
    else if (names.too_many)
        code = error_detail_set(detail, STATUS_LIMIT, "'%s' holds more than %d audio files; run init on the folder of one show",
                                arguments->words[0], INIT_FILES_MAX);
    else if (names.count == 0)
        code = error_detail_set(detail, STATUS_INPUT_MISSING,
                                "there is no audio file in '%s'; run init on the folder that holds the stems",
                                arguments->words[0]);
    if (code == STATUS_OK)
        code = probe_files(arguments, folder, &names, memory, &result, detail);
    if (code == STATUS_OK) {
        init_file *files = arena_take_array(memory, names.count, sizeof *files);
        size_t count = take_facts(result, &names, files);
        code = show_init_text(files, count, name, memory, &text, &notes);
        fputs(problem_list_text(&notes, memory), stderr);
        if (code != STATUS_OK)
            (void)error_detail_set(detail, code, "no show file was written for '%s'", arguments->words[0]);
    }
    if (code == STATUS_OK)
        code = write_new_file(path, text, detail);
    if (code == STATUS_OK)
        printf("%s\n", path);
    json_decref(result);
    free(folder);
    return code;
}

int command_init(const cli_arguments *arguments)
{
    arena memory;
    error_detail detail;
    arena_init(&memory);
    status code = make_show(arguments, &memory, &detail);
    int exit_code = code == STATUS_OK ? EXIT_PASS : cli_fail_detail(&detail);
    if (code == STATUS_OK)
        fprintf(stderr, "Look it over, then: reelmill check %s/show.yaml\n", arguments->words[0]);
    arena_deinit(&memory);
    return exit_code;
}
