#define _GNU_SOURCE
#include "coordinator/shell/job_rest.h"

#include "coordinator/shell/farm_state.h"
#include "coordinator/shell/job_json.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    REST_IDLE_MS = 10000,
    REST_LOOK_MS = 1000,
    REST_AWAKE_MAX = 64, /* ended jobs in memory at once, whoever asks for how many */
    REST_BYTES_MAX = 256 << 20
};

/* ---- the plan ---- */

/* What the probes found; as in job_runner.c a failed probe is a fact too. */
static void take_facts(farm_job *self, uint32_t input)
{
    const job_result *result = job_result_get(self, input);
    byte_reader reader;
    byte_reader_init(&reader, result == NULL ? NULL : result->payload, result == NULL ? 0 : result->payload_size);
    if (result != NULL)
        media_facts_decode(&self->facts[input], &reader);
    if (result == NULL || !byte_reader_complete(&reader))
        self->facts[input] = (media_facts){.outcome = STATUS_NODE_CRASHED};
}

bool job_plan_again(farm_job *self, uint32_t slot_count, uint32_t cells_per_task, const content_hash *digest)
{
    const job_source *source = self->source;
    problem_list problems = {0};
    plan_options options = job_source_options(source, slot_count, cells_per_task);
    self->plan_slot_count = slot_count;
    self->plan_cells_per_task = cells_per_task;
    self->facts = calloc((size_t)source->inputs.count + 1, sizeof *self->facts);
    for (uint32_t i = 0; self->facts != NULL && i < source->inputs.count; i++)
        take_facts(self, i);
    status code = self->facts == NULL ? STATUS_NODE_MEMORY
                                      : plan_create(&self->plan, &source->show, &source->inputs, self->facts, &options,
                                                    job_plan_task(self) + 1, &self->problem_arena, &problems);
    self->problems = problems;
    if (code == STATUS_OK && content_hash_equal(&self->plan->digest, digest) && job_generations_begin(self) &&
        job_results_resize(self, job_plan_task(self) + 1 + self->plan->task_count)) {
        for (uint32_t i = 0; i < self->plan->deliverable_count; i++)
            job_leader_settle(self, i);
        return true;
    }
    if (self->plan != NULL)
        plan_destroy(&self->plan);
    free(self->facts);
    self->facts = NULL;
    return false;
}

/* ---- to a file ---- */

static void put_problems(const problem_list *list, byte_writer *writer)
{
    byte_writer problems;
    byte_writer_init(&problems, REST_BYTES_MAX);
    problems_encode(list, &problems);
    byte_writer_blob(writer, problems.bytes, problems.failed ? 0 : problems.size);
    byte_writer_deinit(&problems);
}

static void put_job(const farm_job *job, byte_writer *writer)
{
    byte_writer_blob(writer, job->source->text, job->source->text_size);
    put_problems(&job->problems, writer);
    byte_writer_u8(writer, job->plan != NULL);
    if (job->plan != NULL) {
        byte_writer_bytes(writer, job->plan->digest.bytes, sizeof job->plan->digest.bytes);
        byte_writer_u32(writer, job->plan_slot_count);
        byte_writer_u32(writer, job->plan_cells_per_task);
    }
    byte_writer_u32(writer, job->result_count);
    for (uint32_t i = 0; i < job->result_count; i++) {
        const job_result *result = &job->results[i];
        byte_writer_u8(writer, result->done);
        byte_writer_blob(writer, result->payload, result->payload_size);
        byte_writer_u64(writer, result->cells.offset);
        byte_writer_u64(writer, result->cells.byte_size);
    }
    byte_writer_u32(writer, job->error_count);
    for (uint32_t i = 0; i < job->error_count; i++) {
        byte_writer_u32(writer, job->errors[i].task);
        byte_writer_u8(writer, (uint8_t)job->errors[i].code);
        byte_writer_u8(writer, job->errors[i].final);
        byte_writer_text(writer, job->errors[i].text);
    }
    for (uint32_t i = 0; job->plan != NULL && i < job->plan->deliverable_count; i++)
        byte_writer_u32(writer, job->generations[i]);
}

