#include "coordinator/cli/command_reference.h"

#include "common/base/engine_version.h"
#include "common/settings/settings_program.h"
#include "coordinator/cli/command_table.h"

#include <ctype.h>
#include <string.h>

static const char *dash_of(const cli_option *option)
{
    return option->name[1] == '\0' ? "-" : "--";
}

void command_reference_help(FILE *out)
{
    size_t count;
    const cli_command *commands = command_table(&count);
    fputs("usage: reelmill COMMAND [options]\n\n", out);
    for (size_t i = 0; i < count; i++)
        fprintf(out, strlen(commands[i].usage) <= 10 ? "  %-11s %-10s %s\n" : "  %-11s %s\n                         %s\n",
                commands[i].name, commands[i].usage, commands[i].summary);
    fputs("\n`reelmill COMMAND --help` shows a command's options. Exit codes: 0 passed, 1 QC failed or could not judge,\n"
          "2 wrong usage or bad input, 3 the farm could not do it.\n",
          out);
}

void command_reference_of(FILE *out, const cli_command *command)
{
    fprintf(out, "usage: reelmill %s%s%s%s\n%s\n", command->name, command->usage[0] == '\0' ? "" : " ", command->usage,
            command->options[0].name == NULL ? "" : " [options]", command->summary);
    for (const cli_option *option = command->options; option->name != NULL; option++) {
        char left[64];
        snprintf(left, sizeof left, "%s%s%s%s", dash_of(option), option->name, option->value == NULL ? "" : " ",
                 option->value == NULL ? "" : option->value);
        fprintf(out, "  %-22s %s\n", left, option->help);
    }
}

/* Files are what a word or an option's value names, as far as its usage text says so. */
static bool names_files(const char *usage)
{
    return strstr(usage, "FILE") != NULL || strstr(usage, "DIR") != NULL || strstr(usage, ".yaml") != NULL;
}

static void print_bash(const cli_command *commands, size_t count)
{
    fputs("# bash completion for reelmill: reelmill completions bash > /etc/bash_completion.d/reelmill\n"
          "_reelmill()\n{\n    local word=${COMP_WORDS[COMP_CWORD]} options= files=\n"
          "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n        COMPREPLY=($(compgen -W '", stdout);
    for (size_t i = 0; i < count; i++)
        printf("%s ", commands[i].name);
    fputs("--help --version' -- \"$word\"))\n        return\n    fi\n    case ${COMP_WORDS[1]} in\n", stdout);
    for (size_t i = 0; i < count; i++) {
        printf("    %s) files=%s options='--help", commands[i].name, names_files(commands[i].usage) ? "yes" : "");
        for (const cli_option *option = commands[i].options; option->name != NULL; option++)
            printf(" %s%s", dash_of(option), option->name);
        fputs("' ;;\n", stdout);
    }
    fputs("    esac\n    case $word in\n    -*) COMPREPLY=($(compgen -W \"$options\" -- \"$word\")) ;;\n"
          "    *)\n        compopt -o filenames\n        COMPREPLY=()\n"
          "        case $files${COMP_WORDS[COMP_CWORD - 1]} in\n"
          "        yes*|--out|--spec|--show) mapfile -t COMPREPLY < <(compgen -f -- \"$word\") ;;\n"
          "        specs|recipes|--spec) ;;\n        esac\n"
          "        case ${COMP_WORDS[COMP_CWORD - 1]} in\n"
          "        specs|--spec) COMPREPLY+=($(compgen -W \"$(reelmill specs | cut -d' ' -f1)\" -- \"$word\")) ;;\n"
          "        recipes) COMPREPLY+=($(compgen -W \"$(reelmill recipes | cut -d' ' -f1)\" -- \"$word\")) ;;\n"
          "        completions) COMPREPLY+=($(compgen -W 'bash zsh fish' -- \"$word\")) ;;\n"
          "        esac ;;\n    esac\n}\ncomplete -F _reelmill reelmill\n",
          stdout);
}

/* Text inside '...' of a shell, with more characters set behind a backslash for the place it stands in. */
static void print_quoted(const char *text, const char *escaped)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            fputs("'\\''", stdout);
        else if (strchr(escaped, *text) != NULL)
            printf("\\%c", *text);
        else
            putchar(*text);
    }
}

