#include "coordinator/cli/qc_left_out.h"

#include "common/base/content_hash.h"

#include <string.h>

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

/* What a sentence is about: "deliverable MIX, channel LFE" of "deliverable MIX, channel LFE: MIX.LFE.wav is text ...". */
static size_t subject_length(const char *sentence)
{
    const char *end = strstr(sentence, ": ");
    return end == NULL ? strlen(sentence) : (size_t)(end - sentence);
}

static bool is_about(const char *sentence, const char *deliverable)
{
    static const char word[] = "deliverable ";
    size_t length = strlen(deliverable);
    return strncmp(sentence, word, sizeof word - 1) == 0 && strncmp(sentence + sizeof word - 1, deliverable, length) == 0 &&
           (sentence[sizeof word - 1 + length] == ',' || sentence[sizeof word - 1 + length] == ':');
}

/* The finding, with nothing in it but the sentence. */
static json_t *finding_of(const char *sentence)
{
    static const char *const empty[] = {"measured",      "limit",    "unit",         "start_sample",  "end_sample", "start_s", "end_s",
                                        "timecode",      "timecode_end", "reel", "reel_timecode", "clause",     "waiver"};
    char id[CONTENT_HASH_TEXT_SIZE];
    content_hash digest = content_hash_of(sentence, subject_length(sentence));
    content_hash_to_text(&digest, id);
    id[12] = '\0';
    json_t *made = json_pack("{s:s, s:s, s:s, s:s, s:[], s:{}, s:{s:n, s:n}}", "id", id, "check", "format.file", "severity",
                             "not_checked", "message", sentence, "channels", "details", "codes", "netflix", "ebu_qc");
    for (size_t i = 0; i < sizeof empty / sizeof empty[0]; i++)
        json_object_set_new(made, empty[i], json_null());
    return made;
}

/* One for each file of the deliverable that is wrong; the first sentence about it. */
static json_t *findings_of(const json_t *problems, const char *deliverable)
{
    json_t *findings = json_array();
    size_t index;
    size_t known;
    const json_t *item;
    const json_t *made;
    json_array_foreach (problems, index, item) {
        const char *sentence = text_of(item, "message");
        bool told = strcmp(text_of(item, "severity"), "error") != 0 || !is_about(sentence, deliverable);
        json_array_foreach (findings, known, made) {
            size_t length = subject_length(sentence);
            told = told || (subject_length(text_of(made, "message")) == length &&
                            strncmp(text_of(made, "message"), sentence, length) == 0);
        }
        if (!told)
            json_array_append_new(findings, finding_of(sentence));
    }
    return findings;
}

static json_t *programme_of(const char *deliverable, json_t *findings)
{
    static const char *const empty[] = {"reel",           "language", "layout",   "spec",  "frame_rate",
                                        "start_timecode", "range",    "loudness", "peaks", "second_meter"};
    json_t *made = json_pack("{s:s, s:s, s:[], s:[], s:o}", "deliverable", deliverable, "verdict", "incomplete", "order", "files",
                             "findings", findings);
    for (size_t i = 0; i < sizeof empty / sizeof empty[0]; i++)
        json_object_set_new(made, empty[i], json_null());
    json_object_set(made, "failure", json_object_get(json_array_get(findings, 0), "message"));
    return made;
}

json_t *qc_left_out_name(const char *shown, const char *why)
{
    json_t *findings = json_array();
    json_array_append_new(findings, finding_of(why));
    json_t *made = programme_of(shown, findings);
    json_array_append_new(json_object_get(made, "files"), json_string(shown));
    return made;
}

json_t *qc_left_out(const json_t *result)
{
    json_t *left_out = json_array();
    json_t *seen = json_object();
    size_t index;
    const json_t *input;
    json_array_foreach (json_object_get(result, "inputs"), index, input) {
        const char *deliverable = text_of(input, "deliverable");
        json_t *programme = json_object_get(seen, deliverable);
        if (programme == NULL) {
            json_t *findings = findings_of(json_object_get(result, "problems"), deliverable);
            bool wrong = json_array_size(findings) > 0;
            programme = wrong ? programme_of(deliverable, findings) : json_null();
            if (wrong)
                json_array_append(left_out, programme);
            else
                json_decref(findings);
            json_object_set_new(seen, deliverable, programme);
        }
        if (json_is_object(programme))
            json_array_append(json_object_get(programme, "files"), json_object_get(input, "path"));
    }
    json_decref(seen);
    return left_out;
}

bool qc_left_out_has(const json_t *left_out, const char *path)
{
    size_t index;
    size_t place;
    const json_t *programme;
    const json_t *file;
    json_array_foreach (left_out, index, programme)
        json_array_foreach (json_object_get(programme, "files"), place, file)
            if (strcmp(json_string_value(file), path) == 0)
                return true;
    return false;
}

void qc_left_out_tell(json_t *sentences, const json_t *left_out)
{
    size_t index;
    const json_t *programme;
    json_array_foreach (left_out, index, programme)
        json_array_append(sentences, json_object_get(programme, "failure"));
}

void qc_left_out_add(json_t *report, const json_t *left_out)
{
    const char *verdict = text_of(report, "verdict");
    if (json_array_size(left_out) == 0)
        return;
    json_array_extend(json_object_get(report, "programmes"), (json_t *)left_out);
    if (strcmp(verdict, "fail") != 0)
        json_object_set_new(report, "verdict", json_string("incomplete"));
}
