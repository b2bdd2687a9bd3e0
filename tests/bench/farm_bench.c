/*
 * farm_bench COORDINATOR [TASKS]: what the coordinator itself can do. The real program on one core, with its journal on
 * disk; workers and a client with real messages over a real socket on another. A QC job of so many files gives as many
 * tasks that are empty (each probe is answered at once), then the coordinator is killed in the middle of a second such
 * job and started again.
 *
 * Prints a table of figures; judges nothing: the machine may be busy. The processor time of the coordinator is what to
 * compare.
 */
#define _GNU_SOURCE
#include "common/base/content_hash.h"
#include "common/base/engine_version.h"
#include "common/base/ensure.h"
#include "common/media/media_facts.h"
#include "common/media/render_program.h"
#include "proto/message_decode.h"
#include "proto/message_encode.h"

#include <ftw.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

enum { WORKERS = 8, SLOTS = 64, PATIENCE_MS = 120000 };

typedef struct farm_bench {
    const char *program;
    char folder[64];
    char endpoint[96];
    pid_t coordinator;
    void *context;
    void *client;
    void *workers[WORKERS];
    uint32_t beats[WORKERS];
    bool welcomed[WORKERS];
    uint64_t beat_due_ms[WORKERS];
    byte_writer frame;
    byte_writer facts; /* of a probe that found nothing */
    uint8_t request;
    message message;
    uint64_t assigned, acknowledged;
    uint64_t answers_left; /* of tasks that are given out beyond these nothing is said: they stay open */
    uint64_t first_assign_ns, last_ack_ns;
} farm_bench;

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void pin(size_t processor)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(processor, &one);
    (void)sched_setaffinity(0, sizeof one, &one);
}

/* ---- the coordinator ---- */

static void coordinator_start(farm_bench *self)
{
    char state[96];
    snprintf(state, sizeof state, "%s/state", self->folder);
    self->coordinator = fork();
    ENSURE(self->coordinator >= 0);
    if (self->coordinator > 0)
        return;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* however this program ends */
    pin(0);
    execl(self->program, self->program, "--listen", self->endpoint, "--state", state, "--root", "media=/m", "--log",
          "error", (char *)NULL);
    _exit(127);
}

static void coordinator_kill(farm_bench *self)
{
    kill(self->coordinator, SIGKILL);
    (void)waitpid(self->coordinator, NULL, 0);
    for (uint32_t i = 0; i < WORKERS; i++)
        self->welcomed[i] = false;
}

static double coordinator_cpu_s(const farm_bench *self)
{
    char path[64];
    char text[1024] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", (int)self->coordinator);
    FILE *file = fopen(path, "r");
    ENSURE(file != NULL);
    ENSURE(fread(text, 1, sizeof text - 1, file) > 0);
    fclose(file);
    unsigned long user = 0;
    unsigned long system = 0;
    const char *rest = strrchr(text, ')');
    ENSURE(rest != NULL && sscanf(rest + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) == 2);
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static double coordinator_resident_mib(const farm_bench *self)
{
    char path[64];
    unsigned long pages = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)self->coordinator);
    FILE *file = fopen(path, "r");
    ENSURE(file != NULL && fscanf(file, "%*u %lu", &pages) == 1);
    fclose(file);
    return (double)pages * (double)sysconf(_SC_PAGESIZE) / 1048576.0;
}

/* ---- messages ---- */

static void *dealer(farm_bench *self)
{
    void *socket = zmq_socket(self->context, ZMQ_DEALER);
    int none = 0;
    int soon_ms = 10;
    ENSURE(socket != NULL);
    zmq_setsockopt(socket, ZMQ_LINGER, &none, sizeof none);
    zmq_setsockopt(socket, ZMQ_SNDHWM, &none, sizeof none);
    zmq_setsockopt(socket, ZMQ_RCVHWM, &none, sizeof none);
    zmq_setsockopt(socket, ZMQ_RECONNECT_IVL, &soon_ms, sizeof soon_ms);
    ENSURE(zmq_connect(socket, self->endpoint) == 0);
    return socket;
}

