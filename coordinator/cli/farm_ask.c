#include "coordinator/cli/farm_ask.h"

#include "coordinator/cli/job_selector.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *farm_text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

double farm_number_of(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

bool farm_job_has_ended(const json_t *job)
{
    return strcmp(farm_text_of(job, "state"), "ended") == 0 || json_is_integer(json_object_get(job, "exit_code"));
}

status farm_ask_json(farm_client *client, const char *what, uint32_t job, json_t **out_answer, error_detail *detail)
{
    if (strcmp(what, "jobs") == 0)
        return farm_client_jobs(client, FARM_ASK_MS, out_answer, detail);
    char *text = NULL;
    size_t size = 0;
    status code = farm_client_query(client, what, job, FARM_ASK_MS, &text, &size, detail);
    if (code != STATUS_OK)
        return code;
    *out_answer = json_loadb(text, size, 0, NULL);
    free(text);
    return *out_answer != NULL ? STATUS_OK
                               : error_detail_set(detail, STATUS_PEER_MALFORMED, "the coordinator's answer to '%s' is no JSON", what);
}

status farm_ask_jobs(const char *const *words, uint32_t word_count, farm_client *client, job_state_wanted which, arena *memory,
                     uint32_t **out_numbers, uint32_t *out_count, error_detail *detail)
{
    uint32_t number = 0;
    bool plain = true;
    *out_count = 0;
    for (uint32_t i = 0; i < word_count; i++)
        plain = plain && job_selector_is_number(words[i], &number);
    if (plain) {
        *out_numbers = arena_take_array(memory, word_count, sizeof **out_numbers);
        for (uint32_t i = 0; i < word_count; i++)
            (void)job_selector_is_number(words[i], &(*out_numbers)[(*out_count)++]);
        return STATUS_OK;
    }
    json_t *answer = NULL;
    status code = farm_ask_json(client, "jobs", 0, &answer, detail);
    if (code != STATUS_OK)
        return code;
    const json_t *jobs = json_object_get(answer, "jobs");
    size_t count = json_array_size(jobs);
    bool *wanted = arena_take_array(memory, count + 1, sizeof *wanted);
    memset(wanted, 0, (count + 1) * sizeof *wanted);
    *out_numbers = arena_take_array(memory, count + 1, sizeof **out_numbers);
    for (uint32_t i = 0; i < word_count && code == STATUS_OK; i++)
        code = job_selector_mark(words[i], jobs, wanted, detail);
    for (size_t i = count; i-- > 0 && code == STATUS_OK;) { /* the list is newest first */
        const json_t *job = json_array_get(jobs, i);
        if (wanted[i] && (which == JOBS_ANY || farm_job_has_ended(job) == (which == JOBS_ENDED)))
            (*out_numbers)[(*out_count)++] = (uint32_t)farm_number_of(job, "job");
    }
    json_decref(answer);
    return code;
}
