#include "coordinator/cli/job_selector.h"

#include <stdio.h>
#include <string.h>

bool job_selector_is_number(const char *word, uint32_t *out_job)
{
    unsigned number = 0;
    char rest = 0;
    if (word[0] < '0' || word[0] > '9' || sscanf(word, "%9u%c", &number, &rest) != 1 || number == 0)
        return false;
    *out_job = number;
    return true;
}

static uint32_t number_at(const json_t *jobs, size_t index)
{
    return (uint32_t)json_integer_value(json_object_get(json_array_get(jobs, index), "job"));
}

status job_selector_mark(const char *word, const json_t *jobs, bool *wanted, error_detail *detail)
{
    unsigned first = 1;
    unsigned end = UINT32_MAX;
    char rest = 0;
    bool found = false;
    uint32_t number = 0;
    if (job_selector_is_number(word, &number)) {
        first = end = number;
    } else if (strcmp(word, "last") == 0) {
        for (size_t i = 0; i < json_array_size(jobs); i++)
            number = number_at(jobs, i) > number ? number_at(jobs, i) : number;
        first = end = number;
    } else if (strcmp(word, "all") != 0 &&
               (word[0] < '0' || word[0] > '9' || sscanf(word, "%9u-%9u%c", &first, &end, &rest) != 2 || first > end)) {
        return error_detail_set(detail, STATUS_INPUT_INVALID,
                                "'%s' names no job; a number, a range like 3-7, `last` or `all` does", word);
    }
    for (size_t i = 0; i < json_array_size(jobs); i++)
        if (number_at(jobs, i) >= first && number_at(jobs, i) <= end)
            wanted[i] = found = true;
    return found ? STATUS_OK
                 : error_detail_set(detail, STATUS_INPUT_MISSING, "no job is meant by '%s'; `reelmill status` lists the jobs",
                                    word);
}
