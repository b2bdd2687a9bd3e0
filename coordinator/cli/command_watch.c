/* `reelmill watch`: folders that are dropped into one become jobs of a farm, and go to done or failed when these end. */
#define _GNU_SOURCE
#include "coordinator/cli/cli.h"

#include "coordinator/cli/drop_folder.h"
#include "coordinator/cli/farm_job.h"
#include "coordinator/cli/show_submit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    LOOK_MS = 2000,
    QUERY_MS = 10000,
    SETTLE_S = 30,
    DROPS_MAX = 4096,
    PRESET_BYTES_MAX = 1 << 20,
    PATH_BYTES = PATH_MAX_BYTES + 320
};

/* What this process has seen of a folder; what must outlive it stands in the folder's note. */
typedef struct drop_seen {
    char name[256];
    uint64_t fingerprint;
    time_t since; /* monotonic: unchanged since then */
    bool told;    /* of the trouble that it is in */
    bool here;
} drop_seen;

typedef struct folder_watch {
    const cli_arguments *arguments;
    const char *folder;
    const char *marker;
    const char *preset; /* text, or NULL */
    uint32_t settle_s;
    farm_client *client;
    drop_seen *seen;
    size_t seen_count;
} folder_watch;

static time_t now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static drop_seen *seen_of(folder_watch *self, const char *name)
{
    for (size_t i = 0; i < self->seen_count; i++)
        if (strcmp(self->seen[i].name, name) == 0)
            return &self->seen[i];
    if (self->seen_count == DROPS_MAX || strlen(name) >= sizeof self->seen->name)
        return NULL;
    drop_seen *seen = &self->seen[self->seen_count++];
    *seen = (drop_seen){.since = now_s()};
    strcpy(seen->name, name);
    return seen;
}

static void tell_trouble(drop_seen *seen, const error_detail *detail)
{
    if (!seen->told)
        cli_print(stderr, "reelmill: %s: %s\n", seen->name, detail->message);
    seen->told = true;
}

/* Its end: what came of it beside its files, and the folder out of the way. */
static void finish(folder_watch *self, drop_seen *seen, const char *path, uint32_t job, bool good, const char *result)
{
    error_detail detail = {0};
    if (drop_result_write(path, result, &detail) != STATUS_OK)
        cli_print(stderr, "reelmill: %s: %s\n", seen->name, detail.message);
    if (drop_move(self->folder, seen->name, good ? "done" : "failed", job, &detail) != STATUS_OK)
        tell_trouble(seen, &detail);
    else
        cli_print(stderr, "reelmill: %s: %s\n", seen->name, good ? "done" : "failed");
}

static void refuse(folder_watch *self, drop_seen *seen, const char *held, const char *text, const error_detail *why)
{
    if (why->message[0] != '\0')
        cli_print(stderr, "reelmill: %s: %s\n", seen->name, why->message);
    finish(self, seen, held, 0, false, text);
}

/* Only what the farm itself cannot do now is tried again; the rest is the drop's fault. */
static bool try_later(status code)
{
    status_class class = status_class_of(code);
    return class != STATUS_CLASS_INPUT && class != STATUS_CLASS_LIMIT;
}