static void print_zsh(const cli_command *commands, size_t count)
{
    fputs("#compdef reelmill\n# zsh completion for reelmill: reelmill completions zsh > \"${fpath[1]}/_reelmill\"\n"
          "local -a commands\ncommands=(\n", stdout);
    for (size_t i = 0; i < count; i++) {
        printf("    '%s:", commands[i].name);
        print_quoted(commands[i].summary, "");
        fputs("'\n", stdout);
    }
    fputs(")\nif (( CURRENT == 2 )); then\n    _describe command commands\n    return\nfi\ncase $words[2] in\n", stdout);
    for (size_t i = 0; i < count; i++) {
        printf("%s) _arguments '--help[show the options]'", commands[i].name);
        for (const cli_option *option = commands[i].options; option->name != NULL; option++) {
            printf(" \\\n    '%s%s%s[", dash_of(option), option->name,
                   option->kind == OPTION_FLAG ? "" : option->name[1] == '\0' ? "+" : "=");
            print_quoted(option->help, "[]:");
            putchar(']');
            if (option->kind != OPTION_FLAG)
                printf(":%s:%s", option->value, names_files(option->value) ? "_files" : " ");
            putchar('\'');
        }
        printf(" '*::argument:%s' ;;\n", names_files(commands[i].usage) ? "_files" : " ");
    }
    fputs("esac\n", stdout);
}

static void print_fish(const cli_command *commands, size_t count)
{
    fputs("# fish completion for reelmill: reelmill completions fish > ~/.config/fish/completions/reelmill.fish\n"
          "complete -c reelmill -f\n", stdout);
    for (size_t i = 0; i < count; i++) {
        printf("complete -c reelmill -n __fish_use_subcommand -a %s -d '", commands[i].name);
        print_quoted(commands[i].summary, "\\");
        fputs("'\n", stdout);
        if (names_files(commands[i].usage))
            printf("complete -c reelmill -n '__fish_seen_subcommand_from %s' -F\n", commands[i].name);
        for (const cli_option *option = commands[i].options; option->name != NULL; option++) {
            printf("complete -c reelmill -n '__fish_seen_subcommand_from %s' -%s %s%s -d '", commands[i].name,
                   option->name[1] == '\0' ? "s" : "l", option->name,
                   option->kind == OPTION_FLAG ? "" : names_files(option->value) ? " -r -F" : " -x");
            print_quoted(option->help, "\\");
            fputs("'\n", stdout);
        }
    }
}

int command_completions(const cli_arguments *arguments)
{
    size_t count;
    const cli_command *commands = command_table(&count);
    const char *shell = arguments->words[0];
    if (strcmp(shell, "bash") == 0)
        print_bash(commands, count);
    else if (strcmp(shell, "zsh") == 0)
        print_zsh(commands, count);
    else if (strcmp(shell, "fish") == 0)
        print_fish(commands, count);
    else
        return cli_fail(STATUS_INPUT_INVALID, "there are no completions for '%s'; bash, zsh and fish have them", shell);
    return EXIT_PASS;
}

int command_manual(const cli_arguments *arguments)
{
    size_t count;
    const cli_command *commands = command_table(&count);
    (void)arguments;
    puts(".TH REELMILL 1 \"\" \"" ENGINE_VERSION "\" \"User commands\"\n.SH NAME\n"
         "reelmill \\- render a film's audio deliverables from its stems and prove them in a QC report\n"
         ".SH SYNOPSIS\n.B reelmill\n.I COMMAND\n[options]\n.SH COMMANDS");
    for (size_t i = 0; i < count; i++) {
        printf(".SS reelmill %s%s", commands[i].name, commands[i].usage[0] == '\0' ? "" : " ");
        troff_print(stdout, commands[i].usage);
        putchar('\n');
        putchar(toupper((unsigned char)commands[i].summary[0]));
        troff_print(stdout, commands[i].summary + 1);
        putchar('\n');
        for (const cli_option *option = commands[i].options; option->name != NULL; option++) {
            fputs(".TP\n.B ", stdout);
            troff_print(stdout, dash_of(option));
            troff_print(stdout, option->name);
            if (option->value != NULL)
                printf(" \\fI%s\\fR", option->value);
            putchar('\n');
            troff_print(stdout, option->help);
            putchar('\n');
        }
    }
    puts(".SH EXIT STATUS\n.TP\n.B 0\npassed, warnings included\n.TP\n.B 1\nQC failed or could not judge\n"
         ".TP\n.B 2\nwrong usage or bad input\n.TP\n.B 3\nthe farm could not do it\n"
         ".SH ENVIRONMENT\n.TP\n.B REELMILL_FARM\nthe coordinator's endpoint, where \\-\\-farm is not given\n"
         ".TP\n.B REELMILL_KEY, REELMILL_COORDINATOR_KEY\nyour secret key's file and the coordinator's public key\n"
         ".TP\n.B REELMILL_PLAIN\n1: a farm on this machine that uses no keys\n"
         ".TP\n.B REELMILL_AUTHORIZED\nthe allow-list that authorize and revoke edit (else /etc/reelmill/authorized)\n"
         ".TP\n.B TMPDIR\nwhere a private farm keeps its state while it runs (else /var/tmp)");
    return EXIT_PASS;
}
