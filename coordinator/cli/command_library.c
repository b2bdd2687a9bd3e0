#include "coordinator/cli/cli.h"
#include "coordinator/cli/job_document_write.h"

#include "coordinator/show/show_file.h"
#include "coordinator/show/spec.h"

#include <stdio.h>
#include <string.h>

static int show_text(const named_text *texts, size_t count, const char *name, const char *kind)
{
    const char *names[256];
    size_t name_count = 0;
    for (size_t i = count; i-- > 0;) { /* a person's own stand behind the shipped ones, and before them */
        if (strcmp(texts[i].name, name) == 0) {
            fwrite(texts[i].text, 1, texts[i].text_size, stdout);
            return EXIT_PASS;
        }
        if (name_count < 256)
            names[name_count++] = texts[i].name;
    }
    const char *near = word_suggest(name, names, name_count);
    return cli_fail(STATUS_INPUT_MISSING, "there is no %s '%s'%s%s%s; `reelmill %ss` lists them", kind, name,
                    near == NULL ? "" : " (did you mean '", near == NULL ? "" : near, near == NULL ? "" : "'?)", kind);
}

/* What ships, and what lies in recipes/ and specs/ here: a show file in this folder would find the same. */
static library library_here(arena *memory)
{
    library here = *library_shipped();
    size_t recipes = 0;
    size_t specs = 0;
    error_detail detail = {0};
    if (library_add_own(&here, ".", &recipes, &specs, memory, &detail) != STATUS_OK)
        fprintf(stderr, "reelmill: %s\n", detail.message);
    return here;
}

int command_recipes(const cli_arguments *arguments)
{
    arena memory;
    arena_init(&memory);
    library here = library_here(&memory);
    if (arguments->word_count == 1) {
        int code = show_text(here.recipes, here.recipe_count, arguments->words[0], "recipe");
        arena_deinit(&memory);
        return code;
    }
    for (size_t i = 0; i < here.recipe_count; i++) {
        recipe read;
        problem_list problems = {0};
        const named_text *text = &here.recipes[i];
        if (recipe_parse(&read, text->name, text->text, text->text_size, text->source, &here, &memory,
                         &problems) == STATUS_OK)
            printf("%-18s %s\n", text->name, read.description == NULL ? "" : read.description);
    }
    arena_deinit(&memory);
    return EXIT_PASS;
}

int command_specs(const cli_arguments *arguments)
{
    arena memory;
    arena_init(&memory);
    library here = library_here(&memory);
    if (arguments->word_count == 1) {
        int code = show_text(here.specs, here.spec_count, arguments->words[0], "spec");
        arena_deinit(&memory);
        return code;
    }
    for (size_t i = 0; i < here.spec_count; i++) {
        spec read;
        problem_list problems = {0};
        const named_text *text = &here.specs[i];
        if (spec_parse(&read, text->name, text->text, text->text_size, text->source, &memory, &problems) == STATUS_OK)
            printf("%-18s %s\n", text->name, read.title == NULL ? "" : read.title);
    }
    arena_deinit(&memory);
    return EXIT_PASS;
}