static void submit_drop(folder_watch *self, drop_seen *seen, const char *path, const char *held, drop_note *note)
{
    error_detail detail = {0};
    char show_path[PATH_BYTES + 16];
    loaded_show loaded = {.display = ""};
    arena memory;
    arena_init(&memory);
    status code = drop_make_show(held, seen->name, self->preset, &detail);
    snprintf(show_path, sizeof show_path, "%s/show.yaml", path);
    if (code == STATUS_OK)
        code = loaded_show_read(&loaded, show_path, NULL, &memory, &detail);
    bool own = loaded.problems.count > 0 && drop_has_show(held, loaded.text, loaded.text_size, &memory);
    if (code == STATUS_OK && !note->present) {
        note->present = getrandom(note->request, sizeof note->request, 0) == (ssize_t)sizeof note->request;
        code = drop_note_write(note, held, &detail);
    }
    show_order order = {.options = {.kind = "run"}, .priority = (int32_t)cli_number(self->arguments, "priority", 0), .request = note->request};
    if (code == STATUS_OK)
        code = show_submit(self->client, &loaded, &order, &memory, &note->job, &detail);
    if (code == STATUS_OK)
        code = drop_note_write(note, held, &detail);
    if (code == STATUS_OK)
        cli_print(stderr, "reelmill: %s: job %u\n", seen->name, note->job);
    else if (try_later(code))
        tell_trouble(seen, &detail);
    else
        refuse(self, seen, held, drop_refusal(detail.message, own ? &loaded.problems : &(problem_list){0}, path, &memory), &detail);
    arena_deinit(&memory);
}

static void follow_job(folder_watch *self, drop_seen *seen, const char *path, const drop_note *note)
{
    char *text = NULL;
    size_t size = 0;
    error_detail detail = {0};
    arena memory;
    arena_init(&memory);
    uint32_t job = note->job;
    status code = farm_client_query(self->client, "job", job, QUERY_MS, &text, &size, &detail);
    json_t *answer = code == STATUS_OK ? json_loadb(text, size, 0, NULL) : NULL;
    const json_t *exit_code = json_object_get(answer, "exit_code");
    const char *digest = json_string_value(json_object_get(answer, "request_digest"));
    if (code == STATUS_OK && (digest == NULL || !drop_note_is_of(note, digest)))
        code = error_detail_set(&detail, STATUS_INPUT_CONFLICT, "its '%s' names job %u, which is not this folder's", DROP_NOTE, job);
    if (code != STATUS_OK && !try_later(code))
        refuse(self, seen, path, drop_refusal(detail.message, &(problem_list){0}, path, &memory), &detail);
    else if (code != STATUS_OK)
        tell_trouble(seen, &detail);
    else if (json_is_integer(exit_code))
        finish(self, seen, path, job, json_integer_value(exit_code) == EXIT_PASS, text);
    json_decref(answer);
    free(text);
    arena_deinit(&memory);
}

/* Nothing in it has changed for the settling time, and the marker is there. */
static bool has_settled(folder_watch *self, drop_seen *seen, const char *path)
{
    char marker[PATH_BYTES + 256];
    uint64_t fingerprint = 0;
    error_detail detail = {0};
    if (drop_fingerprint(path, &fingerprint, &detail) != STATUS_OK) {
        tell_trouble(seen, &detail);
        return false;
    }
    if (fingerprint != seen->fingerprint || seen->fingerprint == 0) {
        seen->fingerprint = fingerprint;
        seen->since = now_s();
    }
    snprintf(marker, sizeof marker, "%s/%s", path, self->marker);
    return access(marker, F_OK) == 0 && now_s() - seen->since >= (time_t)self->settle_s;
}

static void tend_drop(folder_watch *self, const char *name)
{
    char path[PATH_BYTES], held[64];
    drop_note note;
    error_detail detail = {0};
    drop_seen *seen = seen_of(self, name);
    int size = snprintf(path, sizeof path, "%s/%s", self->folder, name);
    if (seen == NULL || size < 0 || (size_t)size >= sizeof path)
        return;
    /* Held open: who fills it could put a link in its place between two looks. */
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0)
        return;
    snprintf(held, sizeof held, "/proc/self/fd/%d/.", folder);
    seen->here = true;
    if (drop_note_read(&note, held, &detail) != STATUS_OK)
        tell_trouble(seen, &detail);
    else if (note.job != 0)
        follow_job(self, seen, held, &note);
    else if (note.present || has_settled(self, seen, held))
        submit_drop(self, seen, path, held, &note);
    (void)close(folder);
}

