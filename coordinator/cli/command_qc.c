#define _GNU_SOURCE
#include "coordinator/cli/cli.h"

#include "coordinator/cli/audio_folder.h"
#include "coordinator/cli/farm_job.h"
#include "coordinator/cli/file_replace.h"
#include "coordinator/cli/job_document_write.h"
#include "coordinator/cli/qc_left_out.h"
#include "coordinator/cli/qc_table.h"
#include "coordinator/cli/utf8_text.h"
#include "coordinator/show/check_names.h"

#include "common/base/plain_text.h"
#include "proto/task_body.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SUBMIT_MS = 300000, ASK_MS = 300000 }; /* of one's own farm: a catalogue takes its time on a machine that is busy */

/* What a job is about: files as the person named them, folders opened up. */
typedef struct qc_words {
    uint32_t count;
    const char **given;  /* as named */
    const char **inside; /* relative to the media root */
    json_t *unnamed;     /* programmes of files that a report cannot name */
    json_t *names;       /* by `inside`: the names given for it, in order; a link and what it leads to are one file */
} qc_words;

static status expand_folders(const cli_arguments *arguments, arena *memory, qc_words *out_words, error_detail *detail)
{
    out_words->given = arena_take_array(memory, JOB_FILES_MAX, sizeof *out_words->given);
    for (uint32_t i = 0; i < arguments->word_count; i++) {
        const char *word = arguments->words[i];
        struct stat facts;
        audio_folder found = {.count = 1, .items = &word};
        bool folder = stat(word, &facts) == 0 && S_ISDIR(facts.st_mode);
        if (folder)
            audio_folder_list(&found, word, JOB_FILES_MAX, memory);
        fputs(audio_folder_left_out(&found, word, memory), stderr);
        if (found.too_large)
            return error_detail_set(detail, STATUS_LIMIT,
                                    "the folder '%s' holds more than %d entries; judge the folders in it in several goes", word,
                                    JOB_FILES_MAX * AUDIO_FOLDER_ENTRIES);
        if (found.count == 0)
            return error_detail_set(detail, STATUS_INPUT_MISSING, "there is no audio file in the folder '%s'", word);
        if (found.too_many || found.count > JOB_FILES_MAX - out_words->count)
            return error_detail_set(detail, STATUS_LIMIT, "more than %d files are given; judge them in several goes",
                                    JOB_FILES_MAX);
        for (uint32_t k = 0; k < found.count; k++)
            out_words->given[out_words->count++] =
                folder ? arena_format(memory, "%s%s%s", word, word[strlen(word) - 1] == '/' ? "" : "/", found.items[k])
                       : word;
    }
    return STATUS_OK;
}

/* The deepest folder that holds every file becomes the media root; files are then named relative to it. */
static status place_files(qc_words *words, arena *memory, const char **out_root, error_detail *detail)
{
    uint32_t count = words->count;
    const char **files = arena_take_array(memory, count, sizeof *files);
    for (uint32_t i = 0; i < count; i++) {
        char *resolved = realpath(words->given[i], NULL);
        if (resolved == NULL)
            return error_detail_set(detail, STATUS_INPUT_MISSING, "cannot read '%s': %s", words->given[i],
                                    strerror(errno));
        files[i] = arena_copy_text(memory, resolved);
        free(resolved);
    }
    size_t common = (size_t)(strrchr(files[0], '/') - files[0]);
    for (uint32_t i = 1; i < count; i++) {
        while (common > 0 && (strncmp(files[0], files[i], common) != 0 || files[i][common] != '/'))
            do
                common--;
            while (common > 0 && files[0][common] != '/');
    }
    *out_root = common == 0 ? "/" : arena_copy_bytes(memory, files[0], common);
    for (uint32_t i = 0; i < count; i++)
        files[i] += common + 1;
    words->count = 0;
    words->unnamed = json_array();
    for (uint32_t i = 0; i < count; i++) {
        char *shown = arena_copy_text(memory, utf8_escaped(words->given[i], memory));
        plain_text_disarm(shown);
        const char *wrong = !utf8_is_valid(files[i])     ? "is not UTF-8"
                            : !task_path_valid(files[i]) ? "holds a control character"
                                                         : NULL;
        if (wrong == NULL) {
            words->given[words->count] = words->given[i];
            files[words->count++] = files[i];
            continue;
        }
        error_detail_set(detail, STATUS_INPUT_INVALID,
                         "the name of the file '%s' %s, and a report cannot name it; rename it, or leave it out", shown, wrong);
        json_array_append_new(words->unnamed, qc_left_out_name(shown, detail->message));
    }
    if (words->count == 0)
        return STATUS_INPUT_INVALID;
    for (size_t i = 0; i < json_array_size(words->unnamed); i++)
        fprintf(stderr, "reelmill: error: %s\n", json_string_value(json_object_get(json_array_get(words->unnamed, i), "failure")));
    words->inside = files;
    words->names = json_object();
    for (uint32_t i = 0; i < words->count; i++) {
        json_t *names = json_object_get(words->names, files[i]);
        if (names == NULL) {
            names = json_array();
            json_object_set_new(words->names, files[i], names);
        }
        json_array_append_new(names, json_string(utf8_escaped(words->given[i], memory)));
    }
    return STATUS_OK;
}

