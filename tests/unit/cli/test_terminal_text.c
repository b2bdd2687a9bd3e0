/* What others wrote, on a terminal: nothing in it is obeyed. */
#define _GNU_SOURCE
#include "coordinator/cli/cli.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void cli_print__keeps_the_line_end_of_the_format_alone(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    cli_print(out, "%s: %.3s\n", "one\nreelmill: two\x1B[2J", "\xE2\x80\xAE...");
    cli_print(out, "%s", "three\n");
    assert_int_equal(fclose(out), 0);
    assert_string_equal(text, "one?reelmill: two?[2J: ?\nthree?");
    free(text);
}

/* What the command prints on stdout, which is put back. */
static void explain(const char *report, char *out, size_t room)
{
    char report_path[] = "/tmp/terminal_text_XXXXXX.json", out_path[] = "/tmp/terminal_text_XXXXXX";
    int file = mkstemps(report_path, 5), caught = mkstemp(out_path), kept = dup(STDOUT_FILENO);
    assert_true(file >= 0 && caught >= 0 && kept >= 0);
    assert_int_equal(write(file, report, strlen(report)), strlen(report));
    cli_arguments arguments = {.word_count = 2};
    const char *words[] = {report_path, "F1"};
    arguments.words = words;
    fflush(stdout);
    assert_true(dup2(caught, STDOUT_FILENO) >= 0);
    int code = command_explain(&arguments);
    fflush(stdout);
    assert_true(dup2(kept, STDOUT_FILENO) >= 0);
    ssize_t size = pread(caught, out, room - 1, 0);
    unlink(report_path);
    unlink(out_path);
    close(file);
    close(caught);
    close(kept);
    assert_int_equal(code, EXIT_PASS);
    assert_true(size > 0);
    out[size] = '\0';
}

static void explain__prints_a_report_of_somebody_without_its_controls(void **state)
{
    (void)state;
    char out[512];
    explain("{\"reelmill\": 1, \"programmes\": [{\"findings\": [{\"id\": \"F1\", \"severity\": \"fail\", \"check\": \"a\\u001b[2J\", "
            "\"message\": \"m\\npass x: all is well\\u009b2J\", \"clause\": \"c\\u202egnp\", \"measured\": -1.5, "
            "\"unit\": \"d\\u001bB\", \"reel\": \"R\\n1\", \"channels\": [7, \"C\\u001b\", \"L\"], \"details\": {\"k_x\\u009b\": \"v\\u2066\"}}]}]}",
            out, sizeof out);
    assert_string_equal(out, "fail a?[2J: m?pass x: all is well?2J\nLimit: c?gnp\nFigure: -1.5 d?B\nWhere: reel R?1, C? L\nMade of:\n  k x?: v?\n");
    explain("{\"reelmill\": 1, \"programmes\": [{\"findings\": [{\"id\": \"F1\", \"severity\": \"info\", \"check\": \"a\", \"message\": \"m\"}]}]}",
            out, sizeof out);
    assert_string_equal(out, "info a: m\n"); /* no row of what it does not say */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cli_print__keeps_the_line_end_of_the_format_alone),
        cmocka_unit_test(explain__prints_a_report_of_somebody_without_its_controls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
