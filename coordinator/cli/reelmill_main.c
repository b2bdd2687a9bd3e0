#include "coordinator/cli/cli.h"

#include "common/base/engine_version.h"
#include "common/media/render_program.h"
#include "proto/message_types.h"

#include <stdio.h>
#include <string.h>

static const cli_option farm_options[] = {
    {"out", OPTION_TEXT, "DIR", "where deliverables and report go (default: the show file's `output`)"},
    {"workers", OPTION_NUMBER, "N", "worker processes (default: one per core)"},
    {"only", OPTION_TEXT, "NAME,...", "make only these deliverables"},
    {"replace", OPTION_FLAG, NULL, "replace published files whose bytes differ"},
    {"cells-per-task", OPTION_NUMBER, "N", "size of render tasks (default: chosen; bytes do not depend on it)"},
    {"cpu", OPTION_TEXT, "LEVEL", "cap the instruction set: scalar, avx2, avx512, neon"},
    {"json", OPTION_FLAG, NULL, "print the report as JSON on stdout"},
    {"verbose", OPTION_FLAG, NULL, "show the farm's log on stderr"},
    {NULL, OPTION_FLAG, NULL, NULL},
};
static const cli_option qc_options[] = {
    {"spec", OPTION_TEXT, "NAME|FILE", "judge by this spec (default: none, figures only)"},
    {"show", OPTION_TEXT, "SHOW.yaml", "judge the received programmes of this show; FILE is then not given"},
    {"checks", OPTION_TEXT, "LIST", "only findings of these kinds: loudness,peak,format,..."},
    {"layout", OPTION_TEXT, "L", "what the files are: mono, stereo, 5.1, 7.1, 7.1.2 (default: from the file)"},
    {"order", OPTION_TEXT, "O", "order of the channels: smpte, film, wave (default: the file's mask, else smpte)"},
    {"frame-rate", OPTION_TEXT, "R", "picture frame rate, for timecode in findings"},
    {"out", OPTION_TEXT, "DIR", "write report.json and report.html there"},
    {"workers", OPTION_NUMBER, "N", "worker processes (default: one per core)"},
    {"cells-per-task", OPTION_NUMBER, "N", "size of inspect tasks (default: chosen)"},
    {"cpu", OPTION_TEXT, "LEVEL", "cap the instruction set: scalar, avx2, avx512, neon"},
    {"json", OPTION_FLAG, NULL, "print the report as JSON on stdout"},
    {"verbose", OPTION_FLAG, NULL, "show the farm's log on stderr"},
    {NULL, OPTION_FLAG, NULL, NULL},
};
static const cli_option show_options[] = {
    {"workers", OPTION_NUMBER, "N", "worker processes (default: one per core)"},
    {"cells-per-task", OPTION_NUMBER, "N", "size of render tasks (default: chosen)"},
    {"only", OPTION_TEXT, "NAME,...", "only these deliverables"},
    {"json", OPTION_FLAG, NULL, "print one JSON document on stdout"},
    {"verbose", OPTION_FLAG, NULL, "show the farm's log on stderr"},
    {NULL, OPTION_FLAG, NULL, NULL},
};
static const cli_option init_options[] = {
    {"workers", OPTION_NUMBER, "N", "worker processes that open the files (default: one per core)"},
    {"verbose", OPTION_FLAG, NULL, "show the farm's log on stderr"},
    {NULL, OPTION_FLAG, NULL, NULL},
};
static const cli_option submit_options[] = {
    {"farm", OPTION_TEXT, "ENDPOINT", "the coordinator (default: $REELMILL_FARM)"},
    {"priority", OPTION_NUMBER, "N", "higher runs first (default 0)"},
    {"only", OPTION_TEXT, "NAME,...", "make only these deliverables"},
    {"replace", OPTION_FLAG, NULL, "replace published files whose bytes differ"},
    {"wait", OPTION_FLAG, NULL, "wait for the end and exit as `run` would"},
    {"json", OPTION_FLAG, NULL, "print one JSON document on stdout"},
    {NULL, OPTION_FLAG, NULL, NULL},
};
static const cli_option remote_options[] = {
    {"farm", OPTION_TEXT, "ENDPOINT", "the coordinator (default: $REELMILL_FARM)"},
    {"json", OPTION_FLAG, NULL, "print one JSON document on stdout"},
    {"watch", OPTION_FLAG, NULL, "show it again and again until everything has ended"},
    {"html", OPTION_FLAG, NULL, "report: the HTML report instead of the JSON one"},
    {"reason", OPTION_TEXT, "TEXT", "drain: why, for those who look at `nodes`"},
    {NULL, OPTION_FLAG, NULL, NULL},
};
static const cli_option no_options[] = {{NULL, OPTION_FLAG, NULL, NULL}};

