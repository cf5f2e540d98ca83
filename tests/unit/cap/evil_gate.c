/* Plays a keng-capgate that hostile bytes have taken over, behind the real fence. The document says what to try. */
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cap/answer.h"
#include "cap/fence.h"

enum { DOCUMENT_MAX = 4096, BLOCK = 1024 * 1024, BLOCKS = 4096 };

static void say(const void *bytes, size_t n)
{
    if (write(STDOUT_FILENO, bytes, n) < 0) {
        _exit(1);
    }
}

static void loop(void)
{
    for (volatile unsigned i = 0;; i++) {
    }
}

/* Waits for ever without using the processor: only the parent's patience ends it. */
static void stall(void)
{
    uint32_t word = 0;
    (void)syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL, NULL, 0);
}

static void eat(void)
{
    for (size_t i = 0; i < BLOCKS; i++) {
        char *volatile p = malloc(BLOCK); /* or the compiler sees that nobody needs it */
        if (p == NULL) {
            _exit(1); /* the limit held */
        }
        memset(p, 1, BLOCK);
    }
    say("eaten", 5);
}

static void run_written_code(void)
{
    void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    say(p, 1);
}

static void act(const char *what)
{
    static const char half[] = ANSWER_MARK "\0\0\1\0abc";
    static const char huge[] = ANSWER_MARK "\xff\xff\xff\xff"
                                           "abc";
    static const char garbage[] = ANSWER_MARK "\0\0\0\3\xff\xff\xff";
    static char flood[BLOCK];
    char *const argv[] = {NULL};
    if (strcmp(what, "loop") == 0) {
        loop();
    } else if (strcmp(what, "stall") == 0) {
        stall();
    } else if (strcmp(what, "eat") == 0) {
        eat();
    } else if (strcmp(what, "socket") == 0) {
        say("x", socket(AF_INET, SOCK_STREAM, 0) >= 0 ? 1 : 0);
    } else if (strcmp(what, "open") == 0) {
        say("x", open("/etc/passwd", O_RDONLY) >= 0 ? 1 : 0);
    } else if (strcmp(what, "fork") == 0) {
        say("x", fork() >= 0 ? 1 : 0);
    } else if (strcmp(what, "exec") == 0) {
        (void)execv("/bin/true", argv);
    } else if (strcmp(what, "kill") == 0) {
        (void)kill(getppid(), SIGKILL);
    } else if (strcmp(what, "code") == 0) {
        run_written_code();
    } else if (strcmp(what, "half") == 0) {
        say(half, sizeof half - 1);
    } else if (strcmp(what, "huge") == 0) {
        say(huge, sizeof huge - 1);
    } else if (strcmp(what, "garbage") == 0) {
        say(garbage, sizeof garbage - 1);
    } else if (strcmp(what, "rubbish") == 0) {
        say("what?", 5);
    } else if (strcmp(what, "flood") == 0) {
        say(ANSWER_MARK, ANSWER_MARK_BYTES);
        for (;;) {
            say(flood, sizeof flood);
        }
    } else if (strcmp(what, "quit") == 0) {
        _exit(3);
    }
}

int main(void)
{
    char document[DOCUMENT_MAX + 1];
    if (!fence_raise()) {
        return 71;
    }
    const ssize_t n = read(STDIN_FILENO, document, DOCUMENT_MAX);
    document[n > 0 ? n : 0] = '\0';
    act(document);
    _exit(0);
}
