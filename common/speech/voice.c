#include "speech/voice.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "speech/resample.h"
#include "speech/wav.h"

enum { READ_STEP = 32 * 1024, HEAD_ROOM = 4096, CHILD_MEMORY = 512 * 1024 * 1024, CHILD_CPU_S = 20 };

static const double QUIETER = 0.70794578; /* -3 dB: espeak-ng peaks at full scale and would clip when resampled */

struct voice {
    loop *loop;
    loop_timer *deadline;
    voice_done fn; /* NULL: cancelled; the struct waits for the child alone */
    void *ctx;
    pid_t pid;
    int out_fd;  /* -1: the end was reached */
    bool exited; /* the child was collected */
    int wait_status;
    size_t samples_max;
    kg_buf head;    /* bytes until the WAV header is complete */
    kg_buf samples; /* 48 kHz */
    resample *filter;
    bool odd; /* half a sample is left over from the last read: */
    uint8_t odd_byte;
    kg_err err; /* first failure; the child was killed for it */
    kg_diag diag;
};

static void voice_free(voice *v)
{
    if (v->out_fd >= 0) {
        loop_unwatch(v->loop, v->out_fd);
        (void)close(v->out_fd);
    }
    loop_timer_free(&v->deadline);
    resample_free(&v->filter);
    kg_buf_done(&v->head);
    kg_buf_done(&v->samples);
    free(v);
}

static void judge(voice *v)
{
    if (v->err != KG_OK) {
        return;
    }
    if (!WIFEXITED(v->wait_status) || WEXITSTATUS(v->wait_status) != 0) {
        v->err = kg_fail(&v->diag, KG_E_IO, "the voice ended with %s %d before it had spoken",
                         WIFEXITED(v->wait_status) ? "status" : "signal",
                         WIFEXITED(v->wait_status) ? WEXITSTATUS(v->wait_status) : WTERMSIG(v->wait_status));
    } else if (v->filter == NULL) {
        v->err = kg_fail(&v->diag, KG_E_IO, "the voice ended without a sound");
    } else {
        v->err = resample_end(v->filter, &v->samples);
        if (v->err != KG_OK) {
            v->err = kg_fail(&v->diag, v->err, "no memory for the sound");
        } else if (v->samples.len == 0) {
            v->err = kg_fail(&v->diag, KG_E_IO, "the voice ended without a sound");
        }
    }
}

/* Both ends must be seen, in whatever order: the pipe's and the child's. */
static void settle(voice *v)
{
    if (!v->exited || (v->out_fd >= 0 && v->fn != NULL && v->err == KG_OK)) {
        return;
    }
    if (v->fn != NULL) {
        judge(v);
        v->fn(v->ctx, v->err, &v->samples, &v->diag);
    }
    voice_free(v);
}

static void output_end(voice *v)
{
    if (v->out_fd >= 0) {
        loop_unwatch(v->loop, v->out_fd);
        (void)close(v->out_fd);
        v->out_fd = -1;
    }
}

static void abandon(voice *v)
{
    output_end(v);
    loop_timer_stop(v->deadline);
    if (!v->exited) {
        (void)kill(v->pid, SIGKILL);
    }
}

static void on_child(void *ctx, pid_t pid, int wait_status)
{
    voice *v = ctx;
    (void)pid;
    v->exited = true;
    v->wait_status = wait_status;
    settle(v);
}

static void on_deadline(void *ctx)
{
    voice *v = ctx;
    v->err = kg_fail(&v->diag, KG_E_TIMEOUT, "the voice did not finish in time and was stopped");
    abandon(v);
    settle(v);
}

static kg_err sound_put(voice *v, const uint8_t *p, size_t n)
{
    int16_t in[READ_STEP / 2 + 1];
    uint8_t *bytes = (uint8_t *)in;
    size_t have = 0;
    if (v->odd) {
        bytes[have++] = v->odd_byte;
    }
    memcpy(bytes + have, p, n);
    have += n;
    v->odd = have % 2 != 0;
    v->odd_byte = v->odd ? bytes[have - 1] : 0;
    const kg_err e = resample_feed(v->filter, in, have / 2, &v->samples);
    if (e == KG_OK && v->samples.len / 2 > v->samples_max) {
        return kg_fail(&v->diag, KG_E_LIMIT, "the text takes longer than %zu s to say; shorten it",
                       v->samples_max / WAV_RATE);
    }
    return e == KG_OK ? KG_OK : kg_fail(&v->diag, e, "no memory for the sound");
}

