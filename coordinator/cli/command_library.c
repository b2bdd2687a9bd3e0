#include "coordinator/cli/cli.h"

#include "coordinator/show/show_file.h"
#include "coordinator/show/spec.h"

#include <stdio.h>
#include <string.h>

static int show_text(const named_text *texts, size_t count, const char *name, const char *kind)
{
    const char *names[256];
    size_t name_count = 0;
    for (size_t i = 0; i < count; i++) {
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

int command_recipes(const cli_arguments *arguments)
{
    const library *shipped = library_shipped();
    if (arguments->word_count == 1)
        return show_text(shipped->recipes, shipped->recipe_count, arguments->words[0], "recipe");
    arena memory;
    arena_init(&memory);
    for (size_t i = 0; i < shipped->recipe_count; i++) {
        recipe read;
        problem_list problems = {0};
        const named_text *text = &shipped->recipes[i];
        if (recipe_parse(&read, text->name, text->text, text->text_size, text->source, shipped, &memory,
                         &problems) == STATUS_OK)
            printf("%-18s %s\n", text->name, read.description == NULL ? "" : read.description);
    }
    arena_deinit(&memory);
    return EXIT_PASS;
}

int command_specs(const cli_arguments *arguments)
{
    const library *shipped = library_shipped();
    if (arguments->word_count == 1)
        return show_text(shipped->specs, shipped->spec_count, arguments->words[0], "spec");
    arena memory;
    arena_init(&memory);
    for (size_t i = 0; i < shipped->spec_count; i++) {
        spec read;
        problem_list problems = {0};
        const named_text *text = &shipped->specs[i];
        if (spec_parse(&read, text->name, text->text, text->text_size, text->source, &memory, &problems) == STATUS_OK)
            printf("%-18s %s\n", text->name, read.title == NULL ? "" : read.title);
    }
    arena_deinit(&memory);
    return EXIT_PASS;
}
