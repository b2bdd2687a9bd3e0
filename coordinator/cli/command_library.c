#define _GNU_SOURCE
#include "coordinator/cli/cli.h"
#include "coordinator/cli/job_document_write.h"

#include "coordinator/show/show_file.h"
#include "coordinator/show/spec.h"

#include <stdio.h>
#include <string.h>

/* The text of that name, or NULL with a sentence. */
static const named_text *find_text(const named_text *texts, size_t count, const char *name, const char *kind)
{
    const char *names[256];
    size_t name_count = 0;
    for (size_t i = count; i-- > 0;) { /* a person's own stand behind the shipped ones, and before them */
        if (strcmp(texts[i].name, name) == 0)
            return &texts[i];
        if (name_count < 256)
            names[name_count++] = texts[i].name;
    }
    const char *near = word_suggest(name, names, name_count);
    (void)cli_fail(STATUS_INPUT_MISSING, "there is no %s '%s'%s%s%s; `reelmill %ss` lists them", kind, name,
                   near == NULL ? "" : " (did you mean '", near == NULL ? "" : near, near == NULL ? "" : "'?)", kind);
    return NULL;
}

static void print_text(const named_text *text)
{
    fwrite(text->text, 1, text->text_size, stdout);
    if (text->text_size > 0 && text->text[text->text_size - 1] != '\n')
        putchar('\n');
    fflush(stdout); /* what is wrong with it stands behind it */
}

/* Problems of a text that somebody wrote, by line and column; the exit code. */
static int print_problems(const problem_list *problems, arena *memory)
{
    if (problems->count > 0)
        fputs(problem_list_text(problems, memory), stderr);
    return problems->error_count > 0 ? EXIT_INPUT : EXIT_PASS;
}

/* Where the rule of an extended recipe comes from, when its own text does not say. */
static void print_inherited_source(const recipe *read, const named_text *text)
{
    if (read->source == NULL || memmem(text->text, text->text_size, "\nsource:", 8) != NULL)
        return;
    puts("# source, of the recipe that it extends:");
    for (const char *at = read->source; *at != '\0'; at += strcspn(at, "\n") + (at[strcspn(at, "\n")] == '\n'))
        cli_print(stdout, "#   %.*s\n", (int)strcspn(at, "\n"), at);
}

/* What ships, and what lies in recipes/ and specs/ here: a show file in this folder would find the same. */
static library library_here(arena *memory)
{
    library here = *library_shipped();
    size_t recipes = 0;
    size_t specs = 0;
    error_detail detail = {0};
    if (library_add_own(&here, ".", &recipes, &specs, memory, &detail) != STATUS_OK)
        cli_print(stderr, "reelmill: %s\n", detail.message);
    return here;
}

int command_recipes(const cli_arguments *arguments)
{
    arena memory;
    arena_init(&memory);
    library here = library_here(&memory);
    bool one = arguments->word_count == 1;
    const named_text *wanted = one ? find_text(here.recipes, here.recipe_count, arguments->words[0], "recipe") : NULL;
    int exit_code = one && wanted == NULL ? EXIT_INPUT : EXIT_PASS;
    for (size_t i = 0; i < here.recipe_count; i++) {
        recipe read;
        problem_list problems = {0};
        const named_text *text = &here.recipes[i];
        if (one && text != wanted)
            continue;
        bool good = recipe_parse(&read, text->name, text->text, text->text_size, text->source, &here, &memory,
                                 &problems) == STATUS_OK;
        if (one)
            print_text(text);
        if (one && good)
            print_inherited_source(&read, text);
        else if (good)
            cli_print(stdout, "%-18s %s\n", text->name, read.description == NULL ? "" : read.description);
        if (print_problems(&problems, &memory) != EXIT_PASS)
            exit_code = EXIT_INPUT;
    }
    arena_deinit(&memory);
    return exit_code;
}

int command_specs(const cli_arguments *arguments)
{
    arena memory;
    arena_init(&memory);
    library here = library_here(&memory);
    bool one = arguments->word_count == 1;
    const named_text *wanted = one ? find_text(here.specs, here.spec_count, arguments->words[0], "spec") : NULL;
    int exit_code = one && wanted == NULL ? EXIT_INPUT : EXIT_PASS;
    for (size_t i = 0; i < here.spec_count; i++) {
        spec read;
        problem_list problems = {0};
        const named_text *text = &here.specs[i];
        if (one && text != wanted)
            continue;
        bool good = spec_parse(&read, text->name, text->text, text->text_size, text->source, &memory, &problems) == STATUS_OK;
        if (one)
            print_text(text);
        else if (good)
            cli_print(stdout, "%-18s %s\n", text->name, read.title == NULL ? "" : read.title);
        if (print_problems(&problems, &memory) != EXIT_PASS)
            exit_code = EXIT_INPUT;
    }
    arena_deinit(&memory);
    return exit_code;
}
