#include "coordinator/cli/command_reference.h"
#include "coordinator/cli/command_table.h"

#include "coordinator/show/show_file.h"
#include "proto/version_print.h"

#include <stdio.h>
#include <string.h>

/* suggestion: what was probably meant, or NULL. */
static int usage_error(const char *command, const char *complaint, const char *word, const char *suggestion)
{
    fprintf(stderr, "reelmill: error: %s '%s'", complaint, word);
    if (suggestion != NULL)
        fprintf(stderr, " (did you mean '%s%s'?)", command[0] == '\0' ? "" : "--", suggestion);
    fprintf(stderr, "; `reelmill%s%s --help` shows what is allowed\n", command[0] == '\0' ? "" : " ", command);
    return EXIT_INPUT;
}

static int unknown_option(const cli_command *command, const char *word)
{
    const char *names[CLI_OPTIONS_MAX + 1] = {"help"};
    char name[64];
    size_t count = 1;
    for (const cli_option *option = command->options; option->name != NULL; option++)
        names[count++] = option->name;
    const char *start = word + strspn(word, "-");
    snprintf(name, sizeof name, "%.*s", (int)strcspn(start, "="), start);
    return usage_error(command->name, "unknown option", word, word_suggest(name, names, count));
}

/* One option at argv[*at]; --name=value and --name value are the same; a name of one letter also goes with one dash. */
static int take_option(cli_arguments *arguments, int argc, char **argv, int *at)
{
    const cli_command *command = arguments->command;
    const char *name = argv[*at] + (argv[*at][1] == '-' ? 2 : 1);
    size_t length = strcspn(name, "=");
    if (argv[*at][1] != '-' && length != 1)
        return unknown_option(command, argv[*at]);
    for (size_t row = 0; command->options[row].name != NULL; row++) {
        const cli_option *option = &command->options[row];
        if (strlen(option->name) != length || strncmp(option->name, name, length) != 0)
            continue;
        arguments->flags[row] = true;
        if (option->kind == OPTION_FLAG)
            return name[length] == '=' ? usage_error(command->name, "no value is taken by", argv[*at], NULL) : EXIT_PASS;
        const char *value = name[length] == '=' ? name + length + 1 : *at + 1 < argc ? argv[++*at] : NULL;
        if (value == NULL)
            return usage_error(command->name, "a value is missing after", argv[*at], NULL);
        arguments->texts[row] = value;
        if (option->kind == OPTION_NUMBER) {
            unsigned long number = 0;
            char rest = 0;
            if (sscanf(value, "%9lu%c", &number, &rest) != 1)
                return usage_error(command->name, "a number from 0 to 999999999 is expected, found", value, NULL);
            arguments->numbers[row] = (uint32_t)number;
        }
        return EXIT_PASS;
    }
    return unknown_option(command, argv[*at]);
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "--help";
    if (strcmp(name, "--version") == 0) {
        version_print(stdout);
        return EXIT_PASS;
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        command_reference_help(argc > 1 ? stdout : stderr);
        return argc > 1 ? EXIT_PASS : EXIT_INPUT;
    }
    const cli_command *command = command_table_find(name);
    if (command == NULL)
        return usage_error("", "unknown command", name, command_table_suggest(name));
    cli_arguments arguments = {.command = command};
    int word_count = 0;
    bool options_end = false;
    for (int i = 2; i < argc; i++) {
        if (!options_end && strcmp(argv[i], "--") == 0) {
            options_end = true;
        } else if (!options_end && (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)) {
            command_reference_of(stdout, command);
            return EXIT_PASS;
        } else if (!options_end && argv[i][0] == '-' && argv[i][1] != '\0' && (argv[i][1] < '0' || argv[i][1] > '9')) {
            int code = take_option(&arguments, argc, argv, &i);
            if (code != EXIT_PASS)
                return code;
        } else {
            argv[2 + word_count++] = argv[i]; /* words move to the front; options before them are already read */
        }
    }
    arguments.word_count = (uint32_t)word_count;
    arguments.words = (const char *const *)(argv + 2);
    if (arguments.word_count < command->words_min || arguments.word_count > command->words_max) {
        fprintf(stderr, "reelmill: error: `reelmill %s` takes %s; `reelmill %s --help` shows more\n", command->name,
                command->usage[0] == '\0' ? "no argument" : command->usage, command->name);
        return EXIT_INPUT;
    }
    return command->run(&arguments);
}
