#define _GNU_SOURCE
#include "coordinator/cli/job_document_write.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

status read_text_file(const char *path, size_t size_max, arena *memory, const char **out_text, size_t *out_size,
                      error_detail *detail)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0)
        return error_detail_set(detail, errno == ENOENT ? STATUS_INPUT_MISSING : STATUS_INPUT_INVALID,
                                "cannot read '%s': %s", path, strerror(errno));
    struct stat facts;
    status code = STATUS_OK;
    if (fstat(descriptor, &facts) != 0 || !S_ISREG(facts.st_mode))
        code = error_detail_set(detail, STATUS_INPUT_INVALID, "'%s' is no regular file", path);
    else if ((uint64_t)facts.st_size > size_max)
        code = error_detail_set(detail, STATUS_LIMIT, "'%s' has %lld bytes; at most %zu are allowed", path,
                                (long long)facts.st_size, size_max);
    size_t size = 0;
    char *text = code == STATUS_OK ? arena_take(memory, (size_t)facts.st_size + 1) : NULL;
    while (code == STATUS_OK && size < (size_t)facts.st_size) {
        ssize_t part = read(descriptor, text + size, (size_t)facts.st_size - size);
        if (part < 0 && errno == EINTR)
            continue;
        if (part <= 0)
            break;
        size += (size_t)part;
    }
    close(descriptor);
    if (code == STATUS_OK) {
        *out_text = text;
        *out_size = size;
    }
    return code;
}

/* An absolute path of folder/path (or path alone when absolute), without resolving links of what does not exist yet. */
static const char *join_path(arena *memory, const char *folder, const char *path)
{
    if (path[0] == '/')
        return arena_copy_text(memory, path);
    if (strcmp(path, ".") == 0 || path[0] == '\0')
        return arena_copy_text(memory, folder);
    return arena_format(memory, "%s%s%s", folder, strcmp(folder, "/") == 0 ? "" : "/", path);
}

static int text_order(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Adds every NAME.yaml of a folder beside the show file; a folder that is not there is fine. */
static status add_own_texts(const char *folder, const named_text **texts, size_t *count, size_t *own_count, arena *memory,
                            error_detail *detail)
{
    enum { OWN_TEXTS_MAX = 256 };
    *own_count = 0;
    DIR *directory = opendir(folder);
    if (directory == NULL)
        return STATUS_OK;
    const char **names = arena_take_array(memory, OWN_TEXTS_MAX, sizeof *names);
    size_t name_count = 0;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL && name_count < OWN_TEXTS_MAX;) {
        size_t length = strlen(entry->d_name);
        if (length > 5 && entry->d_name[0] != '.' && strcmp(entry->d_name + length - 5, ".yaml") == 0)
            names[name_count++] = arena_copy_text(memory, entry->d_name);
    }
    closedir(directory);
    if (name_count > 1)
        qsort(names, name_count, sizeof *names, text_order);
    named_text *all = arena_take_array(memory, *count + name_count, sizeof *all);
    if (*count > 0)
        memcpy(all, *texts, *count * sizeof *all);
    for (size_t i = 0; i < name_count; i++) {
        const char *path = arena_format(memory, "%s/%s", folder, names[i]);
        named_text *text = &all[*count + i];
        status code = read_text_file(path, SHOW_TEXT_MAX, memory, &text->text, &text->text_size, detail);
        if (code != STATUS_OK)
            return code;
        text->name = arena_copy_bytes(memory, names[i], strlen(names[i]) - 5);
        text->source = path;
    }
    *texts = all;
    *count += name_count;
    *own_count = name_count;
    return STATUS_OK;
}

status library_add_own(library *self, const char *folder, size_t *out_recipes, size_t *out_specs, arena *memory,
                       error_detail *detail)
{
    status code = add_own_texts(arena_format(memory, "%s/recipes", folder), &self->recipes, &self->recipe_count, out_recipes,
                                memory, detail);
    if (code == STATUS_OK)
        code = add_own_texts(arena_format(memory, "%s/specs", folder), &self->specs, &self->spec_count, out_specs, memory,
                             detail);
    return code;
}