/* Leaves only findings of the wanted kinds ("loudness,peak"); figures stay, and verdicts follow what is left. */
static const char *worst_of(const json_t *findings)
{
    static const char *const severities[] = {"fail", "not_checked", "warn"};
    static const char *const verdicts[] = {"fail", "incomplete", "warn"};
    for (size_t s = 0; s < 3; s++) {
        size_t index;
        const json_t *item;
        json_array_foreach (findings, index, item)
            if (!json_is_object(json_object_get(item, "waiver")) &&
                strcmp(json_string_value(json_object_get(item, "severity")), severities[s]) == 0)
                return verdicts[s];
    }
    return "pass";
}

static bool kind_wanted(const char *check, const char *kinds)
{
    char kind[NAME_MAX_BYTES];
    snprintf(kind, sizeof kind, "%.*s", (int)strcspn(check, "."), check);
    return check_names_has_kind(kinds, kind);
}

static void keep_checks(json_t *report, const char *kinds)
{
    static const char *const order[] = {"pass", "warn", "incomplete", "fail"};
    size_t worst = 0;
    size_t index;
    json_t *programme;
    json_array_foreach (json_object_get(report, "programmes"), index, programme) {
        json_t *findings = json_object_get(programme, "findings");
        if (json_is_string(json_object_get(programme, "reel")))
            continue; /* figures of a reel have no verdict */
        for (size_t i = json_array_size(findings); i-- > 0;)
            if (!kind_wanted(json_string_value(json_object_get(json_array_get(findings, i), "check")), kinds))
                json_array_remove(findings, i);
        const char *verdict = worst_of(findings);
        if (!json_is_null(json_object_get(programme, "failure")) && json_object_get(programme, "failure") != NULL)
            verdict = "incomplete";
        json_object_set_new(programme, "verdict", json_string(verdict));
        for (size_t v = 0; v < 4; v++)
            if (strcmp(order[v], verdict) == 0 && v > worst)
                worst = v;
    }
    json_object_set_new(report, "verdict", json_string(order[worst]));
}

/* The report's paths are those of the command line; inside the farm they are relative to the media root. Programmes of one
 * file stand in the order of its names. */
static void paths_as_given(json_t *report, const json_t *names)
{
    size_t index;
    size_t place;
    json_t *item;
    json_t *path;
    json_array_foreach (json_object_get(report, "files"), index, item) {
        json_t *word = json_array_get(json_object_get(names, json_string_value(json_object_get(item, "path"))), 0);
        if (word != NULL)
            json_object_set(item, "path", word);
    }
    json_array_foreach (json_object_get(report, "programmes"), index, item) {
        json_t *files = json_object_get(item, "files");
        json_array_foreach (files, place, path) {
            json_t *words = json_object_get(names, json_string_value(path));
            if (json_array_size(words) == 0)
                continue;
            json_array_set(files, place, json_array_get(words, 0));
            if (json_array_size(words) > 1)
                json_array_remove(words, 0);
        }
    }
}

static status write_file(const char *folder, const char *name, const char *text, size_t size, error_detail *detail)
{
    char path[PATH_MAX];
    if ((size_t)snprintf(path, sizeof path, "%s/%s", folder, name) >= sizeof path)
        return error_detail_set(detail, STATUS_LIMIT, "the name of the report folder is too long");
    return file_replace(path, text, size, detail);
}