static const cli_command commands[] = {
    {"run", "SHOW.yaml", "render a show on this machine and judge it", 1, 1, farm_options, command_run},
    {"qc", "FILE...", "measure and judge finished files", 0, CLI_WORDS_MAX, qc_options, command_qc},
    {"check", "SHOW.yaml", "handoff check: everything there, complete, consistent? renders nothing", 1, 1,
     show_options, command_check},
    {"plan", "SHOW.yaml", "the tasks that a run would make", 1, 1, show_options, command_plan},
    {"init", "DIR", "write a show.yaml for a folder of stems, read from their names", 1, 1, init_options, command_init},
    {"demo", "DIR", "write a small complete show to try", 1, 1, no_options, command_demo},
    {"submit", "SHOW.yaml", "give a show to a farm; prints the job's number", 1, 1, submit_options, command_submit},
    {"status", "[JOB]", "jobs of a farm, or one job", 0, 1, remote_options, command_status},
    {"report", "JOB", "the QC report of a job", 1, 1, remote_options, command_report},
    {"logs", "JOB", "what happened to a job", 1, 1, remote_options, command_logs},
    {"cancel", "JOB", "stop a job; nothing of it is published any more", 1, 1, remote_options, command_cancel},
    {"retry", "JOB", "run again what failed or was cancelled in an ended job", 1, 1, remote_options, command_retry},
    {"nodes", "", "the farm's workers", 0, 0, remote_options, command_nodes},
    {"drain", "NODE", "give a node no new work", 1, 1, remote_options, command_drain},
    {"specs", "[NAME]", "list the specs, or print one with its sources", 0, 1, no_options, command_specs},
    {"recipes", "[NAME]", "list the recipes, or print one with its sources", 0, 1, no_options, command_recipes},
};
enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };

static void print_help(FILE *out)
{
    fputs("usage: reelmill COMMAND [options]\n\n", out);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(out, "  %-8s %-10s %s\n", commands[i].name, commands[i].usage, commands[i].summary);
    fputs("\n`reelmill COMMAND --help` shows a command's options. Exit codes: 0 passed, 1 QC failed or could not judge,\n"
          "2 wrong usage or bad input, 3 the farm could not do it.\n",
          out);
}

static void print_command_help(FILE *out, const cli_command *command)
{
    fprintf(out, "usage: reelmill %s %s%s\n%s\n", command->name, command->usage,
            command->options[0].name == NULL ? "" : " [options]", command->summary);
    for (const cli_option *option = command->options; option->name != NULL; option++) {
        char left[64];
        snprintf(left, sizeof left, "--%s%s%s", option->name, option->value == NULL ? "" : " ",
                 option->value == NULL ? "" : option->value);
        fprintf(out, "  %-22s %s\n", left, option->help);
    }
}

static int print_version(void)
{
    printf("%s (render version %d, protocol %d)\n", ENGINE_VERSION, (int)RENDER_VERSION, PROTOCOL_VERSION);
    return EXIT_PASS;
}

static const cli_command *find_command(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static int usage_error(const char *command, const char *problem, const char *word)
{
    fprintf(stderr, "reelmill: error: %s '%s'; `reelmill%s%s --help` shows what is allowed\n", problem, word,
            command[0] == '\0' ? "" : " ", command);
    return EXIT_INPUT;
}

/* One option at argv[*at]; --name=value and --name value are the same. */
static int take_option(cli_arguments *arguments, int argc, char **argv, int *at)
{
    const cli_command *command = arguments->command;
    const char *name = argv[*at] + 2;
    size_t length = strcspn(name, "=");
    for (size_t row = 0; command->options[row].name != NULL; row++) {
        const cli_option *option = &command->options[row];
        if (strlen(option->name) != length || strncmp(option->name, name, length) != 0)
            continue;
        arguments->flags[row] = true;
        if (option->kind == OPTION_FLAG)
            return name[length] == '=' ? usage_error(command->name, "no value is taken by", argv[*at]) : EXIT_PASS;
        const char *value = name[length] == '=' ? name + length + 1 : *at + 1 < argc ? argv[++*at] : NULL;
        if (value == NULL)
            return usage_error(command->name, "a value is missing after", argv[*at]);
        arguments->texts[row] = value;
        if (option->kind == OPTION_NUMBER) {
            unsigned long number = 0;
            char rest = 0;
            if (sscanf(value, "%9lu%c", &number, &rest) != 1)
                return usage_error(command->name, "a number from 0 to 999999999 is expected, found", value);
            arguments->numbers[row] = (uint32_t)number;
        }
        return EXIT_PASS;
    }
    return usage_error(command->name, "unknown option", argv[*at]);
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "--help";
    if (strcmp(name, "--version") == 0)
        return print_version();
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        print_help(argc > 1 ? stdout : stderr);
        return argc > 1 ? EXIT_PASS : EXIT_INPUT;
    }
    const cli_command *command = find_command(name);
    if (command == NULL)
        return usage_error("", "unknown command", name);
    cli_arguments arguments = {.command = command};
    int word_count = 0;
    bool options_end = false;
    for (int i = 2; i < argc; i++) {
        if (!options_end && strcmp(argv[i], "--") == 0) {
            options_end = true;
        } else if (!options_end && (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)) {
            print_command_help(stdout, command);
            return EXIT_PASS;
        } else if (!options_end && argv[i][0] == '-' && argv[i][1] != '\0') {
            int code = argv[i][1] == '-' ? take_option(&arguments, argc, argv, &i)
                                         : usage_error(command->name, "unknown option", argv[i]);
            if (code != EXIT_PASS)
                return code;
        } else {
            argv[2 + word_count++] = argv[i]; /* words move to the front; options before them are already read */
        }
    }
    arguments.word_count = (uint32_t)word_count;
    arguments.words = (const char *const *)(argv + 2);
    if (arguments.word_count < command->words_min || arguments.word_count > command->words_max) {
        fprintf(stderr, "reelmill: error: `reelmill %s` takes %s%s\n", command->name,
                command->usage[0] == '\0' ? "no argument" : command->usage, "");
        return EXIT_INPUT;
    }
    return command->run(&arguments);
}