status loaded_show_read(loaded_show *out_loaded, const char *path, const char *out_override, arena *memory,
                        error_detail *detail)
{
    loaded_show loaded = {.display = path};
    *out_loaded = loaded;
    status code = read_text_file(path, SHOW_TEXT_MAX, memory, &loaded.text, &loaded.text_size, detail);
    if (code != STATUS_OK)
        return code;
    char *resolved = realpath(path, NULL);
    if (resolved == NULL)
        return error_detail_set(detail, STATUS_INPUT_MISSING, "cannot read '%s': %s", path, strerror(errno));
    loaded.folder = arena_copy_text(memory, dirname(resolved));
    free(resolved);
    loaded.library = *library_shipped();
    code = library_add_own(&loaded.library, loaded.folder, &loaded.own_recipe_count, &loaded.own_spec_count, memory, detail);
    if (code != STATUS_OK)
        return code;
    problem_list problems = {0};
    code = show_file_parse(&loaded.show, loaded.text, loaded.text_size, path, memory, &problems);
    bool parsed = code == STATUS_OK;
    if (parsed)
        code = show_resolve(&loaded.show, &loaded.library, memory, &problems);
    if (problems.count > 0)
        fputs(problem_list_text(&problems, memory), stderr);
    loaded.problems = problems;
    *out_loaded = loaded;
    if (code != STATUS_OK)
        error_detail_set(detail, code, "%s", ""); /* all is said */
    if (!parsed)
        return code;
    loaded.media_folder = join_path(memory, loaded.folder, loaded.show.media);
    char working[PATH_MAX];
    if (out_override != NULL && getcwd(working, sizeof working) != NULL)
        loaded.out_folder = join_path(memory, working, out_override);
    else
        loaded.out_folder = join_path(memory, loaded.folder, loaded.show.output);
    *out_loaded = loaded;
    return code;
}

static json_t *place_json(const plan_place *place)
{
    return json_pack("{s:s, s:s}", "root", place->root, "prefix", place->prefix);
}

static json_t *texts_json(const named_text *texts, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_pack("{s:s, s:s%, s:s}", "name", texts[i].name, "text", texts[i].text,
                                              texts[i].text_size, "source", texts[i].source));
    return list;
}

/* Takes document. */
static const char *dump_document(json_t *document, const job_options *options, arena *memory)
{
    json_object_set_new(document, "reelmill", json_integer(1));
    json_object_set_new(document, "kind", json_string(options->kind));
    json_object_set_new(document, "places",
                        json_pack("{s:o, s:o}", "media", place_json(&options->media), "out", place_json(&options->out)));
    json_object_set_new(document, "options",
                        json_pack("{s:b, s:s?, s:i, s:s?, s:s?, s:b, s:b, s:I, s:i}", "replace", options->replace ? 1 : 0, "only", options->only,
                                  "cells_per_task", (int)options->cells_per_task, "meter", options->meter, "checks", options->checks,
                                  "figures_only", options->figures_only ? 1 : 0, "audition",
                                  options->audition ? 1 : 0, "deadline", (json_int_t)options->deadline,
                                  "at_once", (int)options->at_once));
    char *text = json_dumps(document, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(document);
    const char *kept = text != NULL && strlen(text) <= JOB_DOCUMENT_MAX ? arena_copy_text(memory, text) : NULL;
    free(text);
    return kept;
}

const char *job_document_of_show(const loaded_show *loaded, const job_options *options, arena *memory)
{
    const library *all = &loaded->library;
    json_t *document = json_object();
    json_object_set_new(document, "show",
                        json_pack("{s:s, s:s%}", "name", loaded->display, "text", loaded->text, loaded->text_size));
    json_object_set_new(document, "recipes",
                        texts_json(all->recipes + all->recipe_count - loaded->own_recipe_count, loaded->own_recipe_count));
    json_object_set_new(document, "specs",
                        texts_json(all->specs + all->spec_count - loaded->own_spec_count, loaded->own_spec_count));
    return dump_document(document, options, memory);
}

const char *job_document_of_files(const qc_files *files, const job_options *options, arena *memory)
{
    json_t *document = json_object();
    json_t *list = json_array();
    for (uint32_t i = 0; i < files->file_count; i++)
        json_array_append_new(list, json_string(files->files[i]));
    json_object_set_new(document, "qc",
                        json_pack("{s:o, s:s, s:s?, s:s?, s:s?}", "files", list, "spec", files->spec_name, "layout",
                                  files->layout, "order", files->order, "frame_rate", files->frame_rate));
    if (files->left_out != NULL)
        json_object_set_new(json_object_get(document, "qc"), "left_out", files->left_out);
    named_text own = {.name = files->spec_name, .text = files->spec_text, .text_size = files->spec_text_size,
                      .source = files->spec_name};
    json_object_set_new(document, "recipes", json_array());
    json_object_set_new(document, "specs", texts_json(&own, files->spec_text == NULL ? 0 : 1));
    return dump_document(document, options, memory);
}