static void say(farm_bench *self, void *socket, const message *what)
{
    byte_writer_reset(&self->frame);
    ENSURE(message_encode(what, &self->frame) == STATUS_OK);
    (void)zmq_send(socket, self->frame.bytes, self->frame.size, ZMQ_DONTWAIT);
}

static void say_hello(farm_bench *self, uint32_t index)
{
    message *hello = calloc(1, sizeof *hello);
    ENSURE(hello != NULL);
    hello->type = MESSAGE_HELLO;
    hello->hello = (message_hello){.protocol_version = PROTOCOL_VERSION,
                                   .render_version = RENDER_VERSION,
                                   .slots = SLOTS,
                                   .root_count = 1,
                                   .beat = ++self->beats[index]};
    snprintf(hello->hello.engine, sizeof hello->hello.engine, "%s", ENGINE_VERSION);
    snprintf(hello->hello.name, sizeof hello->hello.name, "bench-%u", index);
    snprintf(hello->hello.cpu, sizeof hello->hello.cpu, "scalar");
    snprintf(hello->hello.roots[0].name, sizeof hello->hello.roots[0].name, "media");
    hello->hello.instance[0] = 0x80;
    hello->hello.instance[1] = (uint8_t)index;
    say(self, self->workers[index], hello);
    free(hello);
}

static void worker_heard(farm_bench *self, uint32_t index)
{
    message *heard = &self->message;
    if (heard->type == MESSAGE_WELCOME) {
        self->welcomed[index] = true;
    } else if (heard->type == MESSAGE_REFUSE) {
        self->welcomed[index] = false;
    } else if (heard->type == MESSAGE_ACK && heard->attempts.count > 0) {
        self->acknowledged += heard->attempts.count;
        self->last_ack_ns = now_ns();
    } else if (heard->type == MESSAGE_ASSIGN) {
        if (self->assigned == 0)
            self->first_assign_ns = now_ns();
        self->assigned += heard->assign.task_count;
        message *result = calloc(1, sizeof *result);
        ENSURE(result != NULL);
        for (uint32_t i = 0; i < heard->assign.task_count && self->answers_left > 0; i++, self->answers_left--) {
            result->type = MESSAGE_RESULT;
            result->result = (message_result){.attempt = heard->assign.tasks[i].attempt,
                                              .code = STATUS_OK,
                                              .elapsed_ms = 1,
                                              .payload = {.bytes = self->facts.bytes, .size = (uint32_t)self->facts.size}};
            say(self, self->workers[index], result);
        }
        free(result);
    }
}

/* One look at every worker's socket and clock. */
static void workers_turn(farm_bench *self)
{
    zmq_pollitem_t items[WORKERS];
    for (uint32_t i = 0; i < WORKERS; i++)
        items[i] = (zmq_pollitem_t){.socket = self->workers[i], .events = ZMQ_POLLIN};
    zmq_poll(items, WORKERS, 1);
    uint64_t now_ms = now_ns() / 1000000;
    for (uint32_t i = 0; i < WORKERS; i++) {
        for (int many = 0; many < 256; many++) {
            zmq_msg_t frame;
            zmq_msg_init(&frame);
            int size = zmq_msg_recv(&frame, self->workers[i], ZMQ_DONTWAIT);
            if (size >= 0 && message_decode(&self->message, zmq_msg_data(&frame), (size_t)size, NULL, NULL) == STATUS_OK)
                worker_heard(self, i);
            zmq_msg_close(&frame);
            if (size < 0)
                break;
        }
        if (now_ms < self->beat_due_ms[i])
            continue;
        self->beat_due_ms[i] = now_ms + (self->welcomed[i] ? 1000 : 50);
        if (self->welcomed[i]) {
            message *beat = calloc(1, sizeof *beat);
            ENSURE(beat != NULL);
            beat->type = MESSAGE_HEARTBEAT;
            beat->heartbeat.beat = ++self->beats[i];
            say(self, self->workers[i], beat);
            free(beat);
        } else {
            say_hello(self, i);
        }
    }
}

/* ---- the client ---- */

