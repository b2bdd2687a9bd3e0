/**
 * The program reelmill: one table of commands, one form of options, one place where text meets a terminal.
 *
 * `--json` prints one document on stdout and nothing else; people's text and progress go to stderr. Exit codes are the
 * contract's: 0 passed, 1 QC failed or could not judge, 2 wrong usage or bad input, 3 the farm could not do it.
 */
#ifndef COORDINATOR_CLI_CLI_H
#define COORDINATOR_CLI_CLI_H

#include "common/base/arena.h"
#include "common/base/status.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { EXIT_PASS = 0, EXIT_QC = 1, EXIT_INPUT = 2, EXIT_FARM = 3 };

/** Kinds of value an option takes. */
typedef enum option_kind { OPTION_FLAG, OPTION_TEXT, OPTION_NUMBER } option_kind;

/** One option of a command; the row after the last has name NULL. */
typedef struct cli_option {
    const char *name;    /**< without "--" */
    option_kind kind;
    const char *value;   /**< word for the value in the help, NULL for flags */
    const char *help;
} cli_option;

enum { CLI_OPTIONS_MAX = 24, CLI_WORDS_MAX = 65536 };

/** What a command was given. Texts point into argv. */
typedef struct cli_arguments {
    const struct cli_command *command;
    bool flags[CLI_OPTIONS_MAX];            /**< by row of the command's options */
    const char *texts[CLI_OPTIONS_MAX];
    uint32_t numbers[CLI_OPTIONS_MAX];
    uint32_t word_count;                    /**< what is no option */
    const char *const *words;
} cli_arguments;

typedef struct cli_command {
    const char *name;
    const char *usage;      /**< after the name */
    const char *summary;
    uint32_t words_min, words_max;
    const cli_option *options;
    int (*run)(const cli_arguments *arguments);
} cli_command;

/** True if the command has this option; the three below are for those it has. */
bool cli_knows(const cli_arguments *self, const char *name);
bool cli_flag(const cli_arguments *self, const char *name);
/** NULL when not given. */
const char *cli_text(const cli_arguments *self, const char *name);
/** fallback when not given. */
uint32_t cli_number(const cli_arguments *self, const char *name, uint32_t fallback);

/** A line that holds words from outside: what a terminal may obey becomes '?', but not the line end of the format. */
void cli_print(FILE *out, const char *format, ...) PRINTF_LIKE(2, 3);
/** Columns of the terminal that stdout is; 0: it is none, or does not say. */
size_t cli_columns(void);
/** "reelmill: error: message" on stderr; returns the exit code that the status class asks for. */
int cli_fail(status code, const char *format, ...) PRINTF_LIKE(2, 3);
/** An empty message: everything has been said; only the exit code. */
int cli_fail_detail(const error_detail *detail);
int cli_exit_code(status code);

/** Commands, one file each. */
int command_run(const cli_arguments *arguments);
int command_qc(const cli_arguments *arguments);
int command_check(const cli_arguments *arguments);
int command_plan(const cli_arguments *arguments);
/** `plan --farm`. */
int command_plan_on_farm(const cli_arguments *arguments);
int command_init(const cli_arguments *arguments);
int command_demo(const cli_arguments *arguments);
int command_submit(const cli_arguments *arguments);
int command_status(const cli_arguments *arguments);
int command_report(const cli_arguments *arguments);
int command_logs(const cli_arguments *arguments);
int command_cancel(const cli_arguments *arguments);
int command_retry(const cli_arguments *arguments);
int command_nodes(const cli_arguments *arguments);
int command_drain(const cli_arguments *arguments);
int command_specs(const cli_arguments *arguments);
int command_recipes(const cli_arguments *arguments);
int command_hold(const cli_arguments *arguments);
int command_release(const cli_arguments *arguments);
int command_prio(const cli_arguments *arguments);
/** `explain JOB[.TASK]`. */
int command_explain_farm(const cli_arguments *arguments);
int command_wait(const cli_arguments *arguments);
int command_undrain(const cli_arguments *arguments);
int command_root_moved(const cli_arguments *arguments);
int command_workers(const cli_arguments *arguments);
int command_doctor(const cli_arguments *arguments);
int command_backup(const cli_arguments *arguments);
int command_restore(const cli_arguments *arguments);
int command_judge(const cli_arguments *arguments);
int command_explain(const cli_arguments *arguments);
int command_audition(const cli_arguments *arguments);
int command_waive(const cli_arguments *arguments);
int command_sign(const cli_arguments *arguments);
int command_keygen(const cli_arguments *arguments);
int command_authorize(const cli_arguments *arguments);
int command_revoke(const cli_arguments *arguments);
int command_completions(const cli_arguments *arguments);
int command_watch(const cli_arguments *arguments);
int command_manual(const cli_arguments *arguments);

#endif
