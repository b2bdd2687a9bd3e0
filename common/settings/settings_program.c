#include "common/settings/settings_program.h"

#include "common/base/engine_version.h"

#include <ctype.h>
#include <string.h>

/* "--lease-ms" of lease_ms; a key of the file alone stays as it is, with its colon. */
static void name_of(const setting_row *row, char out[48])
{
    bool key = row->scope == SETTING_FILE_ONLY;
    snprintf(out, 48, "%s%s%s", key ? "" : "--", row->name, key ? ":" : "");
    for (char *c = out; !key && *c != '\0'; c++)
        *c = *c == '_' ? '-' : *c;
}

void settings_help_print(FILE *out, const setting_program *self)
{
    fprintf(out, "usage: %s [--config FILE] [options]\n\noptions; those with * may stand in the file too, as KEY: VALUE with '_' for '-'\n",
            self->name);
    for (size_t i = 0; i < self->row_count; i++) {
        const setting_row *row = &self->rows[i];
        char name[48];
        char left[96];
        name_of(row, name);
        snprintf(left, sizeof left, "%s%s%s", name, row->value == NULL ? "" : " ", row->value == NULL ? "" : row->value);
        fprintf(out, " %s %-24s %s\n", row->scope == SETTING_FLAG_ONLY ? " " : "*", left, row->help);
    }
    fprintf(out, "\n%s\n", self->more);
}

void troff_print(FILE *out, const char *text)
{
    for (const char *at = text; *at != '\0'; at++) {
        if (at == text && (*at == '.' || *at == '\''))
            fputs("\\&", out);
        if (*at == '\\')
            fputs("\\e", out);
        else if (*at == '-')
            fputs("\\-", out);
        else
            fputc(*at, out);
    }
}

static void print_row(FILE *out, const setting_row *row)
{
    char name[48];
    name_of(row, name);
    fputs(".TP\n\\fB", out);
    troff_print(out, name);
    fputs("\\fR", out);
    if (row->value != NULL) {
        fputs(" \\fI", out);
        troff_print(out, row->value);
        fputs("\\fR", out);
    }
    fputc('\n', out);
    troff_print(out, row->help);
    fputc('\n', out);
}

void settings_manual_print(FILE *out, const setting_program *self)
{
    fputs(".TH ", out);
    for (const char *c = self->name; *c != '\0'; c++)
        fputc(toupper((unsigned char)*c), out);
    fputs(" 8 \"\" \"" ENGINE_VERSION "\" \"System administration\"\n.SH NAME\n", out);
    troff_print(out, self->name);
    fputs(" \\- ", out);
    troff_print(out, self->summary);
    fputs("\n.SH SYNOPSIS\n.B ", out);
    troff_print(out, self->name);
    fputs("\n[\\fB\\-\\-config\\fR \\fIFILE\\fR] [options]\n.SH OPTIONS\n", out);
    for (size_t i = 0; i < self->row_count; i++)
        if (self->rows[i].scope != SETTING_FILE_ONLY)
            print_row(out, &self->rows[i]);
    fputs(".SH FILE\nOne YAML mapping. Flags stand over it. Its keys are\n", out);
    char allowed[1024];
    settings_allowed(self, allowed, sizeof allowed);
    fputs(allowed, out);
    fputs("; those that are no options:\n", out);
    for (size_t i = 0; i < self->row_count; i++)
        if (self->rows[i].scope == SETTING_FILE_ONLY)
            print_row(out, &self->rows[i]);
    fputs(".SH NOTES\n", out);
    bool start = true;
    for (const char *at = self->more; *at != '\0';) {
        size_t size = strcspn(at, "\n");
        char line[512];
        snprintf(line, sizeof line, "%.*s", (int)size, at);
        if (size == 0 && !start)
            fputs(".PP", out);
        troff_print(out, line);
        fputc('\n', out);
        start = false;
        at += size + (at[size] == '\n' ? 1 : 0);
    }
}

void settings_allowed(const setting_program *self, char *out, size_t out_size)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < self->row_count && used < out_size; i++)
        if (self->rows[i].scope != SETTING_FLAG_ONLY)
            used += (size_t)snprintf(out + used, out_size - used, "%s%s", used == 0 ? "" : ", ", self->rows[i].name);
}

const char *settings_flag_name(const char *flag, char *out, size_t out_size)
{
    size_t size = strlen(flag);
    if (size >= out_size)
        return NULL;
    for (size_t i = 0; i <= size; i++)
        out[i] = flag[i] == '-' ? '_' : flag[i];
    return out;
}