static message_answer ask(farm_bench *self, const message *request, const uint8_t id[REQUEST_BYTES])
{
    uint64_t end_ns = now_ns() + PATIENCE_MS * UINT64_C(1000000);
    uint64_t again_ns = 0;
    while (now_ns() < end_ns) {
        if (now_ns() >= again_ns) {
            say(self, self->client, request);
            again_ns = now_ns() + 500000000u;
        }
        zmq_pollitem_t item = {.socket = self->client, .events = ZMQ_POLLIN};
        zmq_poll(&item, 1, 100);
        zmq_msg_t frame;
        zmq_msg_init(&frame);
        int size = zmq_msg_recv(&frame, self->client, ZMQ_DONTWAIT);
        bool ours = size >= 0 &&
                    message_decode(&self->message, zmq_msg_data(&frame), (size_t)size, NULL, NULL) == STATUS_OK &&
                    self->message.type == MESSAGE_ANSWER && memcmp(self->message.answer.request, id, REQUEST_BYTES) == 0;
        /* Answers of one submission are told apart by job and offset: an earlier one may come twice. */
        if (ours && self->message.answer.code == STATUS_OK)
            ours = request->type == MESSAGE_SUBMIT_COMMIT   ? self->message.answer.job != 0
                   : request->type == MESSAGE_SUBMIT_APPEND ? self->message.answer.offset > request->submit_append.offset
                                                            : true;
        zmq_msg_close(&frame);
        if (ours)
            return self->message.answer;
    }
    fprintf(stderr, "the coordinator does not answer\n");
    exit(1);
}

static char *make_document(uint32_t file_count, size_t *out_size)
{
    char *text = malloc((size_t)file_count * 24 + 1024);
    ENSURE(text != NULL);
    char *at = text + sprintf(text, "{\"reelmill\":1,\"kind\":\"qc\",\"qc\":{\"spec\":\"none\",\"files\":[");
    for (uint32_t i = 0; i < file_count; i++)
        at += sprintf(at, "%s\"reel/f%06u.wav\"", i > 0 ? "," : "", i);
    at += sprintf(at, "]},\"places\":{\"media\":{\"root\":\"media\",\"prefix\":\"\"},\"out\":null}}");
    *out_size = (size_t)(at - text);
    return text;
}

/* Seconds from the first word to the job's number. */
static double submit(farm_bench *self, uint32_t file_count)
{
    size_t size = 0;
    char *document = make_document(file_count, &size);
    uint8_t id[REQUEST_BYTES];
    memset(id, ++self->request, sizeof id);
    message *request = calloc(1, sizeof *request);
    ENSURE(request != NULL);
    uint64_t begin_ns = now_ns();
    request->type = MESSAGE_SUBMIT_BEGIN;
    memcpy(request->submit_begin.request, id, sizeof id);
    request->submit_begin.document_size = size;
    request->submit_begin.document_digest = content_hash_of(document, size);
    message_answer answer = ask(self, request, id);
    for (size_t offset = answer.offset; answer.code == STATUS_OK && offset < size; offset = answer.offset) {
        *request = (message){.type = MESSAGE_SUBMIT_APPEND};
        memcpy(request->submit_append.request, id, sizeof id);
        request->submit_append.offset = offset;
        request->submit_append.bytes.bytes = (const uint8_t *)document + offset;
        request->submit_append.bytes.size = (uint32_t)(size - offset < DOCUMENT_CHUNK_MAX ? size - offset : DOCUMENT_CHUNK_MAX);
        answer = ask(self, request, id);
    }
    *request = (message){.type = MESSAGE_SUBMIT_COMMIT};
    memcpy(request->submit_commit.request, id, sizeof id);
    if (answer.code == STATUS_OK)
        answer = ask(self, request, id);
    double took_s = (double)(now_ns() - begin_ns) / 1e9;
    if (answer.code != STATUS_OK || answer.job == 0) {
        fprintf(stderr, "the job is refused: %s\n", answer.detail);
        exit(1);
    }
    free(request);
    free(document);
    return took_s;
}

