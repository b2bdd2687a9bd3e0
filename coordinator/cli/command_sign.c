#define _GNU_SOURCE
#include "coordinator/cli/cli.h"
#include "coordinator/cli/file_replace.h"
#include "coordinator/cli/job_selector.h"
#include "coordinator/cli/report_read.h"
#include "coordinator/shell/job_measures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SIGN_OFFS_BYTES_MAX = 1 << 20, SIGN_OFFS_MAX = 1000, PAGES_BYTES_MAX = 256 << 20, WORDS_MAX = 900 };

/* One report that is being signed. */
typedef struct signing {
    const char *folder;     /* of the report, with the slash */
    json_t *report;
    json_t *sign_offs;      /* all of them, the new one last */
    job_measures measures;
    bool opened;
} signing;

static const char *text_in(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

static const char *now_text(arena *memory)
{
    char *text = arena_take(memory, 64);
    time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    strftime(text, 64, "%Y-%m-%d %H:%M UTC", &utc);
    return text;
}

/* Earlier ones of this report's folder: they outlive a new run, which writes report.json anew. */
static status read_sign_offs(signing *self, const char *path, arena *memory, error_detail *detail)
{
    const char *text = NULL;
    size_t size = 0;
    json_t *kept = NULL;
    if (access(path, F_OK) == 0) {
        status code = read_text_file(path, SIGN_OFFS_BYTES_MAX, memory, &text, &size, detail);
        if (code != STATUS_OK)
            return code;
        kept = json_loadb(text, size, 0, NULL);
        if (!json_is_array(json_object_get(kept, "sign_offs"))) {
            json_decref(kept);
            return error_detail_set(detail, STATUS_INPUT_INVALID, "'%s' holds no sign-offs; move it away and sign again", path);
        }
    }
    self->sign_offs = kept == NULL ? json_array() : json_incref(json_object_get(kept, "sign_offs"));
    json_decref(kept);
    if (json_array_size(self->sign_offs) >= SIGN_OFFS_MAX)
        return error_detail_set(detail, STATUS_LIMIT, "'%s' has %d sign-offs already, and no report shows more", path, SIGN_OFFS_MAX);
    return STATUS_OK;
}

static status add_own(signing *self, const cli_arguments *arguments, arena *memory, error_detail *detail)
{
    char digest[CONTENT_HASH_TEXT_SIZE];
    const char *remark = cli_text(arguments, "remark") == NULL ? "" : cli_text(arguments, "remark");
    if (strlen(cli_text(arguments, "by")) > WORDS_MAX || strlen(remark) > WORDS_MAX)
        return error_detail_set(detail, STATUS_LIMIT, "--by and --remark take at most %d bytes each", WORDS_MAX);
    content_hash_to_text(&self->measures.digest, digest);
    json_t *own = json_pack("{s:s, s:s, s:s, s:s, s:s}", "by", cli_text(arguments, "by"), "when", now_text(memory), "remark", remark,
                            "verdict", text_in(self->report, "verdict"), "measures", digest);
    if (own == NULL)
        return error_detail_set(detail, STATUS_INPUT_INVALID, "--by and --remark must be UTF-8");
    json_array_append_new(self->sign_offs, own);
    return STATUS_OK;
}

static const report_sign_off *sign_offs_for_pages(const signing *self, arena *memory)
{
    static const char *const words[] = {"pass", "warn", "fail", "incomplete"};
    char digest[CONTENT_HASH_TEXT_SIZE];
    size_t index;
    const json_t *item;
    report_sign_off *made = arena_take_array(memory, json_array_size(self->sign_offs), sizeof *made);
    content_hash_to_text(&self->measures.digest, digest);
    json_array_foreach (self->sign_offs, index, item) {
        made[index] = (report_sign_off){.by = text_in(item, "by"),
                                        .when = text_in(item, "when"),
                                        .remark = text_in(item, "remark"),
                                        .verdict = "incomplete",
                                        .of_this = strcmp(text_in(item, "measures"), digest) == 0};
        for (size_t w = 0; w < sizeof words / sizeof words[0]; w++) /* the word names a class in the page: only ours */
            if (strcmp(text_in(item, "verdict"), words[w]) == 0)
                made[index].verdict = words[w];
    }
    return made;
}

static status write_json(const signing *self, const char *name, const json_t *document, arena *memory, error_detail *detail)
{
    char *text = json_dumps(document, JSON_INDENT(1) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(12));
    if (text == NULL)
        return error_detail_set(detail, STATUS_NODE_MEMORY, "out of memory");
    const char *whole = arena_format(memory, "%s\n", text);
    free(text);
    return file_replace(arena_format(memory, "%s%s", self->folder, name), whole, strlen(whole), detail);
}

/*
 * The pages first, the list of sign-offs last: what it names is in all reports. Nothing is written where report.json, whose
 * verdict the sign-off names, says something else than the measures do.
 */
static status write_all(signing *self, arena *memory, error_detail *detail)
{
    byte_writer html;
    byte_writer pdf;
    verdict_word judged = VERDICT_INCOMPLETE;
    byte_writer_init(&html, PAGES_BYTES_MAX);
    byte_writer_init(&pdf, PAGES_BYTES_MAX);
    self->measures.input.sign_offs = sign_offs_for_pages(self, memory);
    self->measures.input.sign_off_count = (uint32_t)json_array_size(self->sign_offs);
    status code = job_compose_pages(&self->measures.input, &html, &pdf, &judged, detail);
    if (code == STATUS_OK && strcmp(text_in(self->report, "verdict"), verdict_word_name(judged)) != 0)
        code = error_detail_set(detail, STATUS_INPUT_CONFLICT,
                                "'%sreport.json' says '%s', but the measures beside it come to '%s': it was changed, or tells a part alone "
                                "(--checks, files left out); make the whole report again and sign that",
                                self->folder, text_in(self->report, "verdict"), verdict_word_name(judged));
    if (code == STATUS_OK)
        code = file_replace(arena_format(memory, "%sreport.html", self->folder), html.bytes, html.size, detail);
    if (code == STATUS_OK)
        code = file_replace(arena_format(memory, "%sreport.pdf", self->folder), pdf.bytes, pdf.size, detail);
    byte_writer_deinit(&html);
    byte_writer_deinit(&pdf);
    json_object_set(self->report, "sign_offs", self->sign_offs);
    if (code == STATUS_OK)
        code = write_json(self, "report.json", self->report, memory, detail);
    json_t *list = json_pack("{s:i, s:O}", "reelmill", 1, "sign_offs", self->sign_offs);
    if (code == STATUS_OK)
        code = write_json(self, "sign-offs.json", list, memory, detail);
    json_decref(list);
    return code;
}

static status sign(signing *self, const cli_arguments *arguments, arena *memory, error_detail *detail)
{
    const char *path = NULL;
    if (cli_text(arguments, "by") == NULL || cli_text(arguments, "by")[0] == '\0')
        return error_detail_set(detail, STATUS_INPUT_INVALID, "say who signs: --by NAME");
    uint32_t job = 0;
    if (access(arguments->words[0], F_OK) != 0 && (job_selector_is_number(arguments->words[0], &job) || strcmp(arguments->words[0], "last") == 0))
        return error_detail_set(detail, STATUS_INPUT_INVALID, "name the show file or report.json: a report is signed where it lies");
    status code = report_locate(arguments, "report.json", memory, &path, NULL, detail);
    if (code != STATUS_OK)
        return code;
    const char *slash = strrchr(path, '/');
    self->folder = arena_format(memory, "%.*s", slash == NULL ? 0 : (int)(slash - path) + 1, path);
    code = report_read(path, memory, &self->report, detail);
    if (code == STATUS_OK)
        code = job_measures_open(&self->measures, arena_format(memory, "%smeasures.bin", self->folder), detail);
    self->opened = code == STATUS_OK;
    if (code == STATUS_OK)
        code = read_sign_offs(self, arena_format(memory, "%ssign-offs.json", self->folder), memory, detail);
    if (code == STATUS_OK)
        code = add_own(self, arguments, memory, detail);
    return code == STATUS_OK ? write_all(self, memory, detail) : code;
}

int command_sign(const cli_arguments *arguments)
{
    arena memory;
    arena_init(&memory);
    error_detail detail = {0};
    signing self = {0};
    status code = sign(&self, arguments, &memory, &detail);
    if (code == STATUS_OK)
        fprintf(stderr, "signed by %s: %sreport.html, report.pdf and report.json say so\n", cli_text(arguments, "by"), self.folder);
    json_decref(self.report);
    json_decref(self.sign_offs);
    if (self.opened)
        job_measures_close(&self.measures);
    arena_deinit(&memory);
    return code == STATUS_OK ? EXIT_PASS : cli_fail_detail(&detail);
}