static bool write_all(int descriptor, const uint8_t *bytes, size_t size)
{
    while (size > 0) {
        ssize_t part = write(descriptor, bytes, size);
        if (part < 0 && errno == EINTR)
            continue;
        if (part <= 0)
            return false;
        bytes += part;
        size -= (size_t)part;
    }
    return true;
}

static uint8_t *read_whole(const char *path, size_t *out_size)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat facts;
    if (descriptor < 0)
        return NULL;
    size_t size = fstat(descriptor, &facts) == 0 && facts.st_size <= REST_BYTES_MAX ? (size_t)facts.st_size : 0;
    uint8_t *bytes = malloc(size + 1);
    size_t done = 0;
    while (bytes != NULL && done < size) {
        ssize_t part = read(descriptor, bytes + done, size - done);
        if (part < 0 && errno == EINTR)
            continue;
        if (part <= 0)
            break;
        done += (size_t)part;
    }
    close(descriptor);
    *out_size = done;
    return bytes;
}

static bool replace_file(const char *path, const uint8_t *bytes, size_t size)
{
    (void)unlink(path); /* a new one: file systems write an emptied one to the disk when it is closed, and that takes its time */
    int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool written = descriptor >= 0 && write_all(descriptor, bytes, size);
    if (descriptor >= 0 && close(descriptor) != 0)
        written = false;
    return written;
}

/* A start puts thousands to rest that were so before. To remove a file takes milliseconds where a disk is busy, to see that
 * it is the same takes microseconds. */
static bool write_down(farm_job *job)
{
    char path[PATH_MAX_BYTES];
    byte_writer writer;
    size_t held_size = 0;
    byte_writer_init(&writer, REST_BYTES_MAX);
    put_job(job, &writer);
    job_path(job, JOB_REST_FILE, path);
    uint8_t *held = writer.failed ? NULL : read_whole(path, &held_size);
    bool written = held != NULL && held_size == writer.size && memcmp(held, writer.bytes, held_size) == 0;
    free(held);
    written = written || (!writer.failed && replace_file(path, writer.bytes, writer.size));
    if (written)
        job->rest_digest = content_hash_of(writer.bytes, writer.size);
    else
        log_line(LOG_WARN, "job.not_rested", "job=%u file=\"%s\" reason=\"%s\"", job->number, path, strerror(errno));
    byte_writer_deinit(&writer);
    return written;
}

bool farm_job_rest(const farm_state *farm, farm_job *job)
{
    bool unknown = job->plan_lost && job->rest_message == NULL; /* how it ended stands in its failed PLAN task alone */
    if (!job->ended || job->resting || job->unreadable || unknown || job->work_count > 0)
        return false;
    job_outcome outcome = job_outcome_of(farm, job);
    char *told = strdup(outcome.message);
    if (told == NULL || !write_down(job)) {
        free(told);
        return false;
    }
    free(job->rest_message);
    job->rest_message = told;
    job->rest_code = outcome.code;
    job->rest_exit_code = outcome.exit_code;
    job->rest_task_count = job_task_count(job);
    job_drop_contents(job);
    job->resting = true;
    return true;
}

/* ---- and back ---- */

static bool take_results(farm_job *job, byte_reader *reader)
{
    uint32_t count = byte_reader_u32(reader);
    if (count > byte_reader_left(reader) || !job_results_resize(job, count))
        return false;
    for (uint32_t i = 0; i < count && !reader->failed; i++) {
        size_t size = 0;
        bool done = byte_reader_u8(reader) != 0;
        const uint8_t *payload = byte_reader_blob(reader, REST_BYTES_MAX, &size);
        cell_stretch cells = {.offset = byte_reader_u64(reader)};
        cells.byte_size = byte_reader_u64(reader);
        message_bytes bytes = {.bytes = payload, .size = (uint32_t)size};
        if (done && !reader->failed && !job_result_keep(job, i, &bytes, &cells))
            return false;
    }
    return !reader->failed;
}