static void forget_gone(folder_watch *self)
{
    size_t kept = 0;
    for (size_t i = 0; i < self->seen_count; i++)
        if (self->seen[i].here) {
            self->seen[i].here = false;
            if (kept != i)
                self->seen[kept] = self->seen[i];
            kept++;
        }
    self->seen_count = kept;
}

static status look(folder_watch *self, error_detail *detail)
{
    DIR *folder = opendir(self->folder);
    if (folder == NULL)
        return error_detail_set(detail, STATUS_INPUT_MISSING, "cannot look into '%s': %s", self->folder, strerror(errno));
    for (struct dirent *entry = readdir(folder); entry != NULL && !farm_job_interrupted(); entry = readdir(folder))
        if (entry->d_name[0] != '.' && strcmp(entry->d_name, "done") != 0 && strcmp(entry->d_name, "failed") != 0)
            tend_drop(self, entry->d_name);
    (void)closedir(folder);
    forget_gone(self);
    return STATUS_OK;
}

/* Two watchers would submit a drop under two keys, and move it away from each other. Held until this process ends. */
static status claim_folder(const char *folder, error_detail *detail)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/.reelmill-watcher", folder);
    int descriptor = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (descriptor < 0)
        return error_detail_set(detail, STATUS_INPUT_INVALID, "cannot write '%s': %s; a watcher moves folders in it", path, strerror(errno));
    if (flock(descriptor, LOCK_EX | LOCK_NB) == 0)
        return STATUS_OK;
    return errno == EWOULDBLOCK ? error_detail_set(detail, STATUS_INPUT_CONFLICT,
                                                   "another `reelmill watch` tends '%s'; a folder has one watcher", folder)
                                : error_detail_set(detail, STATUS_INPUT_INVALID, "cannot lock '%s': %s", path, strerror(errno));
}

int command_watch(const cli_arguments *arguments)
{
    arena memory;
    error_detail detail = {0};
    size_t size = 0;
    folder_watch self = {.arguments = arguments,
                         .folder = realpath(arguments->words[0], NULL),
                         .marker = cli_text(arguments, "marker") != NULL ? cli_text(arguments, "marker") : "READY",
                         .settle_s = cli_number(arguments, "settle", SETTLE_S),
                         .seen = calloc(DROPS_MAX, sizeof *self.seen)};
    arena_init(&memory);
    status code = STATUS_OK;
    if (self.folder == NULL || strlen(self.folder) >= PATH_MAX_BYTES)
        code = error_detail_set(&detail, STATUS_INPUT_MISSING, "there is no folder '%s'", arguments->words[0]);
    else if (self.seen == NULL)
        code = error_detail_set(&detail, STATUS_NODE_MEMORY, "out of memory");
    else if (strchr(self.marker, '/') != NULL || self.marker[0] == '\0')
        code = error_detail_set(&detail, STATUS_INPUT_INVALID, "--marker: '%s' is no name of a file", self.marker);
    if (code == STATUS_OK && cli_text(arguments, "preset") != NULL)
        code = read_text_file(cli_text(arguments, "preset"), PRESET_BYTES_MAX, &memory, &self.preset, &size, &detail);
    if (code == STATUS_OK)
        code = claim_folder(self.folder, &detail);
    if (code == STATUS_OK)
        code = farm_job_connect(arguments, &self.client, &detail);
    if (code == STATUS_OK)
        cli_print(stderr, "reelmill: watching '%s' for folders with a file '%s'\n", self.folder, self.marker);
    farm_job_catch_signals();
    while (code == STATUS_OK && !farm_job_interrupted()) {
        code = look(&self, &detail);
        if (code == STATUS_OK)
            (void)poll(NULL, 0, LOOK_MS);
    }
    farm_client_destroy(&self.client);
    free((char *)(uintptr_t)self.folder);
    free(self.seen);
    arena_deinit(&memory);
    return code == STATUS_OK ? EXIT_PASS : cli_fail_detail(&detail);
}