/* What is kept beside report.json, as the farm made it. */
static status keep_documents(farm_client *client, uint32_t job, const char *folder, error_detail *detail)
{
    static const char *const names[] = {"report.html", "report.pdf", "measures.bin"};
    status code = STATUS_OK;
    for (size_t i = 0; code == STATUS_OK && i < sizeof names / sizeof names[0]; i++) {
        char *bytes = NULL;
        size_t size = 0;
        code = farm_client_query(client, names[i], job, ASK_MS, &bytes, &size, detail);
        if (code == STATUS_OK)
            code = write_file(folder, names[i], bytes, size, detail);
        free(bytes);
    }
    return code;
}

static status make_out_folder(const char *folder, error_detail *detail)
{
    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        return error_detail_set(detail, STATUS_STORAGE_DENIED, "cannot make '%s': %s", folder, strerror(errno));
    return STATUS_OK;
}

/* Workers write audition audio themselves, so its folder is there before they start. */
static status prepare_audition(const cli_arguments *arguments, private_farm_root *root, error_detail *detail)
{
    const char *folder = cli_text(arguments, "out");
    if (folder == NULL)
        return error_detail_set(detail, STATUS_INPUT_INVALID, "--audition writes beside the report: say where with --out DIR");
    *root = (private_farm_root){.name = "out", .directory = folder, .writable = true};
    return make_out_folder(folder, detail);
}

static int show_report(const cli_arguments *arguments, farm_client *client, uint32_t job, const json_t *left_out,
                       const qc_words *words)
{
    error_detail detail;
    char *text = NULL;
    size_t size = 0;
    status code = farm_client_query(client, "report.json", job, ASK_MS, &text, &size, &detail);
    if (code != STATUS_OK)
        return cli_fail_detail(&detail);
    json_t *report = json_loadb(text, size, 0, NULL);
    free(text);
    qc_left_out_add(report, left_out);
    paths_as_given(report, words->names);
    if (cli_text(arguments, "checks") != NULL)
        keep_checks(report, cli_text(arguments, "checks"));
    text = json_dumps(report, JSON_INDENT(1) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(12));
    const char *verdict = json_string_value(json_object_get(report, "verdict"));
    int exit_code = strcmp(verdict, "pass") == 0 || strcmp(verdict, "warn") == 0 ? EXIT_PASS : EXIT_QC;
    const char *folder = cli_text(arguments, "out");
    if (folder != NULL) {
        code = make_out_folder(folder, &detail);
        if (code == STATUS_OK)
            code = write_file(folder, "report.json", text, strlen(text), &detail);
        if (code == STATUS_OK)
            code = keep_documents(client, job, folder, &detail);
        if (code != STATUS_OK)
            exit_code = cli_fail_detail(&detail);
    }
    if (cli_flag(arguments, "json")) /* behind the documents: nobody may be listening any more */
        puts(text);
    else
        qc_table_print(report);
    free(text);
    json_decref(report);
    return exit_code;
}

/* kind: qc, or check, which only looks at the files. */
static status files_document(const cli_arguments *arguments, const char *kind, const qc_words *words, const json_t *left_out,
                             arena *memory, const char **out_document, error_detail *detail)
{
    status code = STATUS_OK;
    qc_files request = {.file_count = words->count,
                        .files = words->inside,
                        .spec_name = cli_text(arguments, "spec") == NULL ? "none" : cli_text(arguments, "spec"),
                        .layout = cli_text(arguments, "layout"),
                        .order = cli_text(arguments, "order"),
                        .frame_rate = cli_text(arguments, "frame-rate")};
    size_t length = strlen(request.spec_name);
    if (length > 5 && strcmp(request.spec_name + length - 5, ".yaml") == 0) {
        code = read_text_file(request.spec_name, SHOW_TEXT_MAX, memory, &request.spec_text,
                                     &request.spec_text_size, detail);
        if (code != STATUS_OK)
            return code;
        const char *slash = strrchr(request.spec_name, '/');
        const char *base = slash == NULL ? request.spec_name : slash + 1;
        request.spec_name = arena_copy_bytes(memory, base, strlen(base) - 5);
    }
    job_options options = {.kind = kind,
                           .cells_per_task = cli_number(arguments, "cells-per-task", 0),
                           .meter = cli_text(arguments, "meter"),
                           .checks = cli_text(arguments, "checks"),
                           .figures_only = cli_text(arguments, "out") == NULL,
                           .media = {.root = "media"},
                           .audition = cli_flag(arguments, "audition"),
                           .out = {.root = "media"}};
    if (options.audition)
        options.out = (plan_place){.root = "out"};
    request.left_out = json_array();
    qc_left_out_tell(request.left_out, left_out);
    qc_left_out_tell(request.left_out, words->unnamed);
    *out_document = job_document_of_files(&request, &options, memory);
    return *out_document == NULL ? error_detail_set(detail, STATUS_LIMIT, "the list of files is too long for one job")
                                 : STATUS_OK;
}