static bool take_errors(farm_job *job, byte_reader *reader)
{
    uint32_t count = byte_reader_u32(reader);
    for (uint32_t i = 0; i < count && !reader->failed; i++) {
        char text[ERROR_MESSAGE_SIZE];
        uint32_t task = byte_reader_u32(reader);
        status code = (status)byte_reader_u8(reader);
        bool final = byte_reader_u8(reader) != 0;
        byte_reader_text(reader, text, sizeof text);
        job_error_add(job, task, code, final, text);
    }
    return !reader->failed;
}

static bool take_plan(farm_job *job, byte_reader *reader, const content_hash *digest, const uint32_t numbers[2])
{
    if (!job_plan_again(job, numbers[0], numbers[1], digest))
        return false;
    for (uint32_t i = 0; i < job->plan->deliverable_count; i++)
        job->generations[i] = byte_reader_u32(reader);
    return true;
}

/* The parts in the order of put_job; generations of the plan come last, when there is a plan to hold them. */
static bool take_job(farm_job *job, byte_reader *reader)
{
    size_t text_size = 0, problem_size = 0;
    content_hash digest = {0};
    uint32_t numbers[2] = {0};
    const uint8_t *text = byte_reader_blob(reader, REST_BYTES_MAX, &text_size);
    const uint8_t *problems = byte_reader_blob(reader, REST_BYTES_MAX, &problem_size);
    bool planned = byte_reader_u8(reader) != 0;
    if (planned) {
        const uint8_t *bytes = byte_reader_view(reader, sizeof digest.bytes);
        if (bytes != NULL)
            memcpy(digest.bytes, bytes, sizeof digest.bytes);
        numbers[0] = byte_reader_u32(reader);
        numbers[1] = byte_reader_u32(reader);
    }
    if (reader->failed || (job->source = job_source_create((const char *)text, text_size)) == NULL ||
        job->source->code != STATUS_OK || !take_results(job, reader) || !take_errors(job, reader))
        return false;
    if (planned && !take_plan(job, reader, &digest, numbers))
        return false;
    return byte_reader_complete(reader) &&
           problems_decode(&job->problems, problems, problem_size, &job->problem_arena) == STATUS_OK;
}

status farm_job_wake(const farm_state *farm, farm_job *job, error_detail *detail)
{
    char path[PATH_MAX_BYTES];
    size_t size = 0;
    job->touched_ms = farm_now_ms(farm);
    if (!job->resting)
        return STATUS_OK;
    job_path(job, JOB_REST_FILE, path);
    uint8_t *bytes = read_whole(path, &size);
    content_hash digest = content_hash_of(bytes, bytes == NULL ? 0 : size);
    byte_reader reader;
    byte_reader_init(&reader, bytes, bytes == NULL ? 0 : size);
    bool taken = bytes != NULL && content_hash_equal(&digest, &job->rest_digest) && take_job(job, &reader);
    free(bytes);
    if (taken) {
        job->resting = false;
        free(job->rest_row); /* from here on it may change again */
        job->rest_row = NULL;
        return STATUS_OK;
    }
    job_drop_contents(job);
    return error_detail_set(detail, STATUS_STORAGE_MISMATCH,
                            "what job %u left in '%s' cannot be read back; a restart of the coordinator makes it anew from the "
                            "journal", job->number, path);
}

void farm_rest_old(farm_state *farm)
{
    uint64_t now_ms = farm_now_ms(farm);
    uint32_t awake = 0;
    bool rested = false;
    if (now_ms < farm->rest_due_ms)
        return;
    farm->rest_due_ms = now_ms + REST_LOOK_MS;
    for (size_t i = 0; i < farm->jobs.count; i++)
        awake += farm->jobs.items[i]->ended && !farm->jobs.items[i]->resting;
    for (size_t i = 0; awake > 0 && i < farm->jobs.count; i++) {
        farm_job *job = farm->jobs.items[i];
        if (job->ended && !job->resting && (awake > REST_AWAKE_MAX || now_ms - job->touched_ms > REST_IDLE_MS) &&
            farm_job_rest(farm, job)) {
            awake--;
            rested = true;
        }
    }
    if (rested)
        malloc_trim(0); /* a job is many small pieces: without this the heap keeps their pages */
}