/* ---- the figures ---- */

static void run_until(farm_bench *self, uint64_t acknowledged)
{
    uint64_t end_ns = now_ns() + PATIENCE_MS * UINT64_C(1000000);
    while (self->acknowledged < acknowledged && now_ns() < end_ns)
        workers_turn(self);
    if (self->acknowledged < acknowledged) {
        fprintf(stderr, "only %llu of %llu tasks are done\n", (unsigned long long)self->acknowledged,
                (unsigned long long)acknowledged);
        exit(1);
    }
}

static void measure_tasks(farm_bench *self, uint32_t task_count)
{
    double before_mib = coordinator_resident_mib(self);
    double submitted_s = submit(self, task_count);
    double queued_mib = coordinator_resident_mib(self);
    double before_s = coordinator_cpu_s(self);
    self->assigned = self->acknowledged = 0;
    self->answers_left = UINT64_MAX;
    for (uint32_t i = 0; i < WORKERS; i++)
        say_hello(self, i);
    run_until(self, task_count);
    double wall_s = (double)(self->last_ack_ns - self->first_assign_ns) / 1e9;
    double cpu_s = coordinator_cpu_s(self) - before_s;
    printf("submission of %u files: %.2f s, %.0f bytes of memory per queued task\n", task_count, submitted_s,
           (queued_mib - before_mib) * 1048576.0 / task_count);
    printf("dispatch and completion of %u empty tasks: %.0f tasks/s (%.2f s); the coordinator's processor time %.1f us per "
           "task, %.0f tasks per second of it\n",
           task_count, task_count / wall_s, wall_s, cpu_s * 1e6 / task_count, task_count / cpu_s);
}

static void measure_recovery(farm_bench *self, uint32_t task_count)
{
    self->assigned = self->acknowledged = 0;
    self->answers_left = task_count / 2;
    (void)submit(self, task_count);
    run_until(self, task_count / 2);
    coordinator_kill(self);
    for (int turns = 0; turns < 50; turns++)
        workers_turn(self); /* what was on its way */
    self->assigned = 0;
    uint64_t begin_ns = now_ns();
    coordinator_start(self);
    while (self->assigned == 0 && now_ns() < begin_ns + PATIENCE_MS * UINT64_C(1000000))
        workers_turn(self);
    if (self->assigned == 0) {
        fprintf(stderr, "the coordinator gives nothing out after its start\n");
        exit(1);
    }
    printf("killed with %u tasks of the second job open, %u tasks in the journal: the first task is given out %.2f s "
           "after the start (%.2f s of processor time)\n",
           task_count / 2, 2 * task_count, (double)(self->first_assign_ns - begin_ns) / 1e9, coordinator_cpu_s(self));
}

static int remove_entry(const char *path, const struct stat *facts, int kind, struct FTW *place)
{
    (void)facts;
    (void)kind;
    (void)place;
    return remove(path);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: farm_bench COORDINATOR [TASKS]\n");
        return 2;
    }
    uint32_t task_count = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 50000;
    static farm_bench self;
    self.program = argv[1];
    strcpy(self.folder, "/var/tmp/farm_bench_XXXXXX"); /* a disk: the journal syncs */
    ENSURE(mkdtemp(self.folder) != NULL);
    snprintf(self.endpoint, sizeof self.endpoint, "ipc://%s/farm", self.folder);
    byte_writer_init(&self.frame, FRAME_BYTES_MAX);
    byte_writer_init(&self.facts, 65536);
    media_facts *facts = calloc(1, sizeof *facts);
    ENSURE(facts != NULL);
    facts->outcome = STATUS_INPUT_MISSING;
    media_facts_encode(facts, &self.facts);
    free(facts);
    pin(1);
    coordinator_start(&self);
    self.context = zmq_ctx_new();
    self.client = dealer(&self);
    for (uint32_t i = 0; i < WORKERS; i++)
        self.workers[i] = dealer(&self);
    measure_tasks(&self, task_count);
    measure_recovery(&self, task_count);
    coordinator_kill(&self);
    (void)nftw(self.folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    return 0;
}