static status prepare_files(const cli_arguments *arguments, arena *memory, const char **out_root, qc_words *words,
                            const char **out_document, error_detail *detail)
{
    if (arguments->word_count == 0)
        return error_detail_set(detail, STATUS_INPUT_MISSING, "no file is given; `reelmill qc FILE...`");
    status code = expand_folders(arguments, memory, words, detail);
    if (code == STATUS_OK)
        code = place_files(words, memory, out_root, detail);
    return code == STATUS_OK ? files_document(arguments, "qc", words, NULL, memory, out_document, detail) : code;
}

/* The received programmes of a show, by name: what `only` wants. */
static const char *received_names(const show *source, arena *memory)
{
    const char *names = "";
    for (uint32_t i = 0; i < source->deliverable_count; i++)
        if (source->deliverables[i].file != NULL)
            names = arena_format(memory, "%s%s%s", names, names[0] == '\0' ? "" : ",", source->deliverables[i].name);
    return names;
}

static status prepare_show(const cli_arguments *arguments, arena *memory, const char **out_root, const char **out_document,
                           error_detail *detail)
{
    static const char *const says_the_show[] = {"spec", "layout", "order", "frame-rate"};
    loaded_show loaded;
    for (size_t i = 0; i < sizeof says_the_show / sizeof says_the_show[0]; i++)
        if (cli_text(arguments, says_the_show[i]) != NULL)
            return error_detail_set(detail, STATUS_INPUT_INVALID, "--%s has no place beside --show: the show file says it",
                                    says_the_show[i]);
    if (arguments->word_count > 0)
        return error_detail_set(detail, STATUS_INPUT_INVALID,
                                "'%s' has no place beside --show; put it into the show as a deliverable with `file:`",
                                arguments->words[0]);
    status code = loaded_show_read(&loaded, cli_text(arguments, "show"), NULL, memory, detail);
    if (code != STATUS_OK)
        return code;
    job_options options = {.kind = "qc",
                           .only = received_names(&loaded.show, memory),
                           .cells_per_task = cli_number(arguments, "cells-per-task", 0),
                           .meter = cli_text(arguments, "meter"),
                           .checks = cli_text(arguments, "checks"),
                           .figures_only = cli_text(arguments, "out") == NULL,
                           .media = {.root = "media"},
                           .audition = cli_flag(arguments, "audition"),
                           .out = {.root = "media"}};
    if (options.audition)
        options.out = (plan_place){.root = "out"};
    if (options.only[0] == '\0')
        return error_detail_set(detail, STATUS_INPUT_MISSING,
                                "%s names no received programme; give a deliverable `file:` instead of `recipe:`",
                                loaded.display);
    *out_root = loaded.media_folder;
    *out_document = job_document_of_show(&loaded, &options, memory);
    return *out_document == NULL ? error_detail_set(detail, STATUS_LIMIT, "the show file with its specs is too large")
                                 : STATUS_OK;
}

static int exit_code_of(const json_t *job)
{
    return (int)json_integer_value(json_object_get(job, "exit_code"));
}

/* A farm, a job of it, and how that ended. */
typedef struct qc_run {
    private_farm *farm;
    farm_client *client;
    uint32_t number;
    json_t *job;
    json_t *left_out; /* programmes that cannot be judged */
} qc_run;

static status run_document(const cli_arguments *arguments, qc_run *self, const char *document, error_detail *detail)
{
    json_decref(self->job);
    self->job = NULL;
    status code = farm_client_submit(self->client, document, strlen(document), 0, NULL, SUBMIT_MS, &self->number, detail);
    farm_job_watch watch = {.client = self->client, .farm = self->farm, .job = self->number,
                            .quiet = cli_flag(arguments, "verbose"), .title = "qc"};
    return code == STATUS_OK ? farm_job_follow(&watch, &self->job, detail) : code;
}