static kg_err bytes_put(voice *v, const uint8_t *p, size_t n)
{
    if (v->filter != NULL) {
        return sound_put(v, p, n);
    }
    wav_head h = {0};
    kg_err e = kg_buf_put(&v->head, p, n);
    if (e == KG_OK) {
        e = wav_head_read(v->head.s, v->head.len, &h, &v->diag);
        if (e == KG_E_AGAIN && v->head.len < HEAD_ROOM) {
            return KG_OK;
        }
    }
    if (e == KG_OK) {
        e = resample_new(h.rate, WAV_RATE, QUIETER, &v->filter);
    }
    if (e != KG_OK) {
        return kg_fail(&v->diag, KG_E_IO,
                       "the voice did not answer with a WAV of one channel and 16 bits up to 48 kHz");
    }
    for (size_t at = h.data_at; at < v->head.len && e == KG_OK; at += READ_STEP) {
        const size_t left = v->head.len - at;
        e = sound_put(v, (const uint8_t *)v->head.s + at, left < READ_STEP ? left : READ_STEP);
    }
    kg_buf_done(&v->head);
    return e;
}

static void on_output(void *ctx, int fd, unsigned events)
{
    voice *v = ctx;
    uint8_t bytes[READ_STEP];
    (void)events;
    const ssize_t n = read(fd, bytes, sizeof bytes);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (n > 0) {
        v->err = bytes_put(v, bytes, (size_t)n);
    } else if (n < 0) {
        v->err = kg_fail(&v->diag, KG_E_IO, "the voice's answer cannot be read: %s", strerror(errno));
    } else {
        output_end(v);
    }
    if (v->err != KG_OK) {
        abandon(v);
    }
    settle(v);
}

/* The text as a file without a name. "[[" would switch espeak-ng to phonemes: brackets become blanks. */
static kg_err text_file(const char *text, int *fd, kg_diag *diag)
{
    const size_t n = strlen(text);
    char *clean = strdup(text);
    const int f = clean != NULL ? memfd_create("keng-text", MFD_CLOEXEC) : -1;
    if (f < 0) {
        free(clean);
        return kg_fail(diag, KG_E_NOMEM, "no memory to hand the text to the voice");
    }
    for (char *p = clean; *p != '\0'; p++) {
        if (*p == '[' || *p == ']' || ((unsigned char)*p < ' ' && *p != '\n')) {
            *p = ' ';
        }
    }
    const ssize_t put = write(f, clean, n);
    free(clean);
    if (put != (ssize_t)n || lseek(f, 0, SEEK_SET) != 0) {
        (void)close(f);
        return kg_fail(diag, KG_E_IO, "the text cannot be handed to the voice");
    }
    *fd = f;
    return KG_OK;
}

