#define _GNU_SOURCE
#include "coordinator/shell/audit_log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void expect_line(const char *path, const char *words)
{
    char text[2048] = "";
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    assert_non_null(strstr(text, words));
    assert_ptr_equal(strchr(text, '\n'), text + size - 1); /* that line and no other */
}

static void audit_log__goes_on_under_its_name_when_it_is_rotated(void **state)
{
    char folder[] = "/tmp/audit_log.XXXXXX";
    char path[64];
    char rotated[64];
    audit_log *log = NULL;
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/audit.log", folder);
    snprintf(rotated, sizeof rotated, "%s/audit.log.1", folder);
    assert_int_equal(audit_log_open(&log, path, NULL), STATUS_OK);
    audit_log_add(log, &(audit_entry){.what = "submit", .job = 1});
    assert_int_equal(rename(path, rotated), 0);
    audit_log_add(log, &(audit_entry){.what = "cancel", .job = 2});
    expect_line(rotated, "what=submit job=1");
    expect_line(path, "what=cancel job=2");
    assert_int_equal(unlink(path), 0);
    audit_log_add(log, &(audit_entry){.what = "retry", .job = 3});
    expect_line(path, "what=retry job=3");
    audit_log_close(&log);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(unlink(rotated), 0);
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(audit_log__goes_on_under_its_name_when_it_is_rotated)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
