/* holder DIRECTORY COUNT COMMAND…: runs COUNT copies of COMMAND, each under a PTY of its own, and appends what they write
 * to DIRECTORY/N.log, with one epoll loop. Prints its own processor seconds and bytes as JSON. What a keeper costs in C. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static double seconds(struct timeval t) { return t.tv_sec + t.tv_usec / 1e6; }

int main(int argc, char **argv)
{
    int count = atoi(argv[2]), live = count, poll = epoll_create1(0);
    int *log_of = calloc(65536, sizeof *log_of);
    struct winsize size = {24, 80, 0, 0};
    static char buffer[65536];
    long bytes = 0;
    (void)argc;

    for (int i = 0; i < count; i++) {
        int master;
        char path[4096];
        pid_t pid = forkpty(&master, 0, 0, &size);
        if (pid == 0) {
            execvp(argv[3], argv + 3);
            _exit(127);
        }
        fcntl(master, F_SETFL, O_NONBLOCK);
        snprintf(path, sizeof path, "%s/%d.log", argv[1], i);
        log_of[master] = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_APPEND, 0600);
        struct epoll_event event = {EPOLLIN, {.fd = master}};
        epoll_ctl(poll, EPOLL_CTL_ADD, master, &event);
    }
    while (live > 0) {
        struct epoll_event events[256];
        int ready = epoll_wait(poll, events, 256, -1);
        for (int i = 0; i < ready; i++) {
            int master = events[i].data.fd;
            ssize_t got = read(master, buffer, sizeof buffer);
            if (got <= 0) {
                epoll_ctl(poll, EPOLL_CTL_DEL, master, 0);
                close(master);
                live--;
                continue;
            }
            if (write(log_of[master], buffer, got) < 0)
                return 1;
            bytes += got;
        }
    }
    while (wait(0) > 0)
        ;
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    printf("{\"cpu_s\": %.4f, \"bytes\": %ld, \"rss_kb\": %ld}\n", seconds(used.ru_utime) + seconds(used.ru_stime), bytes, used.ru_maxrss);
    return 0;
}