static int spawn(const voice_spec *spec, int in_fd, int out_fd, pid_t *pid)
{
    char program[] = "voice", utf8_flag[] = "-b", utf8[] = "1", voice_flag[] = "-v", rate_flag[] = "-s",
         from_stdin[] = "--stdin", to_stdout[] = "--stdout", path[] = "PATH=/usr/bin:/bin", locale[] = "LC_ALL=C.UTF-8";
    char name[64], rate[16];
    (void)snprintf(name, sizeof name, "%s", spec->name);
    (void)snprintf(rate, sizeof rate, "%u", spec->rate);
    char *argv[] = {program, utf8_flag, utf8, voice_flag, name, rate_flag, rate, from_stdin, to_stdout, NULL};
    char *envp[] = {path, locale, NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t none, all;
    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    if (posix_spawn_file_actions_init(&files) != 0) {
        return ENOMEM;
    }
    if (posix_spawnattr_init(&attr) != 0) {
        (void)posix_spawn_file_actions_destroy(&files);
        return ENOMEM;
    }
    int rc = posix_spawn_file_actions_adddup2(&files, in_fd, STDIN_FILENO);
    rc = rc != 0 ? rc : posix_spawn_file_actions_adddup2(&files, out_fd, STDOUT_FILENO);
    rc = rc != 0 ? rc : posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    rc = rc != 0 ? rc : posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
    /* the loop keeps its signals blocked; a child born so could not be asked to end */
    rc = rc != 0 ? rc : posix_spawnattr_setsigmask(&attr, &none);
    rc = rc != 0 ? rc : posix_spawnattr_setsigdefault(&attr, &all);
    rc = rc != 0 ? rc : posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    rc = rc != 0 ? rc : posix_spawn(pid, spec->program, &files, &attr, argv, envp);
    (void)posix_spawnattr_destroy(&attr);
    (void)posix_spawn_file_actions_destroy(&files);
    return rc;
}

static void child_bound(pid_t pid)
{
    const struct rlimit cpu = {CHILD_CPU_S, CHILD_CPU_S}, memory = {CHILD_MEMORY, CHILD_MEMORY};
    /* a child that has ended already needs none */
    (void)prlimit(pid, RLIMIT_CPU, &cpu, NULL);
    (void)prlimit(pid, RLIMIT_AS, &memory, NULL);
}

static kg_err start(voice *v, const voice_spec *spec, const char *text, kg_diag *diag)
{
    int in_fd = -1, ends[2] = {-1, -1};
    kg_err e = text_file(text, &in_fd, diag);
    if (e == KG_OK && pipe2(ends, O_CLOEXEC) != 0) {
        e = kg_fail(diag, KG_E_IO, "no pipe to the voice: %s", strerror(errno));
    }
    if (e == KG_OK) {
        KG_FAULT("speech.spawn");
        const int rc = KG_FAULT_FAILS("speech.spawn") ? EAGAIN : spawn(spec, in_fd, ends[1], &v->pid);
        if (rc != 0) {
            e = kg_fail(diag, KG_E_IO, "%s: the voice cannot be started: %s", spec->program, strerror(rc));
        }
    }
    if (in_fd >= 0) {
        (void)close(in_fd);
    }
    if (ends[1] >= 0) {
        (void)close(ends[1]);
    }
    if (e != KG_OK) {
        if (ends[0] >= 0) {
            (void)close(ends[0]);
        }
        return e;
    }
    child_bound(v->pid);
    v->out_fd = ends[0];
    (void)fcntl(v->out_fd, F_SETFL, O_NONBLOCK);
    return KG_OK;
}

kg_err voice_speak(loop *l, const voice_spec *spec, const char *text, voice_done fn, void *ctx, voice **out,
                   kg_diag *diag)
{
    voice *v = calloc(1, sizeof *v);
    if (v == NULL) {
        return kg_fail(diag, KG_E_NOMEM, "no memory for a voice");
    }
    *v = (voice){.loop = l, .fn = fn, .ctx = ctx, .out_fd = -1, .samples_max = spec->samples_max};
    kg_err e = loop_timer_new(l, on_deadline, v, &v->deadline);
    if (e == KG_OK) {
        e = start(v, spec, text, diag);
    } else {
        e = kg_fail(diag, e, "no timer for the voice");
    }
    if (e != KG_OK) {
        voice_free(v);
        return e;
    }
    e = loop_child(l, v->pid, on_child, v);
    if (e != KG_OK) {
        (void)kill(v->pid, SIGKILL);
        (void)waitpid(v->pid, NULL, 0);
        voice_free(v);
        return kg_fail(diag, e, "the voice cannot be watched");
    }
    e = loop_watch(l, v->out_fd, LOOP_READ, on_output, v);
    if (e != KG_OK) { /* the child is the loop's by now: it is killed, and collected there */
        voice *gone = v;
        voice_cancel(&gone);
        return kg_fail(diag, e, "the voice's answer cannot be watched");
    }
    loop_timer_set(v->deadline, spec->timeout_ms);
    *out = v;
    return KG_OK;
}

void voice_cancel(voice **v)
{
    if (v != NULL && *v != NULL) {
        voice *gone = *v;
        *v = NULL;
        gone->fn = NULL;
        abandon(gone);
        settle(gone);
    }
}