/*
 * One of many programmes cannot be judged: the others are all the same. Leaves out of the words what a look at the files calls
 * unusable, a set of mono files as a whole, and judges the rest; *out_left_out is 0 where that is no help, and the job
 * stays what it was.
 */
static status judge_readable(const cli_arguments *arguments, qc_run *self, qc_words *words, arena *memory,
                             uint32_t *out_left_out, error_detail *detail)
{
    const char *document = NULL;
    char *text = NULL;
    size_t size = 0;
    qc_run look = {.farm = self->farm, .client = self->client};
    status code = files_document(arguments, "check", words, NULL, memory, &document, detail);
    if (code == STATUS_OK)
        code = run_document(arguments, &look, document, detail);
    json_decref(look.job);
    if (code == STATUS_OK)
        code = farm_client_query(self->client, "result", look.number, ASK_MS, &text, &size, detail);
    if (code != STATUS_OK)
        return code;
    json_t *result = json_loadb(text, size, 0, NULL);
    free(text);
    self->left_out = qc_left_out(result);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < words->count; i++) {
        if (qc_left_out_has(self->left_out, words->inside[i]))
            continue;
        words->given[kept] = words->given[i];
        words->inside[kept++] = words->inside[i];
    }
    json_decref(result);
    *out_left_out = kept > 0 ? words->count - kept : 0;
    words->count = kept;
    if (*out_left_out == 0)
        return STATUS_OK;
    code = files_document(arguments, "qc", words, self->left_out, memory, &document, detail);
    return code == STATUS_OK ? run_document(arguments, self, document, detail) : code;
}

int command_qc(const cli_arguments *arguments)
{
    arena memory;
    error_detail detail;
    qc_run run = {0};
    const char *root = NULL;
    qc_words words = {0};
    const char *document = NULL;
    uint32_t left_out = 0;
    arena_init(&memory);
    status code = cli_text(arguments, "show") != NULL
                      ? prepare_show(arguments, &memory, &root, &document, &detail)
                      : prepare_files(arguments, &memory, &root, &words, &document, &detail);
    private_farm_root roots[2] = {{.name = "media", .directory = root}};
    if (code == STATUS_OK && cli_flag(arguments, "audition"))
        code = prepare_audition(arguments, &roots[1], &detail);
    if (code == STATUS_OK)
        code = farm_job_start_private(arguments, roots, cli_flag(arguments, "audition") ? 2 : 1, &run.farm, &run.client, &detail);
    if (code == STATUS_OK)
        code = run_document(arguments, &run, document, &detail);
    if (code == STATUS_OK) {
        farm_job_print_errors(run.job);
        if (words.count > 1 && exit_code_of(run.job) == EXIT_INPUT)
            code = judge_readable(arguments, &run, &words, &memory, &left_out, &detail);
        if (run.left_out == NULL)
            run.left_out = json_array();
        json_array_extend(run.left_out, words.unnamed);
        left_out += (uint32_t)json_array_size(words.unnamed);
    }
    int exit_code;
    if (code != STATUS_OK) {
        exit_code = cli_fail_detail(&detail);
    } else {
        exit_code = exit_code_of(run.job);
        if (left_out > 0) {
            if (left_out > json_array_size(words.unnamed))
                farm_job_print_errors(run.job);
            fprintf(stderr, "%u file%s cannot be judged, see above; judged are the other %u\n", left_out,
                    left_out == 1 ? "" : "s", words.count);
        }
        if (exit_code == EXIT_PASS || exit_code == EXIT_QC) {
            int shown = show_report(arguments, run.client, run.number, run.left_out, &words);
            exit_code = cli_text(arguments, "checks") != NULL || shown > exit_code ? shown : exit_code;
        }
        if (left_out > 0 && exit_code < EXIT_INPUT)
            exit_code = EXIT_INPUT;
    }
    json_decref(run.job);
    json_decref(run.left_out);
    json_decref(words.unnamed);
    json_decref(words.names);
    farm_client_destroy(&run.client);
    private_farm_stop(&run.farm);
    arena_deinit(&memory);
    return exit_code;
}
