/**
 * What a program can be told, as one table: its flags and the keys of its file. Help, the manual page and the sentence
 * about an unknown key are made from it.
 */
#ifndef COMMON_SETTINGS_SETTINGS_PROGRAM_H
#define COMMON_SETTINGS_SETTINGS_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

typedef enum setting_scope { SETTING_ANYWHERE, SETTING_FLAG_ONLY, SETTING_FILE_ONLY } setting_scope;

typedef struct setting_row {
    const char *name; /**< as the file has it: lease_ms; the flag is --lease-ms */
    setting_scope scope;
    const char *value; /**< word for the value; NULL: a flag without one (in the file: true or false) */
    const char *help;
} setting_row;

typedef struct setting_program {
    const char *name;    /**< reelmill-worker */
    const char *summary; /**< for the manual's first line */
    const char *more;    /**< paragraphs after the table, divided by empty lines */
    size_t row_count;
    const setting_row *rows;
} setting_program;

void settings_help_print(FILE *out, const setting_program *self);
/** A page of section 8 for `man -l`. */
void settings_manual_print(FILE *out, const setting_program *self);
/** "listen, state, ...": the keys that the file may have. */
void settings_allowed(const setting_program *self, char *out, size_t out_size);
/** The name with '_' that a flag without its dashes means. NULL: it is too long to be one. */
const char *settings_flag_name(const char *flag, char *out, size_t out_size);

/** Text as troff takes it literally. */
void troff_print(FILE *out, const char *text);

#endif
